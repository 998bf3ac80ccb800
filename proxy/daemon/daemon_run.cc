// SPDX-License-Identifier: Apache-2.0

// The part of DaemonParts that runs them: signals, reloads, the watchdog.

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <optional>
#include <utility>

#include "proxy/config/config_values.h"
#include "proxy/daemon/daemon_parts.h"
#include "proxy/daemon/reload.h"
#include "proxy/mapped_code.h"

namespace crivet::proxy {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// By then the start, or a reload, has run its code.
constexpr milliseconds kSettled{3000};

// For poll: the shorter of both, -1 is for ever.
int WaitUntil(std::optional<steady_clock::time_point> when, int at_most_ms) {
  if (!when) return at_most_ms;
  const auto left = std::chrono::ceil<milliseconds>(*when - steady_clock::now()).count();
  const int left_ms = static_cast<int>(std::max<decltype(left)>(left, 0));
  return at_most_ms < 0 ? left_ms : std::min(left_ms, at_most_ms);
}

}  // namespace

void DaemonParts::Run() {
  std::uint64_t watchdog_us = 0;
  const bool watched = sd_watchdog_enabled(0, &watchdog_us) > 0;
  const int pause_ms = watched ? static_cast<int>(watchdog_us / 1000 / 2) : -1;
  sd_notify(0, "READY=1");
  TellOfStart();
  auto next_watch = steady_clock::now();
  unmap_code_at_ = steady_clock::now() + kSettled;
  look_at_files_at_ = steady_clock::now();
  while (true) {
    if (watched && steady_clock::now() >= next_watch) {
      Watch();
      next_watch = steady_clock::now() + milliseconds{pause_ms};
    }
    if (unmap_code_at_ && steady_clock::now() >= *unmap_code_at_) {
      UnmapCode();
      unmap_code_at_.reset();
    }
    if (look_at_files_at_ && steady_clock::now() >= *look_at_files_at_) TakeChangedFiles();
    pollfd watched_fds[] = {{signals_.get(), POLLIN, 0},
                            {road_ended_.get(), POLLIN, 0},
                            {admin_->fd(), POLLIN, 0},
                            {named_files_.fd(), POLLIN, 0}};
    const int wait_ms = WaitUntil(look_at_files_at_, WaitUntil(unmap_code_at_, pause_ms));
    if (poll(watched_fds, std::size(watched_fds), wait_ms) < 0 && errno != EINTR) break;
    if (watched_fds[1].revents != 0) break;
    if (watched_fds[2].revents != 0) admin_->Accept();
    if (watched_fds[3].revents != 0) TakeChangedFiles();
    while (HandleSignal()) continue;
  }
  reloads_.Close();
  // Calls in flight may wait for it.
  named_files_.Close();
  road_.join();
  // Calls in flight have ended with the road; what is left is giving pulled images their tags.
  gate_->Shutdown(milliseconds{0});
  log_.Info("crivet has stopped");
}

bool DaemonParts::HandleSignal() {
  signalfd_siginfo signal{};
  if (read(signals_.get(), &signal, sizeof(signal)) != sizeof(signal)) return false;
  if (signal.ssi_signo == SIGHUP) {
    Reload();
    unmap_code_at_ = steady_clock::now() + kSettled;
  } else {
    BeginStop();
  }
  return true;
}

void DaemonParts::BeginStop() {
  const milliseconds drain = stopping_ ? milliseconds{0} : config_->drain;
  if (!stopping_) {
    sd_notify(0, "STOPPING=1");
    log_.Info(fmt::format("stopping: calls in flight get {}", FormatDuration(drain)));
  }
  stopping_ = true;
  reloads_.Close();
  router_->Stop(drain);
}

void DaemonParts::TellOfStart() {
  for (const std::string& why : named_files_.Problems()) {
    log_.Error(fmt::format("a file cannot be used, and what names it answers nothing: {}", why));
    sd_notifyf(0, "STATUS=A file cannot be used: %s", why.c_str());
  }
  if (instead_of_.empty()) {
    Keep();
  } else {
    for (const ConfigError& error : instead_of_) log_.Error(error.ToString());
    log_.Error("the configuration is wrong: the last one that was right is in force");
    sd_notifyf(0, "STATUS=In force is the last configuration that was right: %s",
               instead_of_.front().ToString().c_str());
    const std::lock_guard lock(mutex_);
    config_problem_ = instead_of_.front().ToString();
  }
  instead_of_ = {};
}

void DaemonParts::Keep() {
  const auto kept = KeepTexts(CurrentConfig()->state_dir, texts_);
  if (!kept) {
    log_.Warn(fmt::format("a start with a wrong configuration will not fall back to this one: {}",
                          kept.error().detail));
  }
}

