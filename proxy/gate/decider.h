// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "trust/decide/policy.h"
#include "trust/decide/verdict.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy {

/// Decider is all that the gate knows of trust. Thread-safe; nothing here blocks.
class Decider {
 public:
  virtual ~Decider() = default;

  /// Answers through `done` exactly once, on any thread, also before it returns.
  virtual void Decide(trust::Question question, std::function<void(trust::Decision)> done) = 0;

  /// Remembers an allowed tag, or the tag that has an allowed digest, durably, once the runtime has
  /// the content (trust/RULES.md#records). Does nothing for a decision that verified nothing new.
  virtual void Remember(const trust::ImageReference& reference,
                        const trust::Decision& decision) = 0;

  /// Every rule that could apply to a name under some namespace, now; never empty.
  virtual std::vector<trust::AppliedRule> RulesFor(const trust::ImageReference& reference) = 0;

  /// The rule for what no rule matches, and so for texts that are no reference at all.
  virtual std::shared_ptr<const trust::Rule> DefaultRule() = 0;
};

}  // namespace crivet::proxy
