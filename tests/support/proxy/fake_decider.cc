// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/fake_decider.h"

#include <chrono>
#include <utility>

#include "trust/notary/notary_demand.h"
#include "trust/notary/notary_kind.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::proxy {
namespace {

trust::TimePoint Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

FakeDecider::~FakeDecider() {
  for (auto& thread : threads_) thread.join();
}

trust::Rule& FakeDecider::Add(const std::string& pattern, trust::Action action) {
  trust::Rule rule;
  rule.name = pattern;
  rule.images.push_back(*trust::ImagePattern::Parse(pattern));
  rule.action = action;
  if (action == trust::Action::kVerify) {
    const auto demand = std::make_shared<trust::NotaryDemand>();
    demand->roles = {trust::RoleName::Targets()};
    demand->root.tofu = true;
    rule.members = {{"fake", "https://notary.invalid", &trust::NotaryKind(), demand}};
  }
  rules_.reserve(64);  // references that were handed out stay valid
  policy_.reset();
  return rules_.emplace_back(std::move(rule));
}

trust::Rule& FakeDecider::Verify(const std::string& pattern) {
  return Add(pattern, trust::Action::kVerify);
}
trust::Rule& FakeDecider::VerifyByRegistry(const std::string& pattern) {
  trust::Rule& rule = Add(pattern, trust::Action::kVerify);
  rule.members = {
      {"fake", "", &trust::SigstoreKind(), std::make_shared<trust::sigstore::SigstoreDemand>()}};
  return rule;
}

void FakeDecider::VouchFor(const trust::Sha256Digest& content) {
  std::lock_guard lock(mutex_);
  content_.insert(content);
}

trust::Rule& FakeDecider::Allow(const std::string& pattern) {
  return Add(pattern, trust::Action::kAllow);
}
trust::Rule& FakeDecider::Deny(const std::string& pattern) {
  return Add(pattern, trust::Action::kDeny);
}

void FakeDecider::Sign(const std::string& name, const trust::Sha256Digest& digest) {
  std::lock_guard lock(mutex_);
  signed_.insert_or_assign(name, digest);
}

void FakeDecider::Withdraw(const std::string& name) {
  std::lock_guard lock(mutex_);
  signed_.erase(name);
  std::erase_if(remembered_, [&](const auto& record) { return record.first == name; });
}

void FakeDecider::Expire() {
  std::lock_guard lock(mutex_);
  expired_ = true;
}

void FakeDecider::OnDecide(std::function<void(const trust::Question&)> hook) {
  std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::vector<std::string> FakeDecider::Remembered() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> records;
  for (const auto& [name, digest] : remembered_) records.push_back(name + "=" + digest.ToString());
  return records;
}

std::vector<trust::Question> FakeDecider::Asked() const {
  std::lock_guard lock(mutex_);
  return asked_;
}

const trust::Policy& FakeDecider::Rules() {
  if (!policy_) policy_ = trust::Policy::Create(rules_, fallback_).value();
  return *policy_;
}

void FakeDecider::Decide(trust::Question question, std::function<void(trust::Decision)> done) {
  if (answering_ == Answering::kAtOnce) {
    done(Answer(question));
    return;
  }
  std::thread thread(
      [this, question = std::move(question), done = std::move(done)] { done(Answer(question)); });
  std::lock_guard lock(mutex_);
  threads_.push_back(std::move(thread));
}

trust::Decision FakeDecider::Answer(const trust::Question& question) {
  std::function<void(const trust::Question&)> hook;
  {
    std::lock_guard lock(mutex_);
    hook = hook_;
    asked_.push_back(question);
  }
  if (hook) hook(question);
  std::lock_guard lock(mutex_);
  std::vector<trust::AppliedRule> rules;
  if (std::holds_alternative<trust::AnyNamespace>(question.pod_namespace)) {
    rules = Rules().RulesFor(question.reference, Now());
  } else {
    rules.push_back(Rules().RuleFor(question.reference, question.pod_namespace, Now()));
  }
  std::optional<trust::Decision> refused;
  for (const auto& applied : rules) {
    trust::Verdict verdict;
    switch (applied.rule->action) {
      case trust::Action::kAllow:
        verdict = trust::Allow{};
        break;
      case trust::Action::kDeny:
        verdict = trust::Refusal(trust::Reason::kDenied, "refused by a rule");
        break;
      case trust::Action::kVerify:
        verdict = applied.rule->members.front().kind == &trust::SigstoreKind()
                      ? JudgeContent(question)
                      : Judge(question);
        break;
    }
    trust::Decision decision{std::move(verdict), applied, {}};
    if (std::holds_alternative<trust::Allow>(decision.verdict)) return decision;
    if (!refused) refused = std::move(decision);
  }
  return *refused;
}

trust::Verdict FakeDecider::Judge(const trust::Question& question) {
  const auto& reference = question.reference;
  const std::string name = reference.Canonical();
  const auto known = [&](const trust::Sha256Digest& digest) {
    for (const auto& [tagged, at] : signed_) {
      if (!expired_ && at == digest && tagged.starts_with(reference.repository() + ":"))
        return true;
    }
    for (const auto& [tagged, at] : remembered_) {
      if (at == digest && tagged.starts_with(reference.repository() + ":")) return true;
    }
    return false;
  };
  if (reference.digest()) {
    const bool same = !question.local || *question.local == *reference.digest();
    if (same && known(*reference.digest())) return trust::Allow{*reference.digest()};
    return trust::Refusal(trust::Reason::kDigestNotSigned, "digest is not signed");
  }
  if (question.local && remembered_.contains({name, *question.local})) {
    return trust::Allow{*question.local};
  }
  if (expired_) return trust::Refusal(trust::Reason::kExpired, "trust metadata expired");
  const auto found = signed_.find(name);
  if (found == signed_.end()) {
    return trust::Refusal(trust::Reason::kTagNotSigned, "tag is not signed");
  }
  if (question.local && *question.local != found->second) {
    return trust::Refusal(trust::Reason::kDigestNotSigned, "local content is not what is signed");
  }
  return trust::Allow{found->second};
}

trust::Verdict FakeDecider::JudgeContent(const trust::Question& question) {
  if (!question.local) {
    return trust::Refusal(trust::Reason::kUnreachable, "the registry does not say what the tag is");
  }
  if (!content_.contains(*question.local)) {
    return trust::Refusal(trust::Reason::kUnsigned, "nobody has signed the content");
  }
  const bool is_this = question.name_here == trust::NameHere::kIsThis ||
                       remembered_.contains({question.reference.Canonical(), *question.local});
  if (is_this) return trust::Allow{*question.local};
  return trust::Refusal(trust::Reason::kTagNotSigned, "this node does not have the tag at it");
}

void FakeDecider::Remember(const trust::ImageReference& reference,
                           const trust::Decision& decision) {
  const auto* allow = std::get_if<trust::Allow>(&decision.verdict);
  if (allow == nullptr || !allow->digest) return;
  std::lock_guard lock(mutex_);
  if (!reference.digest()) {
    remembered_.emplace(reference.Canonical(), *allow->digest);
    return;
  }
  for (const auto& [tagged, digest] : signed_) {
    if (!expired_ && digest == *allow->digest && tagged.starts_with(reference.repository() + ":")) {
      remembered_.emplace(tagged, digest);
      return;
    }
  }
}

std::vector<trust::AppliedRule> FakeDecider::RulesFor(const trust::ImageReference& reference) {
  std::lock_guard lock(mutex_);
  return Rules().RulesFor(reference, Now());
}

std::shared_ptr<const trust::Rule> FakeDecider::DefaultRule() {
  std::lock_guard lock(mutex_);
  return Rules().rules().back();
}

}  // namespace crivet::proxy
