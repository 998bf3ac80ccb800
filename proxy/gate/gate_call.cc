// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/gate_call.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "proxy/gate/status_mapping.h"

namespace crivet::proxy {

grpc::Status Judgement::ToStatus() const { return StatusFor(decision, canonical); }

GateCall::GateCall(GateParts& parts, grpc::CallbackServerContext& downstream,
                   std::string_view method, const PeerCredentials& peer,
                   std::shared_ptr<const Config::Gate> settings)
    : parts_(parts),
      downstream_(downstream),
      method_(method),
      peer_(peer),
      settings_(std::move(settings)) {}

void GateCall::SetPod(const cri::PodSandboxConfig& config) {
  const auto& metadata = config.metadata();
  pod_ = PodIdentity{metadata.namespace_(), metadata.name(), metadata.uid()};
  if (!pod_.name_space.empty()) pod_namespace_ = pod_.name_space;
}

Task<Judgement> GateCall::Judge(trust::Question question, std::string written) {
  std::string canonical = question.reference.Canonical();
  const auto local = question.local;
  const auto begin = std::chrono::steady_clock::now();
  trust::Decision decision = co_await AwaitCallback<trust::Decision>(
      [this, &question](std::function<void(trust::Decision)> done) {
        parts_.decider.Decide(std::move(question), std::move(done));
      });
  const auto latency = std::chrono::steady_clock::now() - begin;
  parts_.metrics.Observe(Phase::kDecide, latency);
  Judgement judgement{std::move(written), std::move(canonical), local, latency,
                      std::move(decision)};
  co_return judgement;
}

Task<std::vector<Judgement>> GateCall::JudgeAll(std::vector<trust::Question> questions,
                                                const std::string& written) {
  struct Shared {
    std::mutex mutex;
    std::vector<std::optional<trust::Decision>> decisions;
    std::size_t open = 0;
    std::function<void(Done)> done;
  };
  std::vector<Judgement> judgements;
  if (questions.empty()) co_return judgements;
  const auto begin = std::chrono::steady_clock::now();
  const auto shared = std::make_shared<Shared>();
  shared->decisions.resize(questions.size());
  shared->open = questions.size();
  co_await AwaitCallback<Done>([&](std::function<void(Done)> done) {
    shared->done = std::move(done);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      trust::Question question = questions[i];
      parts_.decider.Decide(std::move(question), [shared, i](trust::Decision decision) {
        std::function<void(Done)> all_done;
        {
          const std::lock_guard lock(shared->mutex);
          shared->decisions[i].emplace(std::move(decision));
          if (--shared->open == 0) all_done = std::move(shared->done);
        }
        if (all_done) all_done(Done{});
      });
    }
  });
  const auto latency = std::chrono::steady_clock::now() - begin;
  parts_.metrics.Observe(Phase::kDecide, latency);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    judgements.push_back(Judgement{written, questions[i].reference.Canonical(), questions[i].local,
                                   latency, std::move(*shared->decisions[i])});
  }
  co_return judgements;
}

Judgement GateCall::JudgeText(std::string written) {
  std::string canonical = written;
  trust::AppliedRule rule{parts_.decider.DefaultRule(), {}};
  trust::Decision decision{
      trust::Refusal(trust::Reason::kNotAReference, "not an image reference"), rule, {}};
  // No rule can be about it, and the runtime has words of its own for it.
  const bool is_nothing = !trust::ImageReference::Parse(canonical);
  if (is_nothing && rule.rule->action == trust::Action::kAllow) decision.verdict = trust::Allow{};
  return Judgement{std::move(written), std::move(canonical), std::nullopt,
                   std::chrono::nanoseconds(0), std::move(decision)};
}

Judgement GateCall::Refuse(Judgement judgement, trust::Reason reason, std::string found) {
  judgement.decision.verdict = trust::Refusal(reason, std::move(found));
  return judgement;
}

void GateCall::Record(const Judgement& judgement, const AuditFacts& facts) {
  parts_.metrics.CountDecision(judgement.decision);
  if (facts.moved.value_or(false)) parts_.metrics.CountMoved();
  AuditEntry entry{.time = std::chrono::system_clock::now(),
                   .method = method_,
                   .reference = judgement.written,
                   .canonical = judgement.canonical,
                   .decision = judgement.decision,
                   .latency = judgement.latency,
                   .pod = pod_,
                   .peer = peer_,
                   .local = judgement.local,
                   .would_pin = facts.would_pin,
                   .moved = facts.moved};
  parts_.audit.Write(entry);
}

void LogUnlessDone(GateCall& call, const trust::Result<void>& forgotten) {
  if (!forgotten) {
    call.parts().log("a name of an image cannot be forgotten: " + forgotten.error().detail);
  }
}

bool OnlyAudited(GateCall& call, const std::optional<trust::ImageReference>& reference) {
  Decider& decider = call.parts().decider;
  if (!reference) return decider.DefaultRule()->mode == trust::Mode::kAudit;
  const auto rules = decider.RulesFor(*reference);
  return std::all_of(rules.begin(), rules.end(),
                     [](const auto& applied) { return applied.rule->mode == trust::Mode::kAudit; });
}

bool IsId(GateCall& call, std::string_view text) {
  if (trust::IsImageId(text)) return true;
  return call.parts().images.translates() && trust::Sha256Digest::FromHex(text).has_value();
}

trust::Result<trust::ImageReference> ReadName(std::string_view text) {
  if (trust::IsImageId(text)) {
    return trust::Fail(trust::Reason::kNotAReference, "an image ID is not a name");
  }
  return trust::ImageReference::Parse(text);
}

}  // namespace crivet::proxy
