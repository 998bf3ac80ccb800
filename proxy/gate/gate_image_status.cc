// SPDX-License-Identifier: Apache-2.0

// ImageStatus: a name is present only if what it holds here is vouched for
// (proxy/RULES.md#imagestatus), so that IfNotPresent, Never and preloaded images are judged like
// pulls.

#include <string>
#include <utility>

#include "proxy/gate/gate_call.h"
#include "proxy/gate/short_id.h"
#include "proxy/runtime/call_context.h"

namespace crivet::proxy {
namespace {

// Asks by what crivet keeps for the name, if it does; an image that is gone takes that with it, and
// what the runtime has under the name counts.
Task<grpc::Status> Forward(GateCall& call, const cri::ImageStatusRequest& request,
                           cri::ImageStatusResponse& response) {
  RuntimeImages& images = call.parts().images;
  const auto kept = images.KeptFor(request.image().image());
  cri::ImageStatusRequest by_kept_name = request;
  if (kept) by_kept_name.mutable_image()->set_image(kept->pinned);
  auto context = RelayContext(call.downstream());
  grpc::Status status =
      co_await call.parts().upstream.ImageStatus(*context, by_kept_name, response);
  if (kept && status.ok() && !response.has_image()) {
    LogUnlessDone(call, images.ForgetKept(*kept));
    context = RelayContext(call.downstream());
    status = co_await call.parts().upstream.ImageStatus(*context, request, response);
  }
  CarryBack(*context, call.downstream());
  if (status.ok() && response.has_image()) {
    co_await images.TranslateTags(call.downstream(), *response.mutable_image());
  }
  co_return status;
}

grpc::Status AnswerAbsent(cri::ImageStatusResponse& response) {
  response.Clear();
  return grpc::Status::OK;
}

// Judges what the runtime holds under the name. The error is its failure to tell.
Task<tl::expected<Judgement, grpc::Status>> JudgePresent(GateCall& call,
                                                         const trust::ImageReference& reference,
                                                         const std::string& written,
                                                         const cri::Image& image) {
  using Result = tl::expected<Judgement, grpc::Status>;
  auto local = co_await call.parts().images.LocalDigests(call.downstream(), reference, image);
  if (!local) co_return Result(tl::unexpect, std::move(local.error()));
  trust::Question question{.reference = reference,
                           .pod_namespace = trust::AnyNamespace{},
                           .local = std::nullopt,
                           .credentials = std::nullopt};
  std::optional<Judgement> refused;
  for (const auto& digest : *local) {
    question.local = digest;
    question.name_here = trust::NameHere::kIsThis;
    trust::Question about = question;
    auto judgement = co_await call.Judge(std::move(about), written);
    if (judgement.allow() != nullptr) co_return Result(std::move(judgement));
    if (!refused) refused.emplace(std::move(judgement));
  }
  if (refused) co_return Result(std::move(*refused));
  auto judgement = co_await call.Judge(std::move(question), written);
  // Content without a SHA-256 cannot be vouched for; an `allow` rule does not ask.
  const auto* allow = judgement.allow();
  if (allow != nullptr && allow->digest) {
    judgement = call.Refuse(std::move(judgement), trust::Reason::kDigestNotSigned,
                            "the runtime does not say which manifest this is");
  }
  co_return Result(std::move(judgement));
}

}  // namespace

Task<grpc::Status> AnswerImageStatus(GateCall& call, const cri::ImageStatusRequest& request,
                                     cri::ImageStatusResponse& response) {
  const std::string& written = request.image().image();
  if (IsId(call, written)) co_return co_await Forward(call, request, response);
  if (LooksLikeShortId(written)) {
    auto whole = co_await WholeId(call, written);
    if (!whole) co_return whole.error();
    if (!whole->empty()) {
      cri::ImageStatusRequest by_id = request;
      by_id.mutable_image()->set_image(*whole);
      co_return co_await Forward(call, by_id, response);
    }
  }
  const auto reference = ReadName(written);
  if (!reference) {
    const Judgement judgement = call.JudgeText(written);
    call.Record(judgement);
    if (judgement.Refuses()) co_return AnswerAbsent(response);
    co_return co_await Forward(call, request, response);
  }

  const bool audit_only = OnlyAudited(call, *reference);
  const std::string canonical = reference->Canonical();
  if (!audit_only && call.parts().absent_once.Take(canonical, AbsentOnce::Clock::now())) {
    co_return AnswerAbsent(response);
  }

  // Never as written: the runtime takes `sha256:3fa9c1` for the beginning of an image ID.
  cri::ImageStatusRequest by_name = request;
  if (!audit_only) by_name.mutable_image()->set_image(canonical);
  grpc::Status status = co_await Forward(call, by_name, response);
  if (!status.ok() || !response.has_image()) co_return status;

  auto judged = co_await JudgePresent(call, *reference, written, response.image());
  if (!judged) co_return audit_only ? status : judged.error();
  call.Record(*judged);
  if (!judged->Refuses()) co_return status;
  if (judged->Denies() && !call.parts().images.translates()) {
    co_await call.parts().own_references.Withdraw(*reference, response.image());
  }
  co_return AnswerAbsent(response);
}

}  // namespace crivet::proxy
