#include "proxy/cli/judge_images.h"

#include <algorithm>
#include <set>

#include "proxy/cli/explain.h"
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

/// Every verdict on one image that differs from the others.
class ImageJudge {
 public:
  ImageJudge(const Config& config, trust::TrustService& service, const JudgeOptions& options)
      : config_(config), service_(service), options_(options) {}

  std::vector<Explained> Judge(const std::string& image) const {
    const auto reference = trust::ImageReference::Parse(image);
    // The grammar takes an image ID for a name; nothing that was signed is meant by one.
    if (!reference || trust::IsImageId(image)) return {NotAReference(image, reference)};
    std::vector<Explained> verdicts;
    for (const auto& pod_namespace :
         NamespacesToAsk(*config_.policy, *reference, options_.pod_namespace, Now())) {
      Explained explained = Ask(image, *reference, pod_namespace);
      const bool known =
          std::any_of(verdicts.begin(), verdicts.end(),
                      [&](const Explained& earlier) { return SameVerdict(earlier, explained); });
      if (!known) verdicts.push_back(std::move(explained));
    }
    return verdicts;
  }

 private:
  Explained NotAReference(const std::string& image,
                          const trust::Result<trust::ImageReference>& reference) const {
    Explained explained;
    explained.image = image;
    explained.decision.applied.rule = config_.policy->rules().back();
    explained.decision.verdict =
        trust::Refusal(trust::Reason::kNotAReference,
                       reference ? "an image ID is not a name" : reference.error().detail);
    return explained;
  }

  Explained Ask(const std::string& image, const trust::ImageReference& reference,
                const trust::PodNamespace& pod_namespace) const {
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
                             .reach = options_.reach};
    explained.decision = service_.DecideNow(std::move(question));
    if (const auto& id = explained.decision.applied.repository) explained.view = service_.View(*id);
    return explained;
  }

  const Config& config_;
  trust::TrustService& service_;
  const JudgeOptions& options_;
};

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
  const ImageJudge judge(*config, *service, options);
  Exit worst = Exit::kDone;
  for (const std::string& image : options.images) {
    const auto verdicts = judge.Judge(image);
    Exit exit = Exit::kDone;
    for (const Explained& explained : verdicts) exit = Worst(exit, ExitOf(explained.decision));
    exit = options.output == Output::kJson ? PrintJson(verdicts, exit)
                                           : PrintForPeople(verdicts, exit);
    worst = Worst(worst, exit);
  }
  return worst;
}

}  // namespace crivet::proxy::cli
