// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proxy/gate/decider.h"

namespace crivet::proxy {

/// FakeDecider decides by real rules over a list of what is "signed", so that the gate is tested
/// without metadata. Records behave as the trust service's do: an allowed tag that was remembered
/// stays vouched for until it is withdrawn, and a digest is remembered for the tag that has it.
class FakeDecider : public Decider {
 public:
  enum class Answering { kAtOnce, kOnAnotherThread };

  explicit FakeDecider(Answering answering = Answering::kAtOnce) : answering_(answering) {}
  ~FakeDecider() override;

  /// `pattern` verified against what Sign() says.
  trust::Rule& Verify(const std::string& pattern);
  /// `pattern` verified by what lies in the images' registry, which is away: the content that
  /// VouchFor named counts, under a name that the runtime has it under or that is on record.
  trust::Rule& VerifyByRegistry(const std::string& pattern);
  void VouchFor(const trust::Sha256Digest& content);
  trust::Rule& Allow(const std::string& pattern);
  trust::Rule& Deny(const std::string& pattern);
  trust::Rule& Default() { return fallback_; }

  void Sign(const std::string& name, const trust::Sha256Digest& digest);
  void Withdraw(const std::string& name);
  /// From now on nothing new can be decided; what was remembered still counts.
  void Expire();

  /// Runs before each decision, on the thread that decides.
  void OnDecide(std::function<void(const trust::Question&)> hook);

  std::vector<std::string> Remembered() const;
  std::vector<trust::Question> Asked() const;

  void Decide(trust::Question question, std::function<void(trust::Decision)> done) override;
  void Remember(const trust::ImageReference& reference, const trust::Decision& decision) override;
  std::vector<trust::AppliedRule> RulesFor(const trust::ImageReference& reference) override;
  std::shared_ptr<const trust::Rule> DefaultRule() override;

 private:
  trust::Rule& Add(const std::string& pattern, trust::Action action);
  const trust::Policy& Rules();
  trust::Decision Answer(const trust::Question& question);
  trust::Verdict Judge(const trust::Question& question);
  trust::Verdict JudgeContent(const trust::Question& question);

  Answering answering_;
  mutable std::mutex mutex_;
  std::vector<trust::Rule> rules_;
  trust::Rule fallback_ = [] {
    trust::Rule rule;
    rule.name = "default";
    rule.is_default = true;
    return rule;
  }();
  std::optional<trust::Policy> policy_;
  std::map<std::string, trust::Sha256Digest> signed_;
  std::set<std::pair<std::string, trust::Sha256Digest>> remembered_;
  std::set<trust::Sha256Digest> content_;
  bool expired_ = false;
  std::function<void(const trust::Question&)> hook_;
  std::vector<trust::Question> asked_;
  std::vector<std::thread> threads_;
};

}  // namespace crivet::proxy
