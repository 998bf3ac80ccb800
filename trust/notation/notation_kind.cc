// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/notation_kind.h"

#include <memory>
#include <utility>

#include "trust/notation/chain_text.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/notation_dialect.h"
#include "trust/notation/parse_envelope.h"
#include "trust/notation/read_demand.h"
#include "trust/registry_bound/registry_bound_kind.h"
#include "trust/registry_bound/signatures_seen.h"

namespace crivet::trust {
namespace {

class Notation final : public registry_bound::RegistryBoundKind {
 public:
  std::string_view name() const override { return "notation"; }

  const std::vector<std::string>& rule_keys() const override {
    return notation::NotationRuleKeys();
  }
  RuleDemand ReadDemand(KeyReader& keys) const override {
    return notation::ReadNotationDemand(keys);
  }

  const std::vector<std::string>& trust_keys() const override {
    return notation::NotationTrustKeys();
  }
  SharedDemand ReadTrust(KeyReader& keys) const override {
    return notation::ReadNotationTrust(keys);
  }
  SharedDemand Under(const SharedDemand& trust, SharedDemand rule) const override {
    return notation::DemandUnder(trust, rule);
  }
  std::string WrongFor(const Demand& demand,
                       const std::vector<ImagePattern>& /*images*/) const override {
    return notation::WrongForStores(demand);
  }
  std::vector<LooseSignature> LooseSignatures() const override {
    return {{".jws", notation::kArtifactType, notation::kJwsMediaType},
            {".cose", notation::kArtifactType, notation::kCoseMediaType}};
  }

  Result<AnchorText> DescribeAnchor(std::string /*file*/, const CollectionId& /*id*/,
                                    const std::string& /*image*/, const std::string& /*trust*/,
                                    TimePoint /*now*/) const override {
    return Fail(Reason::kNoTrustData,
                "nothing says who should have signed: ask the publisher for the authority's "
                "certificate, and name its file in ca, and for the subject that signs, for the "
                "rule's identities");
  }
  std::unique_ptr<Sighting> BeginSighting(RefreshStart start) const override {
    return std::make_unique<registry_bound::SignaturesSeen>(std::move(start), dialect(),
                                                            notation::DescribeSigners);
  }
  std::string HowToSign(std::string_view image) const override {
    return "notation sign " + std::string(image);
  }

 private:
  const registry_bound::SignatureDialect& dialect() const override { return notation::Dialect(); }
};

}  // namespace

const Kind& NotationKind() {
  static const Notation kind;
  return kind;
}

}  // namespace crivet::trust
