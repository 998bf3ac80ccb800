// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>

#include "trust/io/service/timetable.h"

namespace crivet::trust {

/// LaterQuestion is one that nobody waits for.
struct LaterQuestion {
  std::string server;      ///< who is asked
  std::string rule;        ///< which asks
  std::string repository;  ///< of the image, which whoever runs pods chooses
  std::string subject;     ///< what is asked of whom: twice the same is asked once
  /// Asks, and calls its argument when there is an answer.
  std::function<void(std::function<void()> ended)> ask;
};

/// LaterQuestions give way to pulls: one is asked while no pull waits for anything, or once it has
/// waited for kLongestWait. Repositories take turns; a server is asked one at a time. One beyond
/// kMostOfRepository takes the place of that repository's oldest, one beyond kMost that of
/// the oldest of whoever has most. Not thread-safe.
class LaterQuestions {
 public:
  using Time = Timetable::Clock::time_point;
  static constexpr std::size_t kAtOnce = 4;
  static constexpr std::size_t kMostOfRepository = 16;
  static constexpr std::size_t kMost = 1024;
  static constexpr std::chrono::seconds kLongestWait{30};

  void Add(LaterQuestion question, Time now);

  enum class Pulls : std::uint8_t { kNone, kWait };
  /// Takes the next one, whose server has no other until Ended.
  std::optional<LaterQuestion> Next(Pulls pulls, Time now);
  void Ended(const std::string& server);
  /// When Next has one although pulls wait; nullopt where none waits, or an end has to come first.
  std::optional<Time> NextDue() const;

  std::size_t size() const { return size_; }

 private:
  struct Waiting {
    LaterQuestion question;
    Time since;
  };
  /// The questions of one repository under one rule, the oldest first. Never none.
  struct Asker {
    std::string rule;
    std::string repository;
    std::deque<Waiting> waiting;
  };

  bool MayAsk(const Asker& asker) const;
  void MakeRoom();

  std::list<Asker> turns_;
  std::size_t size_ = 0;
  std::set<std::string> asked_;  ///< servers
};

}  // namespace crivet::trust
