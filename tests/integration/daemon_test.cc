// SPDX-License-Identifier: Apache-2.0

// The real program between a client and a runtime of ours: start, reload, stop, and being killed.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "proxy/runtime/map_entries.h"
#include "runtime/v1/api.pb.h"
#include "tests/support/daemon/daemon_process.h"
#include "tests/support/road/fake_runtime.h"
#include "tests/support/road/grpc_caller.h"

namespace crivet::proxy::testing {
namespace {

namespace cri = ::runtime::v1;
using std::chrono::milliseconds;

constexpr char kImageFsInfo[] = "/runtime.v1.ImageService/ImageFsInfo";
constexpr char kPullImage[] = "/runtime.v1.ImageService/PullImage";
constexpr char kVersion[] = "/runtime.v1.RuntimeService/Version";
constexpr int kUnknown = 2;
constexpr int kUnimplemented = 12;
constexpr int kUnavailable = 14;

/// A door that one side waits at and the other opens.
class Latch {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

struct Node {
  Node() : runtime(folder.File("runtime.sock")) {
    runtime.On(kPullImage, [](FakeCall& call) {
      call.Read();
      cri::PullImageResponse response;
      response.set_image_ref("sha256:" + std::string(64, '1'));
      call.Write(response.SerializeAsString());
      return CallStatus{};
    });
    runtime.On(kVersion, [](FakeCall& call) {
      call.Read();
      cri::VersionResponse response;
      response.set_runtime_name("fake");
      response.set_runtime_version("1.2.3");
      call.Write(response.SerializeAsString());
      return CallStatus{};
    });
  }

  std::string ConfigWith(const std::string& action, const std::string& head = "",
                         const std::string& tail = "") const {
    return "listen = \"" + folder.File("crivet.sock") + "\"\nupstream = \"" +
           folder.File("runtime.sock") + "\"\nstate_dir = \"" + folder.File("state") +
           "\"\nadmin = \"" + folder.File("admin.sock") + "\"\n" + head + "[default]\naction = \"" +
           action + "\"\n[log]\naudit = \"" + folder.File("audit.jsonl") + "\"\n" + tail;
  }

  void Configure(const std::string& text) const { folder.Write("config.toml", text); }

  GrpcCaller Caller() const { return GrpcCaller(folder.File("crivet.sock")); }

  TestFolder folder;
  FakeRuntime runtime;
};

GrpcCaller::Answer Pull(GrpcCaller& caller) {
  cri::PullImageRequest request;
  request.mutable_image()->set_image("registry.example/web:1");
  return caller.Unary(kPullImage, request.SerializeAsString());
}

/// A TCP port that accepts and never answers.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(where);
    BOOST_REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&where), size) == 0);
    BOOST_REQUIRE(listen(fd_.get(), 16) == 0);
    BOOST_REQUIRE(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&where), &size) == 0);
    port_ = ntohs(where.sin_port);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  OwnedFd fd_;
  std::uint16_t port_ = 0;
};

long PeakKilobytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return -1;
}

OwnedFd ListenAt(const std::string& path) {
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strncpy(where.sun_path, path.c_str(), sizeof(where.sun_path) - 1);
  BOOST_REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0);
  BOOST_REQUIRE(listen(fd.get(), 64) == 0);
  return fd;
}

BOOST_FIXTURE_TEST_SUITE(DaemonTest, Node)

