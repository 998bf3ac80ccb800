// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/signatures_seen.h"

#include <optional>
#include <utility>

#include "trust/registry_bound/signature_demand.h"
#include "trust/registry_bound/signature_search.h"

namespace crivet::trust::registry_bound {

struct SignaturesSeen::Seen {
  std::optional<Sha256Digest> image;
  std::vector<SignatureBytes> signatures;
};

namespace {

// Accepts none, so that the search goes on to the last; and remembers them.
template <typename Seen>
class TakesNone final : public SignatureDemand {
 public:
  explicit TakesNone(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}

  SignatureResult<VerifiedSignature> Verify(const SignatureBytes& signature,
                                            const WantedImage& image,
                                            TimePoint /*at*/) const override {
    seen_->image = image.digest;
    seen_->signatures.push_back(signature);
    return RefuseSignature(SignatureReason::kIdentity, "nobody has said who is to be believed");
  }

 private:
  const std::shared_ptr<Seen> seen_;
};

}  // namespace

SignaturesSeen::SignaturesSeen(RefreshStart start, const SignatureDialect& dialect,
                               Describe describe)
    : describe_(describe),
      repository_(start.asked->reference.repository()),
      seen_(std::make_shared<Seen>()) {
  start.demands = {std::make_shared<const TakesNone<Seen>>(seen_)};
  search_ = std::make_unique<SignatureSearch>(std::move(start), dialect);
}

Result<AnchorText> SignaturesSeen::Text(const std::string& trust, TimePoint now) {
  RefreshOutcome outcome = search_->Finish();
  if (!seen_->signatures.empty()) {
    return describe_(seen_->signatures, *seen_->image, repository_, trust, now);
  }
  if (outcome) return Fail(Reason::kUnsigned, "nothing is signed there");
  return tl::unexpected(std::move(outcome.error().error));
}

}  // namespace crivet::trust::registry_bound
