#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trust/core/result.h"

namespace crivet::proxy {

/// ContainerdFacts is what has to be known of an installed containerd before its socket is taken.
struct ContainerdFacts {
  std::vector<std::string> command;  ///< as systemd starts it
  std::string config_file;           ///< what it reads; may not exist
  bool config_exists = false;
  std::string config_version = "2";  ///< of that file's format
  std::string grpc_address;          ///< effective, where kubelet looks
  std::string ttrpc_address;         ///< effective
  std::string uid = "0";             ///< who owns containerd's socket, a number
  std::string gid = "0";             ///< the group that may open it, a number
};

/// ParseContainerdFacts reads the facts from `systemctl show --property=ExecStart` of the unit and
/// the text of the configuration that containerd itself prints (`containerd config dump`).
/// kMalformed where one of them is not as expected, with what a person can do.
trust::Result<ContainerdFacts> ParseContainerdFacts(std::string_view exec_start,
                                                    std::string_view config_dump);

/// CommandOf is the argv out of systemd's `ExecStart=` property. kMalformed where there is none.
trust::Result<std::vector<std::string>> CommandOf(std::string_view exec_start);

/// ConfigFileOf is the configuration that such a command reads.
std::string ConfigFileOf(const std::vector<std::string>& command);

/// ConfigVersionOf is the `version` that a containerd configuration declares; "1" where it has
/// none.
std::string ConfigVersionOf(std::string_view config_text);

/// TakeoverPlan is every file that taking the socket's place creates. None of them exists before,
/// so that undoing it is removing them.
struct TakeoverPlan {
  std::string socket_path;    ///< kubelet's, crivet's from then on
  std::string upstream_path;  ///< containerd's from then on
  std::map<std::string, std::string> files;
};

/// The files of a takeover in the order in which they are written; they go in reverse. What moves
/// containerd is last: cut off before it, the node starts pods as ever.
std::vector<std::string> TakeoverFiles();

/// PlanTakeover decides what to write. containerd's own configuration is not edited: a second one
/// imports it and moves the gRPC address. The ttrpc address keeps its path, because shims that
/// already run report their exits there (DESIGN 8). Whoever may open containerd's socket may open
/// crivet's, and crivet may open containerd's. kMalformed where containerd's command line
/// fixes the address itself.
trust::Result<TakeoverPlan> PlanTakeover(const ContainerdFacts& facts,
                                         const std::string& crivet_command,
                                         const std::string& crivet_config);

}  // namespace crivet::proxy
