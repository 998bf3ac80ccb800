// SPDX-License-Identifier: Apache-2.0
#include "proxy/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "proxy/inert_filter.h"
#include "proxy/owned_fd.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the user

namespace crivet::proxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = 4 * 1024 * 1024;
// What an inert child ends with where it could not become one, or could not start the program.
constexpr int kNotInert = 125;
constexpr int kNotStarted = 127;

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

trust::Result<std::array<OwnedFd, 2>> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return trust::Fail(trust::Reason::kState, std::string("pipe: ") + std::strerror(errno));
  }
  return std::array<OwnedFd, 2>{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

trust::Result<pid_t> Spawn(const std::vector<std::string>& arguments, int output) {
  const std::vector<char*> argv = Pointers(arguments);
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

// After fork in a process that may have threads: system calls only.
[[noreturn]] void BecomeProgram(const InertCommand& command, char* const* argv, char* const* envp,
                                std::vector<sock_filter>& filter, int output, int errors) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = open("/dev/null", O_RDONLY);
  if (dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
      dup2(errors, STDERR_FILENO) < 0 || !BecomeInert(filter)) {
    _exit(kNotInert);
  }
  execve(command.path.c_str(), argv, envp);
  _exit(kNotStarted);
}

struct Stream {
  int fd = -1;
  std::string* text = nullptr;
};

// Reads until every stream has ended; what went wrong, or nothing.
std::string ReadAll(std::vector<Stream> streams, Clock::time_point deadline) {
  while (!streams.empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    std::vector<pollfd> readable;
    readable.reserve(streams.size());
    for (const Stream& stream : streams) readable.push_back({stream.fd, POLLIN, 0});
    const int ready = poll(readable.data(), readable.size(),
                           left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return "took too long";
    for (std::size_t i = streams.size(); i-- > 0;) {
      if (readable[i].revents == 0) continue;
      std::array<char, 16384> buffer{};
      const ssize_t n = read(streams[i].fd, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      streams[i].text->append(buffer.data(), static_cast<std::size_t>(n));
      if (streams[i].text->size() > kMostOutput) return "said too much";
    }
  }
  return {};
}

trust::Result<ProgramOutput> Finish(const std::string& name, pid_t pid, const std::string& problem,
                                    ProgramOutput output) {
  if (!problem.empty()) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!problem.empty()) return trust::Fail(trust::Reason::kState, name + " " + problem);
  output.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace

trust::Result<ProgramOutput> RunProgram(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto pipe = MakePipe();
  if (!pipe) return tl::unexpected(pipe.error());
  auto pid = Spawn(arguments, (*pipe)[1].get());
  (*pipe)[1].Reset();
  if (!pid) return tl::unexpected(pid.error());
  ProgramOutput output;
  const std::string problem = ReadAll({{(*pipe)[0].get(), &output.text}}, deadline);
  (*pipe)[0].Reset();
  return Finish(arguments[0], *pid, problem, std::move(output));
}

trust::Result<ProgramOutput> RunInert(const InertCommand& command,
                                      std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto out = MakePipe();
  auto err = MakePipe();
  if (!out) return tl::unexpected(out.error());
  if (!err) return tl::unexpected(err.error());
  const std::vector<char*> argv = Pointers(command.arguments);
  const std::vector<char*> envp = Pointers(command.environment);
  std::vector<sock_filter> filter = InertFilter();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(command, argv.data(), envp.data(), filter, (*out)[1].get(), (*err)[1].get());
  }
  (*out)[1].Reset();
  (*err)[1].Reset();
  if (pid < 0) {
    return trust::Fail(trust::Reason::kState, std::string("fork: ") + std::strerror(errno));
  }
  ProgramOutput output;
  const std::string problem =
      ReadAll({{(*out)[0].get(), &output.text}, {(*err)[0].get(), &output.errors}}, deadline);
  auto ended = Finish(command.path, pid, problem, std::move(output));
  if (!ended) return ended;
  if (ended->exit_status == kNotInert || ended->exit_status == kNotStarted) {
    return trust::Fail(trust::Reason::kState,
                       ended->exit_status == kNotInert
                           ? "cannot run " + command.path + " confined: the kernel has no seccomp"
                           : "cannot run " + command.path);
  }
  return ended;
}

}  // namespace crivet::proxy