// kubelet exits at its start if ImageFsInfo is not answered.
BOOST_AUTO_TEST_CASE(Start_WithATrustServerThatHangs_AnswersImageFsInfoAtOnce) {
  const SilentServer silent;
  Configure(ConfigWith("deny", "",
                       "[trust.a]\nkind = \"notary\"\nurl = \"" + silent.url() +
                           "\"\nauth = \"none\"\ntimeout = \"2s\"\n"
                           "[[rule]]\nimages = [\"registry.example/**\"]\naction = \"verify\"\n"
                           "trust = \"a\"\nroot = { tofu = true }\n"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  auto pulling = std::async(std::launch::async, [&] {
    auto other = Caller();
    return Pull(other);
  });
  BOOST_TEST(caller.Unary(kImageFsInfo, "").status.code == 0);
  // The gated call waits for its own repository, at most `timeout`, and is then refused.
  const auto pulled = pulling.get();
  BOOST_TEST(pulled.status.code == kUnknown);
  BOOST_TEST(pulled.status.message.starts_with("RegistryUnavailable: registry.example/web:1: "));
}

BOOST_AUTO_TEST_CASE(Sighup_GoodFile_IsTakenWhole) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  BOOST_TEST(Pull(caller).status.message ==
             "SignatureValidationFailed: registry.example/web:1: refused by the default [default, "
             "denied]");
  Configure(ConfigWith("allow"));
  daemon.Signal(SIGHUP);
  daemon.WaitFor("RELOADING=1");
  daemon.WaitFor("READY=1");
  BOOST_TEST(Pull(caller).status.code == 0);
  BOOST_TEST(folder.Read("stderr.txt").find("took the new configuration") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Sighup_BadFile_KeepsTheOldOneAndSaysWhich) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  Configure(ConfigWith("allow", "listne = 1\n"));
  daemon.Signal(SIGHUP);
  const std::string said = daemon.WaitFor("STATUS=");
  BOOST_TEST(said == "STATUS=Kept the old configuration: " + folder.File("config.toml") +
                         ":5:1: unknown key \"listne\" (did you mean \"listen\"?)");
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  BOOST_TEST(Pull(caller).status.code == kUnknown);
}

BOOST_AUTO_TEST_CASE(Sighup_WithASettingThatNeedsARestart_KeepsTheOldOneWhole) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  std::string next = ConfigWith("allow");
  next.replace(next.find("runtime.sock"), 12, "another.sock");
  Configure(next);
  daemon.Signal(SIGHUP);
  BOOST_TEST(daemon.WaitFor("STATUS=").find("\"upstream\" has changed") != std::string::npos);
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  BOOST_TEST(Pull(caller).status.code == kUnknown);
}

BOOST_AUTO_TEST_CASE(Reload_GoodFile_IsInForceWhenTheCommandEnds) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  for (const char* action : {"allow", "deny", "allow"}) {
    Configure(ConfigWith(action));
    const auto result = RunOnce(folder, {"reload", "--config", folder.File("config.toml")});
    BOOST_TEST(result.exit_status == 0);
    BOOST_TEST(result.out == "the daemon took the new configuration\n");
    BOOST_TEST((Pull(caller).status.code == 0) == (action == std::string("allow")));
  }
}

BOOST_AUTO_TEST_CASE(Reload_BadFile_Ends78WithEveryReason) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  Configure(ConfigWith("allow", "listne = 1\ndrian = 2\n"));
  const std::string file = folder.File("config.toml");
  const auto result = RunOnce(folder, {"reload", "--config", file});
  BOOST_TEST(result.exit_status == 78);
  BOOST_TEST(result.out.empty());
  BOOST_TEST(result.err == file + ":5:1: unknown key \"listne\" (did you mean \"listen\"?)\n" +
                               file +
                               ":6:1: unknown key \"drian\" (did you mean \"drain\"?)\n"
                               "crivet: the daemon kept the old configuration\n");
  auto caller = Caller();
  BOOST_TEST(Pull(caller).status.code == kUnknown);
}

