// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proxy/runtime/node_inventory.h"
#include "trust/base/result.h"
#include "trust/decide/policy.h"
#include "trust/decide/verdict.h"
#include "trust/io/service/question.h"

namespace crivet::proxy {

/// UnverifiedLocal are names of images on the node that a rule verifies by what lies in the image's
/// registry, and that nothing vouches for.
struct UnverifiedLocal {
  static constexpr std::size_t kNamed = 3;

  std::size_t count = 0;
  std::vector<std::string> first;  ///< at most kNamed of them
  std::set<std::string> trusts;    ///< the labels that the rules of all of them name
};

/// LocalReviewCalls is how a look at the node asks. Each may block, and ends the look by saying
/// nothing, or no.
struct LocalReviewCalls {
  std::function<std::optional<trust::Decision>(trust::Question)> ask;
  std::function<bool()> go_out;    ///< before the first question for which a registry may be asked
  std::function<bool()> next_out;  ///< before each of them
};

/// LookAtLocal asks about each name of an image here that a rule verifies by what lies in the
/// image's registry, by the digest that the name has here: so what nobody has verified yet is asked
/// about before a pod needs it, and what is here counts as in use
/// (trust/registry_bound/RULES.md#evidence). First what this node has answers for all of them,
/// without a pause; a registry is asked about what it does not vouch for, and about nothing else.
/// Where a rule says how long a signature counts that no registry has confirmed, that is asked for
/// once a third of it is over (trust/registry_bound/RULES.md#confirmed).
/// Rules with an end are left out, so that breaking glass ends without an outage. Nothing where it
/// was ended.
std::optional<UnverifiedLocal> LookAtLocal(const NodeInventory& inventory,
                                           const trust::Policy& policy,
                                           const LocalReviewCalls& calls);

/// HowOften is how often that has to be looked at, where `most` is the longest pause. Pure.
std::chrono::seconds HowOften(const trust::Policy& policy, std::chrono::seconds most);

/// LocalReview looks at the node so on a thread of its own: at once after its start and after each
/// Again, and then once an hour, or as often as HowOften says. The first question for a registry
/// waits until some time after the start, and each for a second after the one before, so that a
/// fleet that starts is no storm. Thread-safe.
class LocalReview {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::function<trust::Result<NodeInventory>()> inventory;
    std::function<std::shared_ptr<const trust::Policy>()> policy;
    /// As TrustService::Decide; the answer may come when this object is gone.
    std::function<void(trust::Question, trust::Answered)> decide;
    Clock::duration at_once = std::chrono::seconds{1};
    Clock::duration soon = std::chrono::seconds{20};  ///< before a registry is asked, or again
    Clock::duration every = std::chrono::hours{1};
    Clock::duration between_questions = std::chrono::seconds{1};
  };

  explicit LocalReview(Options options);
  /// Ends a look that is under way.
  ~LocalReview();
  LocalReview(const LocalReview&) = delete;
  LocalReview& operator=(const LocalReview&) = delete;

  /// The rules have changed: looks anew.
  void Again();
  /// Of the last look that came to its end; nothing before.
  std::optional<UnverifiedLocal> last() const;

 private:
  void Run();
  /// Whether it could be looked at.
  bool Look();
  std::optional<trust::Decision> Ask(trust::Question question);
  /// Whether that time passed, and nobody ended it or said Again.
  bool Wait(Clock::duration time);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  bool again_ = false;
  std::optional<UnverifiedLocal> last_;
  Clock::duration every_;  ///< of that thread alone
  std::thread thread_;     // last: it uses all of the above
};

}  // namespace crivet::proxy
