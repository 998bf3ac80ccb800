// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_kind.h"

#include <utility>

#include "trust/sigstore/read_demand.h"
#include "trust/sigstore/sigstore_refresh.h"

namespace crivet::trust {
namespace {

class Sigstore final : public Kind {
 public:
  std::string_view name() const override { return "sigstore"; }
  Server server() const override { return Server::kImageRegistry; }

  const std::vector<std::string>& rule_keys() const override {
    return sigstore::SigstoreRuleKeys();
  }
  std::string_view signed_as_key() const override { return ""; }
  RuleDemand ReadDemand(KeyReader& keys) const override {
    return sigstore::ReadSigstoreDemand(keys);
  }

  const std::vector<std::string>& trust_keys() const override {
    return sigstore::SigstoreTrustKeys();
  }
  SharedDemand ReadTrust(KeyReader& keys) const override {
    return sigstore::ReadSigstoreTrust(keys);
  }
  SharedDemand Under(const SharedDemand& trust, SharedDemand rule) const override {
    return sigstore::DemandUnder(trust, rule);
  }
  std::string WrongFor(const Demand& demand,
                       const std::vector<ImagePattern>& /*images*/) const override {
    return sigstore::WrongForRoot(demand);
  }

  // Signatures lie in the image's own repository.
  std::optional<std::string> CollectionFor(std::string_view signed_as) const override {
    return ParseName(signed_as);
  }
  bool MayHold(const std::string& name, const ImagePattern& images) const override {
    return images.Matches(name);
  }
  std::optional<std::string> ParseName(std::string_view text) const override {
    const Result<ImageReference> reference = ImageReference::Parse(text);
    if (!reference || reference->tag() || reference->digest() || reference->NamesOtherDigest() ||
        reference->domain().empty() || reference->repository() != text) {
      return std::nullopt;
    }
    return reference->repository();
  }

  std::unique_ptr<Refresh> Begin(RefreshStart start) const override {
    if (start.source == RefreshStart::Source::kStore) {
      return std::make_unique<sigstore::StoredSignatures>(std::move(start));
    }
    return std::make_unique<sigstore::SigstoreRefresh>(std::move(start));
  }
  Asks asks() const override { return Asks::kNames; }
  std::shared_ptr<const TrustedSet> Empty(const CollectionId& id) const override {
    return std::make_shared<const sigstore::SignatureSet>(id);
  }
  bool IsAnchorFile(std::string_view /*stored_as*/) const override { return false; }
  FileRequest AnchorRequest(const CollectionId& /*id*/, const Limits& /*limits*/) const override {
    return {};
  }

  Result<AnchorText> DescribeAnchor(std::string /*file*/, const CollectionId& /*id*/,
                                    const std::string& /*image*/, const std::string& /*trust*/,
                                    TimePoint /*now*/) const override {
    return Fail(Reason::kNoTrustData,
                "a signature names nobody to pin: ask the publisher for the public key, "
                "or for the identity that signs");
  }
  std::string HowToSign(std::string_view image) const override {
    return "cosign sign --key cosign.key " + std::string(image);
  }
  std::string NobodySigns(const Evidence& /*judged*/) const override { return ""; }
};

}  // namespace

const Kind& SigstoreKind() {
  static const Sigstore kind;
  return kind;
}

}  // namespace crivet::trust
