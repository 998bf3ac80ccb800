// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/chain.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "trust/signed/certificate_usage.h"

namespace crivet::trust::notation {
namespace {

tl::unexpected<SignatureError> Bad(const char* detail) {
  return RefuseSignature(SignatureReason::kUntrustedRoot,
                         std::string("certificate chain: ") + detail);
}

SignatureResult<void> CheckStrength(const Certificate& certificate) {
  constexpr int kMinRsaBits = 2048;
  constexpr int kMinEcdsaBits = 256;
  if (certificate.has_weak_signature()) return Bad("a signature over SHA-1 or weaker");
  switch (certificate.key()) {
    case Certificate::Key::kRsa:
      return certificate.key_bits() >= kMinRsaBits ? SignatureResult<void>()
                                                   : Bad("RSA below 2048 bits");
    case Certificate::Key::kEcdsa:
      return certificate.key_bits() >= kMinEcdsaBits ? SignatureResult<void>()
                                                     : Bad("ECDSA below 256 bits");
    case Certificate::Key::kOther:
      break;
  }
  return Bad("a key that is neither RSA nor ECDSA");
}

SignatureResult<void> CheckLeaf(const Certificate& leaf) {
  const auto usage = UsageOf(leaf);
  if (!usage) return tl::unexpected(usage.error());
  if (leaf.is_ca()) return Bad("the leaf is an authority");
  const auto& key_usage = usage->key_usage;
  if (!key_usage || !key_usage->critical || !key_usage->digital_signature ||
      key_usage->certificate_signing || key_usage->others) {
    return Bad("the leaf's keyUsage is not digitalSignature, critical, and nothing else");
  }
  if (!usage->extended) return {};
  for (const std::string_view purpose :
       {kServerAuth, kClientAuth, kEmailProtection, kTimeStamping, kAnyPurpose}) {
    if (usage->extended->Has(purpose)) return Bad("the leaf is made for something else, too");
  }
  return {};
}

SignatureResult<void> CheckAuthority(const Certificate& certificate) {
  const auto usage = UsageOf(certificate);
  if (!usage) return tl::unexpected(usage.error());
  if (!certificate.is_ca() || !usage->basic_constraints_critical) {
    return Bad("an issuer that is no authority, or does not say so in a critical extension");
  }
  if (!usage->key_usage || !usage->key_usage->critical || !usage->key_usage->certificate_signing) {
    return Bad("an issuer whose keyUsage is not keyCertSign, critical");
  }
  return {};
}

}  // namespace

SignatureResult<void> CheckShape(const std::vector<Certificate>& chain) {
  if (chain.empty()) return Bad("there is none");
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (auto strong = CheckStrength(chain[i]); !strong) return strong;
    auto purpose = i == 0 ? CheckLeaf(chain[i]) : CheckAuthority(chain[i]);
    if (!purpose) return purpose;
    const bool is_root = IsSelfIssued(chain[i]);
    if (i + 1 == chain.size() && !is_root) return Bad("it does not end in a root");
    if (i + 1 < chain.size() && is_root) return Bad("something comes after its root");
  }
  return {};
}

SignatureResult<void> CheckLinks(const std::vector<Certificate>& chain, const ChainMemory* known) {
  for (std::size_t i = chain.size(); i-- > 0;) {
    const bool is_root = i + 1 == chain.size();
    const Certificate& issuer = is_root ? chain[i] : chain[i + 1];
    if (known != nullptr && known->Links(chain[i], issuer)) continue;
    if (!IsSignedBy(chain[i], issuer)) {
      return Bad(is_root ? "its root has not signed itself"
                         : "its order: each is signed by the next");
    }
  }
  return {};
}

CertificateSet AnchorsIn(const std::vector<Certificate>& chain, const CertificateSet& store) {
  std::vector<Certificate> anchors;
  for (std::size_t i = chain.size() == 1 ? 0 : 1; i < chain.size(); ++i) {
    if (store.Contains(chain[i])) anchors.push_back(chain[i]);
  }
  return CertificateSet(std::move(anchors));
}

TimePoint LatestBeginning(const std::vector<Certificate>& chain) {
  TimePoint latest = chain.front().not_before();
  for (const Certificate& certificate : chain) latest = std::max(latest, certificate.not_before());
  return latest;
}

}  // namespace crivet::trust::notation
