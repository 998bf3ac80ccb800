// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trust/io/http/pull_secret.h"
#include "trust/io/service/question.h"
#include "trust/io/service/service_engine.h"

namespace crivet::trust {

/// Inquiry is one question on its way to its answer: it looks at what memory says, waits for loads
/// and refreshes where that is not enough (trust/RULES.md#freshness), and looks again. It waits for
/// at most one refresh of a repository, and one for the name in it, and no longer than the server's
/// `timeout`, less what the same pull has waited with other secrets; not at all for a server that
/// is silent (ServerSilence). Thread-safe; `done` is called once, without a lock.
class Inquiry final : public OpenQuestion, public std::enable_shared_from_this<Inquiry> {
 public:
  Inquiry(ServiceEngine& engine, Question question, Answered done);

  /// Looks, and answers or waits.
  void Advance();

  void AnswerNow() override;
  /// What is asked of one member changes no answer, and has as long as a refresh may last.
  bool IsAwaited() const override { return !question_.of_member; }

 private:
  enum class Need : std::uint8_t { kNothing, kLoad, kFile, kRefresh, kName };
  enum class Patience : std::uint8_t { kLeft, kSpent };

  /// One member's view of the question.
  struct MemberLook {
    Decision decision;
    Need need = Need::kNothing;
    std::shared_ptr<RepositorySlot> slot;
    std::shared_ptr<const ServerSetup> server;
    SharedCredentials credentials;
    AskedName asked;
    std::string name;  ///< AskedName::Key, of kinds that ask for names
    /// Of kFile: who has the file.
    std::optional<ServiceEngine::Wanted> file = {};
  };
  /// One rule's: its members in order, or the one answer that needs none.
  using Look = std::vector<MemberLook>;

  std::vector<Look> LookAtAll(Patience patience);
  Look LookAt(const AppliedRule& applied, const ServiceSetup& setup, const Result<TimePoint>& now,
              Patience patience);
  MemberLook LookAt(const AppliedRule& applied, std::size_t member, const ServiceSetup& setup,
                    const Result<TimePoint>& believed, Patience patience,
                    const std::optional<Sha256Digest>& named_digest);
  Look LookAtAllOf(const AppliedRule& applied, const ServiceSetup& setup,
                   const Result<TimePoint>& now, Patience patience);
  /// What the members after the one that decided say that a pull's name is, where that is another
  /// digest. Asks nobody.
  std::vector<MemberDigest> Disagreeing(const Decision& decided, const ServiceSetup& setup,
                                        const Result<TimePoint>& now);
  /// What memory knew of one member's collection.
  struct Known {
    RepositorySlot::Seen seen;
    Kind::Asks asks;
    const Result<TimePoint>& now;
    SinceBoot since_boot;
  };
  Known KnowledgeFor(const MemberLook& look, const Member& named, const Result<TimePoint>& now,
                     Patience patience, const std::optional<Sha256Digest>& named_digest);
  Need NeedOf(const MemberLook& look, const Known& known) const;
  Need NeedOfAll(const MemberLook& look, const Known& known) const;
  Need NeedOfName(const MemberLook& look, const Known& known) const;
  std::optional<Decision> AnswerIn(std::vector<Look>& looks) const;
  bool WaitFor(std::vector<Look>& looks);
  bool WaitForChangedFiles();
  bool WaitForRefresh(const MemberLook& look);
  /// Whether it has to wait for a file that the member's demand stands on.
  bool LooksForFile(MemberLook& look, const Member& named, TimePoint now) const;
  bool WaitForFile(const MemberLook& look);
  std::chrono::milliseconds PatienceFor(const MemberLook& look) const;
  const std::string& NameIn(const MemberLook& look) const;
  void NoteWaits(const Decision& decision);
  void Answer(Decision decision);
  void OnEnd();
  /// A collection, and through which trust: what one cannot say, another may.
  using Way = std::pair<CollectionId, std::string>;
  static Way WayOf(const MemberLook& look);
  void OnBrought(const Way& way, const Brought& brought);

  ServiceEngine& engine_;
  const Question question_;
  const PullSecret secret_;
  Answered done_;
  std::atomic<bool> answered_{false};

  std::mutex mutex_;  // one look at a time
  std::set<Way> refreshed_;
  std::set<Way> asked_for_name_;
  /// What came of asking for the name.
  std::map<Way, Brought> brought_;
  /// What it waited for, and since when. A repository keeps who waits for it: not the other way,
  /// too.
  struct Waited {
    std::weak_ptr<RepositorySlot> slot;
    std::string name;
  };
  std::vector<Waited> waited_;
  Timetable::Clock::time_point began_;
  /// Why it does not wait for a repository.
  std::map<Way, std::shared_ptr<const RefreshFailure>> in_vain_;
  bool kept_ = false;
  bool asked_for_files_ = false;
  std::atomic<std::size_t> outstanding_{0};
};

}  // namespace crivet::trust
