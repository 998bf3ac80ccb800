// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace crivet::proxy::cli {

/// Exit is how a command ends (proxy/RULES.md#exit-codes). Of several images the worst counts;
/// `Worst` says which.
enum class Exit : int {
  kDone = 0,
  kDenied = 1,
  kUnavailable = 2,
  kUsage = 64,
  kInternal = 70,
  kConfiguration = 78,
};

/// Worst is the larger of two: 70, 2, 1, 0 in that order for what images can end with.
inline Exit Worst(Exit a, Exit b) { return static_cast<int>(a) < static_cast<int>(b) ? b : a; }

/// Invocation is what the command line asked for.
struct Invocation {
  std::string config_file = "/etc/crivet/config.toml";
  /// Set by the subcommand that was named.
  std::function<Exit()> run;
};

// Each adds one subcommand: its options, its help with an example, and what it does. `invocation`
// must outlive the app. One file each.
void AddServe(CLI::App& app, Invocation& invocation);
void AddCheck(CLI::App& app, Invocation& invocation);
void AddVerify(CLI::App& app, Invocation& invocation);
void AddStatus(CLI::App& app, Invocation& invocation);
void AddReload(CLI::App& app, Invocation& invocation);
void AddPin(CLI::App& app, Invocation& invocation);
void AddWarm(CLI::App& app, Invocation& invocation);
void AddForget(CLI::App& app, Invocation& invocation);
void AddTakeover(CLI::App& app, Invocation& invocation);
void AddRelease(CLI::App& app, Invocation& invocation);
void AddImport(CLI::App& app, Invocation& invocation);
void AddVersion(CLI::App& app, Invocation& invocation);

}  // namespace crivet::proxy::cli
