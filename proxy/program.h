#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "trust/core/result.h"

namespace crivet::proxy {

/// ProgramOutput is what a program said and how it ended.
struct ProgramOutput {
  int exit_status = 0;  ///< 128 + signal where one ended it
  std::string text;     ///< standard output, then nothing: standard error goes to ours
};

/// RunProgram runs `arguments[0]`, found by PATH, without a shell and without standard input, and
/// waits for it. kState where it cannot be started, says more than 4 MiB, or takes longer than
/// `limit` (it is killed then). For the command line: it blocks.
trust::Result<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds limit);

}  // namespace crivet::proxy
