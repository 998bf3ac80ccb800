// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config_error.h"
#include "proxy/config/config_texts.h"
#include "proxy/config/containerd_files.h"
#include "proxy/config/named_files.h"
#include "proxy/road/method_table.h"
#include "trust/decide/policy.h"
#include "trust/io/http/trust_server.h"

namespace crivet::proxy {

/// Place is where crivet stands (proxy/RULES.md#configuration): beside the runtime's socket, or in
/// place of it.
struct Place {
  std::string moved_upstream = {};  ///< where the runtime was moved to; empty: beside
  /// Folder that holds the files of the machine that the configuration is for; empty: this machine.
  std::string root = {};
  bool in_place() const { return !moved_upstream.empty(); }
};

/// Whether a pull is refused that nobody is there to judge.
enum class WithoutDaemon : std::uint8_t { kRefuse, kAllow };

/// Config is the whole configuration, checked: every value in it is usable
/// (proxy/RULES.md#configuration).
struct Config {
  std::vector<std::string> files;  ///< that it was read from, the configuration file first
  std::string listen = "/run/crivet/crivet.sock";
  std::string upstream = "/run/containerd/containerd.sock";
  std::string image_upstream;  ///< empty: as upstream
  std::string state_dir = "/var/lib/crivet";
  std::string admin = "/run/crivet/admin.sock";
  std::chrono::milliseconds drain{5000};
  trust::Mode mode = trust::Mode::kEnforce;  ///< of rules that have none of their own

  struct Gate {
    ContainerdApi containerd_api = ContainerdApi::kNone;
    std::vector<std::string> also_forward;
    std::string sandbox_image;  ///< empty: learnt from the runtime
    std::vector<std::string> remote_snapshotters{"stargz", "nydus", "overlaybd", "soci"};
    bool allow_checkpoint = false;
    /// What containerd's image verifier answers where no daemon does: see WithoutDaemonOf.
    WithoutDaemon image_verifier_without_daemon = WithoutDaemon::kRefuse;
  } gate;

  std::string metrics_listen;  ///< `host:port`; empty: no endpoint
  enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError } log_level = LogLevel::kInfo;
  std::string audit = "journal";  ///< "journal", or a file's path

  std::vector<trust::TrustServer> servers;
  /// Of those that ask images' registries, why each asks the hosts that it asks.
  std::vector<TrustRegistries> registries;
  std::shared_ptr<const trust::Policy> policy;

  /// What its trusts and rules have read of other files.
  std::vector<NamedFile> named_files;

  /// What `crivet check` and `crivet status` warn of: weakening options, rules that never match.
  std::vector<std::string> warnings;
};

/// ParseConfig reads the texts of a configuration. All errors are found, not only the first; their
/// files' names are for messages, and relative paths in the texts are refused. In place of the
/// runtime's socket the file's `upstream` is the path that crivet took: `upstream` is where the
/// runtime was moved to then, and `containerd_api` is "observe" unless the file says otherwise.
/// What `named` has of the files that the texts name is taken as it is.
tl::expected<Config, std::vector<ConfigError>> ParseConfig(
    const ConfigTexts& texts, const Place& place = {}, std::vector<NamedFile> named = {},
    Strictness strictness = Strictness::kWhole);

/// ParseConfig of a configuration without a `conf.d`.
tl::expected<Config, std::vector<ConfigError>> ParseConfig(std::string_view text,
                                                           const std::string& file,
                                                           const Place& place = {});

/// LoadConfig is ParseConfig of what ReadConfigTexts reads.
tl::expected<Config, std::vector<ConfigError>> LoadConfig(const std::string& file,
                                                          const Place& place = {});

/// AdminSocketOf is `admin` of a file that may be wrong elsewhere, or not there: who asks the
/// daemon what it runs with cannot wait until the file is right. The default where the file does
/// not tell.
std::string AdminSocketOf(const std::string& file);

/// StateFolderOf is `state_dir` in the same way.
std::string StateFolderOf(const std::string& file);

/// WithoutDaemonOf is `image_verifier_without_daemon` in the same way.
WithoutDaemon WithoutDaemonOf(const std::string& file);

}  // namespace crivet::proxy
