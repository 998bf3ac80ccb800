// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/pinned_pull.h"

#include <chrono>
#include <utility>

#include "proxy/runtime/call_context.h"
#include "trust/base/bytes.h"

namespace crivet::proxy {
namespace {

// A publisher who signs faster than the node pulls would keep us here; the caller tries again.
constexpr int kMaxPulls = 3;

std::optional<trust::RegistryCredentials> CredentialsOf(const cri::PullImageRequest& request) {
  if (!request.has_auth()) return std::nullopt;
  const auto& auth = request.auth();
  trust::RegistryCredentials credentials{auth.username(), auth.password(), auth.identity_token(),
                                         auth.registry_token(), ""};
  if (credentials.username.empty() && !auth.auth().empty()) {
    // As in a docker config.json: base64 of `user:password`.
    const auto pair = trust::FromBase64(auth.auth()).value_or("");
    if (const auto colon = pair.find(':'); colon != std::string::npos) {
      credentials.username = pair.substr(0, colon);
      credentials.password = pair.substr(colon + 1);
      // Docker pads the password with zero bytes.
      while (credentials.password.ends_with('\0')) credentials.password.pop_back();
    }
  }
  if (credentials == trust::RegistryCredentials{}) return std::nullopt;
  // Only now: an address alone is no secret to be asked with.
  credentials.server_address = auth.server_address();
  return credentials;
}

struct TagOutcome {
  grpc::Status status;
  // Set where a newer decision names other content: that is to be pulled instead.
  std::optional<trust::Sha256Digest> newer;
};

// From the runtime's success on this runs to its end whatever the client does. Of two pulls that
// decided differently the newer decision keeps the tag: so it is decided again, under the lock.
Task<TagOutcome> GiveTag(GateCall& call, const trust::ImageReference& reference,
                         const trust::Sha256Digest& digest, const cri::PullImageRequest& request,
                         const cri::PullImageResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string canonical = reference.Canonical();
  auto hold = co_await call.parts().tag_locks.Acquire(canonical);
  auto question = PullQuestion(call, reference, request);
  question.named = digest;
  auto again = co_await call.Judge(std::move(question), request.image().image());
  TagOutcome outcome;
  if (again.Refuses()) {
    call.Record(again);
    outcome.status = again.ToStatus();
    co_return outcome;
  }
  if (const auto* allow = again.allow();
      allow != nullptr && allow->digest.value_or(digest) != digest) {
    outcome.newer = allow->digest;
    co_return outcome;
  }
  outcome.status = co_await call.parts().images.GiveTag(reference, digest, response.image_ref());
  if (outcome.status.ok()) call.parts().decider.Remember(reference, again.decision);
  call.parts().metrics.Observe(Phase::kTag, std::chrono::steady_clock::now() - begin);
  co_return outcome;
}

}  // namespace

trust::Question PullQuestion(GateCall& call, const trust::ImageReference& reference,
                             const cri::PullImageRequest& request) {
  return trust::Question{.reference = reference,
                         .pod_namespace = call.pod_namespace(),
                         .local = std::nullopt,
                         .credentials = CredentialsOf(request)};
}

Task<grpc::Status> Pull(GateCall& call, const cri::PullImageRequest& request,
                        cri::PullImageResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ticket = call.parts().tickets.Hand(request.image().image());
  auto context = RelayContext(call.downstream());
  grpc::Status status = co_await call.parts().upstream.PullImage(*context, request, response);
  call.parts().metrics.Observe(Phase::kUpstream, std::chrono::steady_clock::now() - begin);
  CarryBack(*context, call.downstream());
  co_return status;
}

Task<grpc::Status> PullAs(GateCall& call, const std::string& name,
                          const cri::PullImageRequest& request, cri::PullImageResponse& response) {
  cri::PullImageRequest rewritten = request;
  rewritten.mutable_image()->set_image(name);
  co_return co_await Pull(call, rewritten, response);
}

Task<grpc::Status> PullPinned(GateCall& call, const trust::ImageReference& reference,
                              const Judgement& judgement, const cri::PullImageRequest& request,
                              cri::PullImageResponse& response) {
  trust::Sha256Digest digest = judgement.allow()->digest.value();
  for (int pulls = 0; pulls < kMaxPulls; ++pulls) {
    const std::string pinned = reference.PinnedTo(digest);
    grpc::Status status = co_await PullAs(call, pinned, request, response);
    if (!status.ok()) co_return status;
    if (reference.digest()) {
      // It makes no tag, but must survive that the tag which has the digest moves on.
      call.parts().decider.Remember(reference, judgement.decision);
      co_return status;
    }
    auto outcome = co_await GiveTag(call, reference, digest, request, response);
    if (!outcome.newer) co_return outcome.status;
    digest = *outcome.newer;
  }
  co_return grpc::Status(grpc::UNKNOWN, "RegistryUnavailable: " + reference.Canonical() +
                                            ": the signed digest changes faster than it is pulled");
}

}  // namespace crivet::proxy
