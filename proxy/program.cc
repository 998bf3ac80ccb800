#include "proxy/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the user

namespace crivet::proxy {
namespace {

constexpr std::size_t kMostOutput = 4 * 1024 * 1024;

trust::Result<pid_t> Spawn(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t pid = -1;
  const int rc = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (rc != 0) {
    return trust::Fail(trust::Reason::kState,
                       "cannot run " + arguments[0] + ": " + std::strerror(rc));
  }
  return pid;
}

}  // namespace

trust::Result<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds limit) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit;
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) {
    return trust::Fail(trust::Reason::kState, std::string("pipe: ") + std::strerror(errno));
  }
  auto pid = Spawn(arguments, pipe_ends[1]);
  close(pipe_ends[1]);
  if (!pid) {
    close(pipe_ends[0]);
    return tl::unexpected(pid.error());
  }

  ProgramOutput output;
  std::string problem;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd readable{pipe_ends[0], POLLIN, 0};
    const int ready = poll(&readable, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      problem = arguments[0] + " took too long";
      break;
    }
    std::array<char, 16384> buffer{};
    const ssize_t n = read(pipe_ends[0], buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    output.text.append(buffer.data(), static_cast<std::size_t>(n));
    if (output.text.size() > kMostOutput) {
      problem = arguments[0] + " said too much";
      break;
    }
  }
  close(pipe_ends[0]);
  if (!problem.empty()) kill(*pid, SIGKILL);
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!problem.empty()) return trust::Fail(trust::Reason::kState, problem);
  output.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace crivet::proxy
