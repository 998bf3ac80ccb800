// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ProgramOutput is what a program said and how it ended.
struct ProgramOutput {
  int exit_status = 0;  ///< 128 + signal where one ended it
  std::string text;     ///< standard output
  std::string errors;   ///< standard error of RunInert; RunProgram lets it go to ours
};

/// RunProgram runs `arguments[0]`, found by PATH, without a shell and without standard input, and
/// waits for it. kState where it cannot be started, says more than 4 MiB, or takes longer than
/// `limit` (it is killed then). For the command line: it blocks.
trust::Result<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds limit);

/// InertCommand is a program with all that it is given: nothing of ours is added.
struct InertCommand {
  std::string path;                      ///< absolute
  std::vector<std::string> arguments;    ///< with argv[0]
  std::vector<std::string> environment;  ///< NAME=value
};

/// RunInert is RunProgram under InertFilter: whatever the program turns out to do, it cannot
/// listen, take a lock or change a file. It ends with this process. Errors as RunProgram, and
/// kState where the kernel does not allow such a filter: nothing runs then.
trust::Result<ProgramOutput> RunInert(const InertCommand& command, std::chrono::milliseconds limit);

}  // namespace crivet::proxy
