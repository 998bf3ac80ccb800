// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;

struct TempFolder {
  TempFolder() {
    char name[] = "/tmp/crivet-listener-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~TempFolder() { fs::remove_all(path); }
  std::string File(const char* name) const { return path + "/" + name; }
  std::string path;
};

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

OwnedFd Connect(const std::string& path) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.Reset();
  }
  return fd;
}

// A socket as another process would have it; it listens only if asked to.
OwnedFd BoundSocket(const std::string& path, int backlog) {
  OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressOf(path);
  BOOST_REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  if (backlog > 0) BOOST_REQUIRE(::listen(fd.get(), backlog) == 0);
  return fd;
}

// Runs `body` in a child as systemd would start it: fds passed from 3 up, LISTEN_* set.
int RunActivated(const std::vector<int>& passed, int (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> copies;
    for (const int fd : passed) copies.push_back(::fcntl(fd, F_DUPFD, 100));
    for (std::size_t i = 0; i < copies.size(); ++i) ::dup2(copies[i], 3 + static_cast<int>(i));
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(passed.size()).c_str(), 1);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ListenerTest, TempFolder)

BOOST_AUTO_TEST_CASE(Accept_Peer_HasItsCredentials) {
  auto listener = Listener::Bind(File("a.sock"), File("none.sock"));
  BOOST_REQUIRE(listener.has_value());
  const OwnedFd client = Connect(File("a.sock"));
  BOOST_REQUIRE(bool(client));
  Listener::Accepted accepted;
  BOOST_TEST((listener->Accept(accepted) == Listener::AcceptOutcome::kAccepted));
  BOOST_TEST(accepted.peer.pid == ::getpid());
  BOOST_TEST(accepted.peer.uid == ::getuid());
  BOOST_TEST((::fcntl(accepted.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
  BOOST_TEST((listener->Accept(accepted) == Listener::AcceptOutcome::kNothing));
}

BOOST_AUTO_TEST_CASE(Bind_CopiesModeAndGroupOfTheRuntimesSocket) {
  const OwnedFd model = BoundSocket(File("runtime.sock"), 1);
  BOOST_REQUIRE(::chmod(File("runtime.sock").c_str(), 0620) == 0);
  if (::getuid() == 0) BOOST_REQUIRE(::chown(File("runtime.sock").c_str(), 0, 4711) == 0);
  auto listener = Listener::Bind(File("a.sock"), File("runtime.sock"));
  BOOST_REQUIRE(listener.has_value());
  struct stat status {};
  BOOST_REQUIRE(::stat(File("a.sock").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0620u);
  if (::getuid() == 0) BOOST_TEST(status.st_gid == 4711u);
}

BOOST_AUTO_TEST_CASE(Bind_SomebodyListens_IsAnErrorAndLeavesThemAlone) {
  const OwnedFd other = BoundSocket(File("a.sock"), 8);
  BOOST_TEST(!Listener::Bind(File("a.sock"), "").has_value());
  BOOST_TEST(bool(Connect(File("a.sock"))));
}

BOOST_AUTO_TEST_CASE(Bind_StaleSocket_IsReplaced) {
  BoundSocket(File("a.sock"), 1).Reset();
  BOOST_REQUIRE(fs::exists(File("a.sock")));
  auto listener = Listener::Bind(File("a.sock"), "");
  BOOST_REQUIRE(listener.has_value());
  BOOST_TEST(bool(Connect(File("a.sock"))));
}

BOOST_AUTO_TEST_CASE(Bind_RegularFile_IsAnErrorAndStays) {
  std::ofstream(File("a.sock")) << "precious";
  BOOST_TEST(!Listener::Bind(File("a.sock"), "").has_value());
  BOOST_TEST(fs::file_size(File("a.sock")) == 8u);
}

BOOST_AUTO_TEST_CASE(Bind_PathTooLong_IsAnError) {
  BOOST_TEST(!Listener::Bind(File(std::string(120, 'x').c_str()), "").has_value());
}

BOOST_AUTO_TEST_CASE(End_RemovesItsOwnSocket) {
  { auto listener = Listener::Bind(File("a.sock"), ""); }
  BOOST_TEST(!fs::exists(File("a.sock")));
}

BOOST_AUTO_TEST_CASE(End_PathNowOwnedByAnother_IsLeftAlone) {
  OwnedFd successor;
  {
    auto listener = Listener::Bind(File("a.sock"), "");
    BOOST_REQUIRE(listener.has_value());
    BOOST_REQUIRE(::unlink(File("a.sock").c_str()) == 0);
    successor = BoundSocket(File("a.sock"), 8);
  }
  BOOST_TEST(bool(Connect(File("a.sock"))));
}

BOOST_AUTO_TEST_CASE(Accept_OutOfDescriptors_SaysSoAndServesLater) {
  auto listener = Listener::Bind(File("a.sock"), "");
  BOOST_REQUIRE(listener.has_value());
  const OwnedFd client = Connect(File("a.sock"));
  BOOST_REQUIRE(bool(client));

  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const OwnedFd lowest_free(::dup(0));
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest_free.get());
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  Listener::Accepted accepted;
  const auto while_exhausted = listener->Accept(accepted);
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);

  BOOST_TEST((while_exhausted == Listener::AcceptOutcome::kExhausted));
  BOOST_TEST((listener->Accept(accepted) == Listener::AcceptOutcome::kAccepted));
}

BOOST_AUTO_TEST_CASE(FromSystemd_NothingPassed_IsEmpty) {
  const auto listener = Listener::FromSystemd();
  BOOST_REQUIRE(listener.has_value());
  BOOST_TEST(!listener->has_value());
}

BOOST_AUTO_TEST_CASE(FromSystemd_ListeningSocket_Accepts) {
  const OwnedFd passed = BoundSocket(File("a.sock"), 8);
  const OwnedFd client = Connect(File("a.sock"));
  const int outcome = RunActivated({passed.get()}, [] {
    auto listener = Listener::FromSystemd();
    if (!listener || !*listener || ::getenv("LISTEN_FDS") != nullptr) return 1;
    Listener::Accepted accepted;
    return (*listener)->Accept(accepted) == Listener::AcceptOutcome::kAccepted &&
                   (*listener)->path().ends_with("/a.sock")
               ? 0
               : 2;
  });
  BOOST_TEST(outcome == 0);
  // systemd owns the path: it outlives the listener.
  BOOST_TEST(fs::exists(File("a.sock")));
}

BOOST_AUTO_TEST_CASE(FromSystemd_NotAListeningSocket_IsAnError) {
  const OwnedFd passed = BoundSocket(File("a.sock"), 0);
  BOOST_TEST(RunActivated({passed.get()}, [] { return Listener::FromSystemd() ? 1 : 0; }) == 0);
}

BOOST_AUTO_TEST_CASE(FromSystemd_TwoSockets_IsAnError) {
  const OwnedFd one = BoundSocket(File("a.sock"), 8);
  const OwnedFd two = BoundSocket(File("b.sock"), 8);
  BOOST_TEST(RunActivated({one.get(), two.get()}, [] { return Listener::FromSystemd() ? 1 : 0; }) ==
             0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
