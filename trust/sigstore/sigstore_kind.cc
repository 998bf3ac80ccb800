// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/sigstore_kind.h"

#include <utility>

#include "trust/registry_bound/registry_bound_kind.h"
#include "trust/sigstore/read_demand.h"
#include "trust/sigstore/sigstore_dialect.h"

namespace crivet::trust {
namespace {

class Sigstore final : public registry_bound::RegistryBoundKind {
 public:
  std::string_view name() const override { return "sigstore"; }

  const std::vector<std::string>& rule_keys() const override {
    return sigstore::SigstoreRuleKeys();
  }
  std::string_view signed_as_key() const override { return sigstore::kSignedAs; }
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
  std::optional<WantedFile> FileOf(const Demand& trust) const override {
    const auto& from = static_cast<const sigstore::SigstoreTrust&>(trust).from;
    if (!from) return std::nullopt;
    return WantedFile{from->trust, from->target, name(), sigstore::CheckTrustedRoot};
  }
  Result<SharedDemand> WithFile(const SharedDemand& trust,
                                const PublishedFile& file) const override {
    return sigstore::WithRoot(static_cast<const sigstore::SigstoreTrust&>(*trust), file);
  }
  std::string WrongFor(const Demand& demand,
                       const std::vector<ImagePattern>& /*images*/) const override {
    return sigstore::WrongForRoot(demand);
  }

  Result<AnchorText> DescribeAnchor(std::string /*file*/, const CollectionId& /*id*/,
                                    const std::string& /*image*/, const std::string& /*trust*/,
                                    TimePoint /*now*/) const override {
    return Fail(Reason::kNoTrustData,
                "nothing says who should have signed: ask the publisher for the public key, and "
                "name its file in the rule's keys, or for the identity that signs, for the rule's "
                "identities");
  }
  std::string HowToSign(std::string_view image) const override {
    return "cosign sign --key cosign.key " + std::string(image);
  }

 private:
  const registry_bound::SignatureDialect& dialect() const override { return sigstore::Dialect(); }
};

}  // namespace

const Kind& SigstoreKind() {
  static const Sigstore kind;
  return kind;
}

}  // namespace crivet::trust
