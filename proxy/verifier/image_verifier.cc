// SPDX-License-Identifier: Apache-2.0
#include "proxy/verifier/image_verifier.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/config/config.h"
#include "proxy/runtime/runtime_client.h"
#include "proxy/steady_deadline.h"

namespace crivet::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kProgram = "crivet-image-verifier";

constexpr int kAllowed = 0;
constexpr int kDenied = 1;
constexpr int kUnavailable = 2;
constexpr int kUsage = 64;

// containerd gives a verifier 10 s, and has only an error to tell of one that takes longer.
constexpr unsigned kEndSeconds = 9;
constexpr milliseconds kAnswerBy{8'500};
// A daemon that is restarted, or upgraded, is back by then.
constexpr milliseconds kConnectBy{5'000};
constexpr milliseconds kDrainBy{2'000};

// Nothing that hangs keeps containerd waiting: it hears a refusal.
void EndInTime() {
  (void)std::signal(SIGALRM, [](int) { _exit(kUnavailable); });
  alarm(kEndSeconds);
}

milliseconds Left(steady_clock::time_point begin, milliseconds limit) {
  const auto gone = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  return std::max(limit - gone, milliseconds{0});
}

// The descriptor says nothing that the arguments do not; a writer must not find the pipe broken.
void DrainStdin(steady_clock::time_point begin) {
  std::array<char, 4096> ignored{};
  for (;;) {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&in, 1, static_cast<int>(Left(begin, kDrainBy).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return;
    const ssize_t got = read(STDIN_FILENO, ignored.data(), ignored.size());
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return;
  }
}

int Answer(int exit, const std::string& line) {
  // Where nobody reads it the exit status says all that matters.
  (void)std::fputs((line + "\n").c_str(), stdout);
  (void)std::fflush(stdout);
  return exit;
}

/// What the configuration says, whatever else may be wrong with it.
struct Settings {
  std::string socket;
  WithoutDaemon without_daemon;
};

int AnswerAlone(const Settings& settings) {
  const std::string why = fmt::format(
      "crivet's daemon does not answer at {} (systemctl status crivet)", settings.socket);
  if (settings.without_daemon == WithoutDaemon::kAllow) {
    return Answer(kAllowed, why + ": allowed unverified, as the configuration says");
  }
  return Answer(kUnavailable, "RegistryUnavailable: " + why);
}

int Ask(const VerifierQuestion& question, const Settings& settings,
        steady_clock::time_point begin) {
  const auto channel = RuntimeChannel(settings.socket);
  if (!channel->WaitForConnected(DeadlineIn(Left(begin, kConnectBy)))) {
    return AnswerAlone(settings);
  }
  admin::v1::MayPullRequest request;
  request.set_name(question.name);
  request.set_digest(question.digest);
  admin::v1::MayPullResponse response;
  auto context = BlockingContext(Left(begin, kAnswerBy));
  context->set_wait_for_ready(false);
  const auto status =
      admin::v1::Admin::NewStub(channel)->MayPull(context.get(), request, &response);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return AnswerAlone(settings);
  if (!status.ok()) {
    return Answer(kUnavailable,
                  fmt::format("RegistryUnavailable: crivet's daemon did not decide about {}: {}",
                              question.name, status.error_message()));
  }
  if (response.verdict() == "allow") return Answer(kAllowed, response.message());
  return Answer(response.verdict() == "deny" ? kDenied : kUnavailable, response.message());
}

}  // namespace

std::optional<VerifierQuestion> ReadVerifierArguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  std::vector<std::string> digests;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view flag = arguments[i];
    if (!flag.starts_with('-')) continue;  // the value of a flag that is passed over
    flag.remove_prefix(flag.starts_with("--") ? 2 : 1);
    const auto equals = flag.find('=');
    std::string value;
    if (equals != std::string_view::npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    } else if (i + 1 < arguments.size()) {
      value = arguments[i + 1];
    }
    if (flag == "name") names.push_back(value);
    if (flag == "digest") digests.push_back(value);
    if ((flag == "name" || flag == "digest") && equals == std::string_view::npos) ++i;
  }
  if (names.size() != 1 || digests.size() != 1 || names[0].empty() || digests[0].empty()) {
    return std::nullopt;
  }
  return VerifierQuestion{std::move(names[0]), std::move(digests[0])};
}

bool IsImageVerifier(std::string_view program) {
  const auto slash = program.rfind('/');
  return program.substr(slash == std::string_view::npos ? 0 : slash + 1) == kProgram;
}

int RunImageVerifier(const std::vector<std::string>& arguments, const std::string& config_file) {
  EndInTime();
  const auto begin = steady_clock::now();
  DrainStdin(begin);
  const auto question = ReadVerifierArguments(arguments);
  if (!question) {
    return Answer(kUsage, fmt::format("{} is for containerd's image-verifier plugin: -name NAME "
                                      "-digest DIGEST",
                                      kProgram));
  }
  return Ask(*question, {AdminSocketOf(config_file), WithoutDaemonOf(config_file)}, begin);
}

}  // namespace crivet::proxy
