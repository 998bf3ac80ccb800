// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/judge_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <set>

#include "proxy/cli/explain.h"
#include "proxy/cli/held_image.h"
#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/wall_clock.h"

namespace crivet::proxy::cli {
namespace {

/// A namespace that a rule is for: its first glob with the wildcards left out, or filled, until the
/// rule is the one that a pod there would meet.
std::optional<trust::PodNamespace> NamespaceFor(const trust::Policy& policy,
                                                const trust::ImageReference& reference,
                                                const trust::AppliedRule& applied,
                                                trust::TimePoint now) {
  if (applied.rule->namespaces.empty()) return trust::PodNamespace(trust::NoNamespace{});
  for (const std::string& glob : applied.rule->namespaces) {
    for (const std::string_view filler : {"", "x", "0"}) {
      std::string name;
      for (const char c : glob) name += c == '*' ? std::string(filler) : std::string(1, c);
      if (name.empty()) continue;
      if (policy.RuleFor(reference, name, now).rule == applied.rule)
        return trust::PodNamespace(name);
    }
  }
  return std::nullopt;
}

std::vector<trust::PodNamespace> NamespacesToAsk(const trust::Policy& policy,
                                                 const trust::ImageReference& reference,
                                                 const std::string& given, trust::TimePoint now) {
  if (!given.empty()) return {given};
  std::vector<trust::PodNamespace> all;
  for (const auto& applied : policy.RulesFor(reference, now)) {
    if (auto pod_namespace = NamespaceFor(policy, reference, applied, now)) {
      all.push_back(std::move(*pod_namespace));
    }
  }
  // What a call without a namespace gets comes first.
  std::stable_partition(all.begin(), all.end(), [](const trust::PodNamespace& one) {
    return std::holds_alternative<trust::NoNamespace>(one);
  });
  return all;
}

bool SameVerdict(const Explained& a, const Explained& b) {
  return ExitOf(a.decision) == ExitOf(b.decision) && PinnedName(a) == PinnedName(b) &&
         trust::RefusalMessage(a.decision, "") == trust::RefusalMessage(b.decision, "");
}

/// One image while it is asked about: a question for every namespace that makes a difference.
class ImageInQuestion {
 public:
  /// Asks, without waiting. `service` outlives it.
  ImageInQuestion(const Config& config, trust::TrustService& service, const JudgeOptions& options,
                  const std::string& image) {
    const auto reference = trust::ImageReference::Parse(image);
    // The grammar takes an image ID for a name; nothing that was signed is meant by one.
    if (!reference || trust::IsImageId(image)) {
      RefuseAsNoReference(config, image, reference);
      return;
    }
    for (const auto& pod_namespace :
         NamespacesToAsk(*config.policy, *reference, options.pod_namespace, Now())) {
      Ask(service, options, image, *reference, pod_namespace);
    }
  }

  /// Whether every answer is there by then.
  bool AnsweredBy(std::chrono::steady_clock::time_point when) const {
    return std::all_of(asked_.begin(), asked_.end(), [&](const Asked& each) {
      return each.decision.wait_until(when) == std::future_status::ready;
    });
  }

  /// Every verdict that differs from the others, once all are there.
  std::vector<Explained> Verdicts(trust::TrustService& service, const JudgeOptions& options) && {
    // As long as a refresh may last, with the first.
    constexpr int kMoreTimeouts = 9;
    std::vector<Explained> verdicts;
    for (Asked& each : asked_) {
      Explained& explained = each.explained;
      Take(service, each.decision.get(), explained);
      for (int more = 0; more < kMoreTimeouts && options.large_files == LargeFiles::kAwait &&
                         IsUnderWay(explained);
           ++more) {
        Take(service, service.DecideNow(*each.question), explained);
      }
      const bool known =
          std::any_of(verdicts.begin(), verdicts.end(),
                      [&](const Explained& earlier) { return SameVerdict(earlier, explained); });
      if (!known) verdicts.push_back(std::move(explained));
    }
    return verdicts;
  }

 private:
  struct Asked {
    Explained explained;
    std::optional<trust::Question> question;
    std::future<trust::Decision> decision;
  };

  static void Take(trust::TrustService& service, trust::Decision decision, Explained& explained) {
    explained.decision = std::move(decision);
    const trust::Decision& made = explained.decision;
    if (made.member >= made.applied.collections.size()) return;
    if (const auto& id = made.applied.collections[made.member]) explained.view = service.View(*id);
  }

  // Time ran out before the refresh failed: it still goes on.
  static bool IsUnderWay(const Explained& explained) {
    const auto* away = std::get_if<trust::Unavailable>(&explained.decision.verdict);
    return away != nullptr && away->reason == trust::Reason::kUnreachable &&
           !explained.view.failure;
  }

