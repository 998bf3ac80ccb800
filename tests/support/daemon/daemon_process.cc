// SPDX-License-Identifier: Apache-2.0
#include "tests/support/daemon/daemon_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace crivet::proxy::testing {
namespace {

constexpr std::chrono::seconds kPatience{30};

// Pointers to the texts, as exec wants them.
std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Safe between fork and exec, as all has to be there: other threads run, and the child may have
// been made while one of them held the allocator's lock.
void SendTo(const char* file, int fd) { dup2(open(file, O_WRONLY | O_CREAT | O_APPEND, 0600), fd); }

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& more) {
  std::vector<std::string> environment;
  for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
  environment.insert(environment.end(), more.begin(), more.end());
  return environment;
}

int StatusOf(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

bool HasLine(const std::string& message, const std::string& line) {
  std::istringstream lines(message);
  for (std::string one; std::getline(lines, one);) {
    if (one == line || (line.ends_with('=') && one.starts_with(line))) return true;
  }
  return false;
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = "/tmp/crivet-XXXXXX";
  BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TestFolder::Write(const std::string& name, const std::string& content) const {
  std::ofstream(File(name)) << content;
}

std::string TestFolder::Read(const std::string& name) const {
  std::ostringstream content;
  content << std::ifstream(File(name)).rdbuf();
  return content.str();
}

DaemonProcess::DaemonProcess(const TestFolder& folder, Options options) : folder_(folder) {
  const std::string path = folder.File("notify");
  unlink(path.c_str());
  notify_ = OwnedFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strncpy(where.sun_path, path.c_str(), sizeof(where.sun_path) - 1);
  BOOST_REQUIRE(bind(notify_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);

  const std::string log = folder.File("stderr.txt");
  const int listening = options.listening_fd;
  std::vector<std::string> arguments = {CRIVET_BINARY, "serve", "--config",
                                        folder.File("config.toml")};
  if (!options.moved_upstream.empty()) {
    arguments.insert(arguments.end(), {"--in-place", options.moved_upstream});
  }
  std::vector<std::string> told = {"NOTIFY_SOCKET=" + path};
  if (options.watchdog.count() > 0) {
    told.push_back("WATCHDOG_USEC=" + std::to_string(options.watchdog.count()));
  }
  if (listening >= 0) {
    told.emplace_back("LISTEN_FDS=1");
    // Only the process itself knows its number.
    arguments.insert(arguments.begin(), {"/bin/sh", "-c", R"(LISTEN_PID=$$ exec "$@")", "sh"});
  }
  std::vector<std::string> environment = EnvironmentWith(told);
  const std::vector<char*> argv = PointersTo(arguments);
  const std::vector<char*> envp = PointersTo(environment);

  pid_ = fork();
  BOOST_REQUIRE(pid_ >= 0);
  if (pid_ != 0) return;
  SendTo(log.c_str(), STDERR_FILENO);
  // The third descriptor is where systemd puts it; a duplicate lives on beyond exec.
  if (listening == 3) fcntl(3, F_SETFD, 0);
  if (listening >= 0 && listening != 3) dup2(listening, 3);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

DaemonProcess::~DaemonProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<std::string> DaemonProcess::NextMessage(std::chrono::milliseconds limit) const {
  pollfd readable{notify_.get(), POLLIN, 0};
  if (poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return std::nullopt;
  std::array<char, 4096> buffer;
  const ssize_t n = recv(notify_.get(), buffer.data(), buffer.size(), 0);
  return std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
}

std::string DaemonProcess::WaitFor(const std::string& line) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    // Short turns, only to notice a process that has ended without a word.
    if (const auto message = NextMessage(std::chrono::milliseconds{200})) {
      if (HasLine(*message, line)) return *message;
      continue;
    }
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      BOOST_FAIL("crivet ended with " << StatusOf(status) << " before it said " << line << ":\n"
                                      << folder_.Read("stderr.txt"));
    }
  }
  BOOST_FAIL("crivet did not say " << line << ":\n" << folder_.Read("stderr.txt"));
  return {};
}

void DaemonProcess::Signal(int signal) const { BOOST_REQUIRE(kill(pid_, signal) == 0); }

int DaemonProcess::WaitForEnd() {
  int status = 0;
  BOOST_REQUIRE(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  return StatusOf(status);
}

RunResult RunOnce(const TestFolder& folder, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {CRIVET_BINARY};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const std::string out = folder.File("run.out");
  const std::string err = folder.File("run.err");
  unlink(out.c_str());
  unlink(err.c_str());
  const std::vector<char*> argv = PointersTo(all);
  const pid_t pid = fork();
  BOOST_REQUIRE(pid >= 0);
  if (pid == 0) {
    SendTo(out.c_str(), STDOUT_FILENO);
    SendTo(err.c_str(), STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  BOOST_REQUIRE(waitpid(pid, &status, 0) == pid);
  return {StatusOf(status), folder.Read("run.out"), folder.Read("run.err")};
}

}  // namespace crivet::proxy::testing
