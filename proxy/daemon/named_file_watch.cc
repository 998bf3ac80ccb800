// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/named_file_watch.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace crivet::proxy {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kLookAtMostEach{1};

std::string AllOf(const std::vector<ConfigError>& errors) {
  std::string all;
  for (const ConfigError& error : errors) {
    if (!all.empty()) all += "; ";
    all += error.ToString();
  }
  return all;
}

}  // namespace

NamedFileWatch::NamedFileWatch(Place place)
    : place_(std::move(place)), somebody_waits_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void NamedFileWatch::Watch(std::vector<NamedFile> files) {
  const std::lock_guard lock(mutex_);
  files_.clear();
  for (NamedFile& file : files) {
    std::string problem = file.set_aside;
    files_.push_back({std::move(file), std::move(problem)});
  }
  // By another file's content it may be judged otherwise.
  looked_at_ = {};
  may_have_changed_ = false;
}

bool NamedFileWatch::AwaitChange(std::function<void()> then) {
  const std::lock_guard lock(mutex_);
  // Without a way to tell the owner, it looks when it does.
  if (closed_ || !somebody_waits_) return false;
  const auto now = steady_clock::now();
  if (now - looked_at_ >= kLookAtMostEach) {
    looked_at_ = now;
    may_have_changed_ = std::any_of(files_.begin(), files_.end(), [&](const Watched& one) {
      return one.file.MayHaveChanged(place_.root);
    });
  }
  if (!may_have_changed_) return false;
  waiting_.push_back(std::move(then));
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(somebody_waits_.get(), &one, sizeof(one));
  return true;
}

std::vector<std::string> NamedFileWatch::Problems() const {
  std::vector<std::string> problems;
  const std::lock_guard lock(mutex_);
  for (const Watched& one : files_) {
    if (!one.problem.empty()) problems.push_back(one.problem);
  }
  return problems;
}

void NamedFileWatch::Release() {
  std::vector<std::function<void()>> waiting;
  {
    const std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(somebody_waits_.get(), &count, sizeof(count));
    waiting.swap(waiting_);
  }
  for (const auto& then : waiting) then();
}

void NamedFileWatch::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  Release();
}

std::vector<NamedFile> NamedFileWatch::InForceWith(const std::vector<Candidate>& changed) const {
  std::vector<NamedFile> files;
  for (const Watched& one : files_) files.push_back(one.file);
  for (const Candidate& one : changed) files[one.index] = one.file;
  return files;
}

// Under no lock: the owner alone writes.
std::vector<NamedFileWatch::Candidate> NamedFileWatch::ReadChanged(News& news) {
  std::vector<Candidate> changed;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const NamedFile& known = files_[i].file;
    if (!known.MayHaveChanged(place_.root)) continue;
    NamedFiles reader(place_.root);
    const auto content = reader.Read(known.path);
    if (!content) {
      Keep(i, fmt::format("{} {}", known.path, content.error()), news);
      continue;
    }
    NamedFile now = std::move(reader.Take().front());
    if (now.content != known.content || !known.unreadable.empty()) {
      changed.push_back({i, std::move(now)});
      continue;
    }
    const std::lock_guard lock(mutex_);
    files_[i].file.stamp = now.stamp;
    files_[i].problem = known.set_aside;
  }
  return changed;
}

void NamedFileWatch::Keep(std::size_t index, std::string problem, News& news) {
  const std::lock_guard lock(mutex_);
  Watched& one = files_[index];
  one.file.stamp = StampOf(place_.root, one.file.path);
  if (one.problem == problem) return;
  one.problem = std::move(problem);
  news.kept.push_back(one.problem);
}

void NamedFileWatch::Take(const Candidate& changed, News& news) {
  const std::lock_guard lock(mutex_);
  files_[changed.index] = {changed.file, ""};
  news.taken.push_back(changed.file.path);
}

NamedFileWatch::News NamedFileWatch::Look(const ConfigTexts& texts) {
  News news;
  const std::vector<Candidate> changed = ReadChanged(news);
  auto all = changed.empty()
                 ? tl::unexpected(std::vector<ConfigError>())
                 : ParseConfig(texts, place_, InForceWith(changed), Strictness::kRunning);
  if (all) {
    news.config = std::move(*all);
    for (const Candidate& one : changed) Take(one, news);
  } else {
    // A file that is wrong holds none of the others back.
    for (const Candidate& one : changed) {
      auto with = ParseConfig(texts, place_, InForceWith({one}), Strictness::kRunning);
      if (with) {
        news.config = std::move(*with);
        Take(one, news);
      } else {
        Keep(one.index, AllOf(with.error()), news);
      }
    }
  }
  if (news.config) news.config->named_files.clear();
  const std::lock_guard lock(mutex_);
  looked_at_ = steady_clock::now();
  may_have_changed_ = false;
  return news;
}

}  // namespace crivet::proxy