// The admin socket stays where it was, and the file no longer says where that is.
BOOST_AUTO_TEST_CASE(Reload_FileThatIsNoToml_ReachesTheDaemonByASignal) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  Configure("admin = ");
  std::vector<std::string> command = {"reload", "--config", folder.File("config.toml")};
  BOOST_TEST(RunOnce(folder, command).exit_status == 2);
  command.insert(command.end(), {"--pid", std::to_string(daemon.pid())});
  const auto result = RunOnce(folder, command);
  BOOST_TEST(result.exit_status == 2);
  BOOST_TEST(result.err.find("by a signal") != std::string::npos);
  BOOST_TEST(daemon.WaitFor("STATUS=").find("Kept the old configuration") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(Sigterm_LetsAnAcceptedCallEnd) {
  Latch arrived;
  Latch release;
  runtime.On(kImageFsInfo, [&](FakeCall& call) {
    call.Read();
    arrived.Open();
    release.Wait();
    call.Write("late");
    return CallStatus{};
  });
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto calling = std::async(std::launch::async, [&] {
    auto caller = Caller();
    return caller.Unary(kImageFsInfo, "");
  });
  arrived.Wait();
  daemon.Signal(SIGTERM);
  daemon.WaitFor("STOPPING=1");
  release.Open();
  const auto answer = calling.get();
  BOOST_TEST(answer.status.code == 0);
  BOOST_TEST(answer.message == "late");
  BOOST_TEST(daemon.WaitForEnd() == 0);
}

BOOST_AUTO_TEST_CASE(Sigterm_CallThatOutlastsDrain_EndsUnavailable) {
  Latch arrived;
  runtime.On(kImageFsInfo, [&](FakeCall& call) {
    arrived.Open();
    call.WaitCancelled(std::chrono::seconds{30});
    return CallStatus{};
  });
  Configure(ConfigWith("deny", "drain = \"100ms\"\n"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto calling = std::async(std::launch::async, [&] {
    auto caller = Caller();
    return caller.Unary(kImageFsInfo, "");
  });
  arrived.Wait();
  daemon.Signal(SIGTERM);
  BOOST_TEST(calling.get().status.code == kUnavailable);
  BOOST_TEST(daemon.WaitForEnd() == 0);
}

BOOST_AUTO_TEST_CASE(Sigterm_Twice_EndsAtOnce) {
  Latch arrived;
  runtime.On(kImageFsInfo, [&](FakeCall& call) {
    arrived.Open();
    call.WaitCancelled(std::chrono::seconds{30});
    return CallStatus{};
  });
  Configure(ConfigWith("deny", "drain = \"10m\"\n"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto calling = std::async(std::launch::async, [&] {
    auto caller = Caller();
    return caller.Unary(kImageFsInfo, "");
  });
  arrived.Wait();
  daemon.Signal(SIGTERM);
  daemon.WaitFor("STOPPING=1");
  daemon.Signal(SIGTERM);
  BOOST_TEST(calling.get().status.code == kUnavailable);
  BOOST_TEST(daemon.WaitForEnd() == 0);
}

// systemd keeps the socket: whoever connects between two lives waits and is answered.
BOOST_AUTO_TEST_CASE(KilledTwentyTimes_EveryFirstCallIsAnswered) {
  Configure(ConfigWith("deny"));
  const std::string path = folder.File("handed.sock");
  const OwnedFd listening = ListenAt(path);
  for (int life = 0; life < 20; ++life) {
    GrpcCaller caller(path);
    auto calling =
        std::async(std::launch::async, [&] { return caller.Unary(kImageFsInfo, "").status; });
    DaemonProcess daemon(folder, {.listening_fd = listening.get()});
    const CallStatus status = calling.get();
    BOOST_TEST(status.code == 0, status.message);
    daemon.Signal(SIGKILL);
    BOOST_TEST(daemon.WaitForEnd() == 128 + SIGKILL);
  }
  BOOST_TEST(access(path.c_str(), F_OK) == 0);
}

BOOST_AUTO_TEST_CASE(HandedSocketThatIsTheRuntimes_IsRefused) {
  const std::string path = folder.File("handed.sock");
  const OwnedFd listening = ListenAt(path);
  std::string config = ConfigWith("deny");
  config.replace(config.find("runtime.sock"), 12, "handed.sock");
  Configure(config);
  DaemonProcess daemon(folder, {.listening_fd = listening.get()});
  BOOST_TEST(daemon.WaitForEnd() == 70);
  BOOST_TEST(folder.Read("stderr.txt").find("crivet would call itself") != std::string::npos);
}

// The file goes on naming the path that crivet took, and a reload reads it again.
BOOST_AUTO_TEST_CASE(InPlace_CallsTheMovedRuntime_AlsoAfterAReload) {
  const std::string taken = folder.File("taken.sock");
  const OwnedFd listening = ListenAt(taken);
  const auto config_of = [&](const std::string& action) {
    std::string config = ConfigWith(action);
    config.replace(config.find("runtime.sock"), 12, "taken.sock");
    return config;
  };
  Configure(config_of("deny"));
  DaemonProcess daemon(
      folder, {.listening_fd = listening.get(), .moved_upstream = folder.File("runtime.sock")});
  daemon.WaitFor("READY=1");
  GrpcCaller caller(taken);
  BOOST_TEST(caller.Unary(kVersion, "").status.code == 0);
  BOOST_TEST(Pull(caller).status.code == kUnknown);
  Configure(config_of("allow"));
  daemon.Signal(SIGHUP);
  daemon.WaitFor("RELOADING=1");
  daemon.WaitFor("READY=1");
  BOOST_TEST(caller.Unary(kVersion, "").status.code == 0);
  BOOST_TEST(Pull(caller).status.code == 0);
}

// cAdvisor's calls go through, the ones that write do not.
BOOST_AUTO_TEST_CASE(InPlace_ContainerdsOwnApi_MayBeRead) {
  const std::string taken = folder.File("taken.sock");
  const OwnedFd listening = ListenAt(taken);
  runtime.On("/containerd.services.containers.v1.Containers/List", [](FakeCall& call) {
    call.Read();
    call.Write("containers");
    return CallStatus{};
  });
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(
      folder, {.listening_fd = listening.get(), .moved_upstream = folder.File("runtime.sock")});
  daemon.WaitFor("READY=1");
  GrpcCaller caller(taken);
  const auto listed = caller.Unary("/containerd.services.containers.v1.Containers/List", "");
  BOOST_TEST(listed.status.code == 0);
  BOOST_TEST(listed.message == "containers");
  BOOST_TEST(caller.Unary("/containerd.services.containers.v1.Containers/Create", "").status.code ==
             kUnimplemented);
}

BOOST_AUTO_TEST_CASE(InPlace_OfTheRuntimesOwnPath_IsRefused) {
  const std::string path = folder.File("handed.sock");
  const OwnedFd listening = ListenAt(path);
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {.listening_fd = listening.get(), .moved_upstream = path});
  BOOST_TEST(daemon.WaitForEnd() == 70);
  BOOST_TEST(folder.Read("stderr.txt").find("crivet would call itself") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(InPlace_WithoutASocketFromSystemd_IsRefused) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {.moved_upstream = folder.File("runtime.sock")});
  BOOST_TEST(daemon.WaitForEnd() == 70);
  BOOST_TEST(folder.Read("stderr.txt").find("systemd handed over none") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(BadConfiguration_EndsWith78) {
  Configure("[default]\n");
  DaemonProcess daemon(folder, {});
  BOOST_TEST(daemon.WaitForEnd() == 78);
}

BOOST_AUTO_TEST_CASE(BadConfiguration_OfAnotherStart_FallsBackToTheLastOneThatWasRight) {
  Configure(ConfigWith("deny"));
  {
    DaemonProcess daemon(folder, {});
    daemon.WaitFor("READY=1");
    daemon.Signal(SIGTERM);
    BOOST_TEST(daemon.WaitForEnd() == 0);
  }
  Configure(ConfigWith("allow", "listne = 1\n"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  BOOST_TEST(daemon.WaitFor("STATUS=").starts_with(
      "STATUS=In force is the last configuration that was right: " + folder.File("config.toml") +
      ":5:1: unknown key"));
  auto caller = Caller();
  BOOST_TEST(Pull(caller).status.code == kUnknown);
  const auto shown = RunOnce(folder, {"status", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.exit_status == 1);
  BOOST_TEST(shown.out.find("DEGRADED: the newest configuration was not taken:") !=
             std::string::npos);
  BOOST_TEST(folder.Read("stderr.txt").find("the last one that was right is in force") !=
             std::string::npos);
  Configure(ConfigWith("allow"));
  daemon.Signal(SIGHUP);
  daemon.WaitFor("READY=1");
  BOOST_TEST(Pull(caller).status.code == 0);
}

BOOST_AUTO_TEST_CASE(Watchdog_HearsOfARoadAndAGateThatAnswer) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {.watchdog = std::chrono::milliseconds{400}});
  daemon.WaitFor("READY=1");
  for (int i = 0; i < 3; ++i) daemon.WaitFor("WATCHDOG=1");
  daemon.Signal(SIGTERM);
  BOOST_TEST(daemon.WaitForEnd() == 0);
}

BOOST_AUTO_TEST_CASE(Status_ShowsRuntimeRulesAndWhatIsDegraded) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  auto caller = Caller();
  Pull(caller);
  struct stat admin {};
  BOOST_REQUIRE(stat(folder.File("admin.sock").c_str(), &admin) == 0);
  BOOST_TEST((admin.st_mode & 0777) == 0600U);
  const auto shown = RunOnce(folder, {"status", "--json", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.exit_status == 1);
  const auto status = nlohmann::json::parse(shown.out);
  BOOST_TEST(status.at("upstream").at("name") == "fake");
  BOOST_TEST(status.at("upstream").at("version") == "1.2.3");
  BOOST_TEST(status.at("rules").back().at("denied") == 1);
  BOOST_TEST(status.at("calls").at("/runtime.v1.ImageService/PullImage") == 1);
  const auto text = RunOnce(folder, {"status", "--config", folder.File("config.toml")});
  BOOST_TEST(text.exit_status == 1);
  BOOST_TEST(text.out.starts_with("DEGRADED: "));
  BOOST_TEST(text.err == "");
}

// A few kilobytes that gRPC would make 64 MiB of before it asks how long they are.
BOOST_AUTO_TEST_CASE(Status_AskedInCompressedBytes_IsRefusedUnread) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  GrpcCaller caller(folder.File("admin.sock"));
  BOOST_TEST(caller.Unary("/crivet.admin.v1.Admin/Status", "").status.code == 0);
  const long before = PeakKilobytes(daemon.pid());
  const auto answer = caller.Unary("/crivet.admin.v1.Admin/Status", std::string(64 << 20, '\0'),
                                   {.compression = CallOptions::Compression::kGzip});
  BOOST_TEST(answer.status.code == kUnimplemented);
  BOOST_TEST(PeakKilobytes(daemon.pid()) - before < 20 << 10);
  const auto shown = RunOnce(folder, {"status", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.out.starts_with("DEGRADED: "));
}

BOOST_AUTO_TEST_CASE(Status_WithoutADaemon_Ends2) {
  Configure(ConfigWith("deny"));
  const auto shown = RunOnce(folder, {"status", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.exit_status == 2);
  BOOST_TEST(shown.out == "");
  BOOST_TEST(shown.err.find("the daemon does not answer at") != std::string::npos);
}

// The moment when it is needed most.
BOOST_AUTO_TEST_CASE(Status_WithAWrongFile_StillShowsWhatTheDaemonRunsWith) {
  Configure(ConfigWith("deny"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  Configure(ConfigWith("deny", "listne = 1\n"));
  daemon.Signal(SIGHUP);
  daemon.WaitFor("STATUS=");
  daemon.WaitFor("READY=1");
  const auto shown = RunOnce(folder, {"status", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.exit_status == 1);
  BOOST_TEST(shown.out.find("DEGRADED: the newest configuration was not taken:") !=
             std::string::npos);
  BOOST_TEST(shown.err.find("unknown key \"listne\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(WouldRefuse_ListsImagesAndContainersThatEnforcingWouldRefuse) {
  const std::string id = "sha256:" + std::string(64, '1');
  const std::string digest = "sha256:" + std::string(64, '2');
  runtime.On("/runtime.v1.ImageService/ListImages", [&](FakeCall& call) {
    call.Read();
    cri::ListImagesResponse response;
    cri::Image& image = *response.add_images();
    image.set_id(id);
    image.add_repo_tags("registry.example/web:1");
    image.add_repo_digests("registry.example/web@" + digest);
    cri::Image& allowed = *response.add_images();
    allowed.set_id("sha256:" + std::string(64, '3'));
    allowed.add_repo_tags("allowed.example/a:1");
    allowed.add_repo_digests("allowed.example/a@sha256:" + std::string(64, '4'));
    call.Write(response.SerializeAsString());
    return CallStatus{};
  });
  runtime.On("/runtime.v1.RuntimeService/ListContainers", [&](FakeCall& call) {
    call.Read();
    cri::ListContainersResponse response;
    cri::Container& container = *response.add_containers();
    container.mutable_metadata()->set_name("main");
    AddEntry(*container.mutable_labels(), "io.kubernetes.pod.namespace", "prod");
    AddEntry(*container.mutable_labels(), "io.kubernetes.pod.name", "web-0");
    container.set_image_ref(id);
    container.mutable_image()->set_image(id);
    container.mutable_image()->set_user_specified_image("registry.example/web:1");
    call.Write(response.SerializeAsString());
    return CallStatus{};
  });
  runtime.On("/containerd.services.images.v1.Images/List", [](FakeCall&) {
    return CallStatus{.code = 12, .message = "unknown service", .details = {}};
  });
  Configure(ConfigWith("deny", "mode = \"audit\"\n",
                       "[[rule]]\nimages = [\"allowed.example/**\"]\naction = \"allow\"\n"));
  DaemonProcess daemon(folder, {});
  daemon.WaitFor("READY=1");
  const auto shown = RunOnce(
      folder, {"status", "--would-refuse", "--json", "--config", folder.File("config.toml")});
  BOOST_TEST(shown.exit_status == 1);
  std::istringstream lines(shown.out);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) {
    const auto one = nlohmann::json::parse(line);
    found.push_back(one.at("image").get<std::string>() + " " +
                    one.at("container").get<std::string>() + " " +
                    one.at("reason").get<std::string>());
  }
  const std::vector<std::string> expected = {
      "registry.example/web:1  denied",
      "registry.example/web@" + digest + "  denied",
      "registry.example/web:1 prod/web-0/main denied",
  };
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::testing
