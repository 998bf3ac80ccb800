// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::proxy {

/// What containerd's image-verifier plugin asks about.
struct VerifierQuestion {
  std::string name;
  std::string digest;
};

/// ReadVerifierArguments reads `-name N -digest D -stdin-media-type T`, each also as `--name` and
/// `-name=N`. Other flags are passed over: a newer containerd may have more. Empty where one of
/// the two is missing, empty or there twice. Pure.
std::optional<VerifierQuestion> ReadVerifierArguments(const std::vector<std::string>& arguments);

/// IsImageVerifier tells by the name that a program was called by whether that is containerd's
/// plugin. Pure.
bool IsImageVerifier(std::string_view program);

/// RunImageVerifier answers one question of the plugin, as containerd wants it
/// (proxy/RULES.md#the-second-door): reads stdin to its end, asks the daemon, and writes one line
/// to stdout. The exit status is 0 where the image may be pulled, 1 denied, 2 where that could not
/// be found out, 64 for arguments that are none. Ends within 9 seconds. `config_file` says where
/// the daemon listens, and what to answer where none does; it may be wrong or away.
int RunImageVerifier(const std::vector<std::string>& arguments, const std::string& config_file);

}  // namespace crivet::proxy