  void RefuseAsNoReference(const Config& config, const std::string& image,
                           const trust::Result<trust::ImageReference>& reference) {
    trust::Decision decision{
        trust::Refusal(trust::Reason::kNotAReference,
                       reference ? "an image ID is not a name" : reference.error().detail),
        {config.policy->rules().back(), {}},
        {}};
    std::promise<trust::Decision> answer;
    answer.set_value(std::move(decision));
    Explained explained;
    explained.image = image;
    asked_.push_back({std::move(explained), std::nullopt, answer.get_future()});
  }

  void Ask(trust::TrustService& service, const JudgeOptions& options, const std::string& image,
           const trust::ImageReference& reference, const trust::PodNamespace& pod_namespace) {
    Explained explained;
    explained.image = image;
    explained.canonical = reference.Canonical();
    if (const auto* name = std::get_if<std::string>(&pod_namespace)) {
      explained.pod_namespace = *name;
    }
    trust::Question question{.reference = reference,
                             .pod_namespace = pod_namespace,
                             .local = std::nullopt,
                             .credentials = std::nullopt,
                             .reach = options.reach};
    auto answer = std::make_shared<std::promise<trust::Decision>>();
    asked_.push_back({std::move(explained), question, answer->get_future()});
    service.Decide(std::move(question),
                   [answer](trust::Decision decision) { answer->set_value(std::move(decision)); });
  }

  std::vector<Asked> asked_;
};

// A refused image stays where it is, and its name does not lead to it any more.
void FindRefused(const Config& config, std::vector<Explained>& verdicts) {
  for (Explained& explained : verdicts) {
    const trust::Rule& rule = *explained.decision.applied.rule;
    if (ExitOf(explained.decision) == Exit::kDone || rule.mode == trust::Mode::kAudit) continue;
    if (!explained.canonical.empty()) explained.held_id = HeldId(config, explained.canonical);
  }
}

// What is waited for, every few seconds, to people.
void AwaitAnswer(const ImageInQuestion& image, const JudgeOptions& options, std::size_t answered) {
  constexpr std::chrono::seconds kPatienceOfPeople{2};
  while (!image.AnsweredBy(std::chrono::steady_clock::now() + kPatienceOfPeople)) {
    if (options.output == Output::kJson) continue;
    PrintToStderr(fmt::format("waiting for trust servers: {} of {} images answered", answered,
                              options.images.size()));
  }
}

Exit PrintForPeople(const std::vector<Explained>& verdicts, Exit worst) {
  std::set<std::string> pinned;
  for (const Explained& explained : verdicts) {
    for (const std::string& line : ExplainToPeople(explained, Now())) PrintToStderr(line);
    pinned.insert(PinnedName(explained));
  }
  // A name that only some pods may run must not end up in a script's hands as if all might.
  if (worst != Exit::kDone) return worst;
  for (const std::string& name : pinned) worst = Worst(worst, PrintToStdout(name));
  return worst;
}

Exit PrintJson(const std::vector<Explained>& verdicts, Exit worst) {
  for (const Explained& explained : verdicts) {
    worst = Worst(worst, PrintToStdout(ExplainAsJson(explained, Now())));
  }
  return worst;
}

}  // namespace

Exit JudgeImages(const JudgeOptions& options) {
  const auto config = ReadConfig(options.config_file);
  if (!config) return Exit::kConfiguration;
  const auto service = OpenTrust(*config);
  if (service == nullptr) return Exit::kInternal;
  Exit worst = Exit::kDone;
  // Side by side, so that each waits for its own server alone; and not all at once, since those
  // that share one take turns there while their time runs.
  constexpr std::size_t kSideBySide = 8;
  std::deque<ImageInQuestion> asked;
  auto next = options.images.begin();
  for (std::size_t answered = 0; answered < options.images.size(); ++answered) {
    for (; next != options.images.end() && asked.size() < kSideBySide; ++next) {
      asked.emplace_back(*config, *service, options, *next);
    }
    AwaitAnswer(asked.front(), options, answered);
    auto verdicts = std::move(asked.front()).Verdicts(*service, options);
    asked.pop_front();
    FindRefused(*config, verdicts);
    Exit exit = Exit::kDone;
    for (const Explained& explained : verdicts) exit = Worst(exit, ExitOf(explained.decision));
    exit = options.output == Output::kJson ? PrintJson(verdicts, exit)
                                           : PrintForPeople(verdicts, exit);
    worst = Worst(worst, exit);
  }
  return worst;
}

}  // namespace crivet::proxy::cli
