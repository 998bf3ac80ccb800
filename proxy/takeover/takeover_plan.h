// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/takeover/containerd_config.h"
#include "proxy/takeover/containerd_unit.h"
#include "trust/base/result.h"

namespace crivet::proxy {

/// ContainerdFacts is what has to be known of an installed containerd before its socket is taken.
struct ContainerdFacts {
  ContainerdUnit unit;
  ContainerdProcess process;
  std::vector<std::string> files;  ///< of its configuration, in the order in which it reads them
  ContainerdConfig config;         ///< merged
};

/// TakeoverPlan is every file that taking the socket's place creates. None of them exists before,
/// so that undoing it is removing them.
struct TakeoverPlan {
  std::string socket_path;    ///< kubelet's, crivet's from then on
  std::string upstream_path;  ///< containerd's from then on
  std::map<std::string, std::string> files;
};

/// The files of a takeover in the order in which they are written; they go in reverse. What moves
/// containerd is last: cut off before it, the node starts pods as ever. A plan has one of the two
/// drop-ins for containerd, by what else is there.
std::vector<std::string> TakeoverFiles();

/// What containerd reads from then on: the node's own files, then where its socket is.
inline constexpr char kMovedConfig[] = "/etc/crivet/containerd.toml";
inline constexpr char kMovedAddress[] = "/etc/crivet/containerd-address.toml";

/// PlanTakeover decides what to write. containerd's own configuration is not edited: a second one
/// reads all its files, then moves the gRPC address. The ttrpc address keeps its path, because
/// shims that already run report their exits there (proxy/RULES.md#taking-the-sockets-place).
/// Whoever may open containerd's socket may open crivet's, and crivet may open containerd's.
/// `resets` are the unit's drop-ins that set ExecStart, by path. kMalformed, by what a person can
/// do, where the unit's text cannot be kept or fixes the address itself. Pure.
trust::Result<TakeoverPlan> PlanTakeover(const ContainerdFacts& facts,
                                         const std::vector<std::string>& resets,
                                         const std::string& crivet_command,
                                         const std::string& crivet_config);

/// SocketPathOf is the path that the drop-in of a takeover gives to crivet.socket; empty where that
/// text names none. Pure.
std::string SocketPathOf(std::string_view socket_drop_in);

/// The drop-in of a takeover that gives crivet.socket its path.
inline constexpr char kSocketDropIn[] = "/etc/systemd/system/crivet.socket.d/50-takeover.conf";

/// ProofOf says what would be lost if containerd ran with `moved` instead of `config`, in words
/// that name the values; empty where nothing is. Pure.
std::string ProofOf(const ContainerdConfig& config, const ContainerdConfig& moved,
                    const std::string& upstream_path,
                    const std::vector<std::string>& files_with_address);

}  // namespace crivet::proxy