void DaemonParts::Reload() {
  if (stopping_) return;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
             static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
  audit_->Reopen();
  reloads_.Begin();
  auto problems = TakeFile();
  // systemd must know that this is over before whoever asked for it does.
  sd_notify(0, "READY=1");
  reloads_.End(std::move(problems));
}

ReloadOutcomes::Problems DaemonParts::TakeFile() {
  ReloadOutcomes::Problems problems;
  auto texts = ReadConfigTexts(config_file_, place_.root);
  auto next = texts ? ParseConfig(*texts, place_) : tl::unexpected(texts.error());
  if (next) {
    for (const std::string& key : SettingsThatNeedARestart(*config_, *next)) {
      problems.push_back(fmt::format("\"{}\" has changed, which needs a restart", key));
    }
  } else {
    for (const ConfigError& error : next.error()) problems.push_back(error.ToString());
  }
  if (!problems.empty()) return KeepBecause(std::move(problems));
  return Take(std::move(*next), *std::move(texts));
}

ReloadOutcomes::Problems DaemonParts::KeepBecause(ReloadOutcomes::Problems problems) {
  for (const std::string& why : problems) {
    log_.Error(fmt::format("kept the old configuration: {}", why));
  }
  sd_notifyf(0, "STATUS=Kept the old configuration: %s", problems.front().c_str());
  const std::lock_guard lock(mutex_);
  config_problem_ = problems.front();
  return problems;
}

ReloadOutcomes::Problems DaemonParts::Take(Config next, ConfigTexts texts) {
  // The one step that can fail comes first, so that nothing has been taken yet when it does.
  if (next.metrics_listen != config_->metrics_listen) {
    if (auto made = MakeMetrics(next.metrics_listen); !made) {
      // The old address was free a moment ago.
      (void)MakeMetrics(config_->metrics_listen);
      return KeepBecause({made.error().detail});
    }
  }
  named_files_.Watch(std::exchange(next.named_files, {}));
  auto taken = std::make_shared<const Config>(std::move(next));
  log_.SetLevel(taken->log_level);
  trust_->Reconfigure(taken->servers, taken->policy);
  decider_->Reconfigure(taken->policy);
  gate_->Reconfigure(taken->gate);
  {
    const std::lock_guard lock(mutex_);
    config_ = taken;
    config_problem_.clear();
    config_loaded_ = Now();
    router_->SetMethodTable(Methods(*config_));
  }
  local_review_->Again();
  texts_ = std::move(texts);
  look_at_files_at_ = steady_clock::now();
  Keep();
  log_.Info(fmt::format("took the new configuration, {}", config_file_));
  for (const std::string& warning : taken->warnings) log_.Warn(warning);
  sd_notify(0, "STATUS=");
  return {};
}

// proxy/RULES.md#files-that-change
void DaemonParts::TakeChangedFiles() {
  NamedFileWatch::News news = named_files_.Look(texts_);
  if (news.config) {
    const auto before = CurrentConfig();
    const auto taken = std::make_shared<const Config>(std::move(*news.config));
    trust_->Reconfigure(taken->servers, taken->policy);
    decider_->Reconfigure(taken->policy);
    {
      const std::lock_guard lock(mutex_);
      config_ = taken;
    }
    local_review_->Again();
    for (const std::string& path : news.taken)
      log_.Info(fmt::format("took {}, as it is now", path));
    const auto& known = before->warnings;
    for (const std::string& warning : taken->warnings) {
      if (std::find(known.begin(), known.end(), warning) == known.end()) log_.Warn(warning);
    }
    unmap_code_at_ = steady_clock::now() + kSettled;
  }
  for (const std::string& why : news.kept) {
    log_.Error(fmt::format("a file has changed and stays in force as it was: {}", why));
  }
  if (news.config && ConfigProblem().empty()) sd_notify(0, "STATUS=");
  named_files_.Release();
  look_at_files_at_.reset();
  if (named_files_.HasFiles()) look_at_files_at_ = steady_clock::now() + NamedFileWatch::kPeriod;
}

void DaemonParts::Watch() {
  constexpr milliseconds kPatience{2000};
  if (!router_->Ping(kPatience)) {
    log_.Error("the road does not answer: no word to the watchdog");
  } else if (!probe_->Answers(kPatience)) {
    log_.Error("the gate does not answer: no word to the watchdog");
  } else {
    sd_notify(0, "WATCHDOG=1");
  }
}

}  // namespace crivet::proxy
