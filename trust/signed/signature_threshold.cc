// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/signature_threshold.h"

#include <string>
#include <utility>

namespace crivet::trust {
namespace {

// The best that any signature of this key on the file comes to.
SignatureCheck CheckKey(const Envelope& envelope, const PublicKey& key) {
  SignatureCheck best = SignatureCheck::kBad;
  for (const Signature& signature : envelope.signatures()) {
    if (signature.key_id != key.id()) continue;
    switch (key.Verify(signature.method, signature.bytes, envelope.signed_bytes())) {
      case SignatureCheck::kGood:
        return SignatureCheck::kGood;
      case SignatureCheck::kLibraryFailure:
        best = SignatureCheck::kLibraryFailure;
        break;
      case SignatureCheck::kBad:
        break;
    }
  }
  return best;
}

}  // namespace

void SignatureCount::Note(const Sha256& spki_sha256, SignatureCheck check) {
  switch (check) {
    case SignatureCheck::kGood:
      signers_.insert(spki_sha256);
      break;
    case SignatureCheck::kLibraryFailure:
      library_failed_ = true;
      break;
    case SignatureCheck::kBad:
      break;
  }
}

Result<void> SignatureCount::Meets(const Role& role) const {
  // A threshold of nothing is no threshold; no parser lets it through, and neither does this.
  if (role.threshold > 0 && signers_.size() >= role.threshold) return {};
  if (library_failed_) return Fail(Reason::kState, "the crypto library could not check signatures");
  if (role.usable < role.listed && role.usable < role.threshold) {
    return Fail(Reason::kThreshold, std::to_string(role.threshold) +
                                        " keys have to sign, and of the " +
                                        std::to_string(role.listed) + " that may, crivet can use " +
                                        std::to_string(role.usable) +
                                        ": the others are of kinds that it does not know");
  }
  if (signers_.empty()) {
    return Fail(Reason::kSignature, "no signature by a key of the role verifies");
  }
  return Fail(Reason::kThreshold, "signed by " + std::to_string(signers_.size()) + " of the " +
                                      std::to_string(role.threshold) + " keys that have to");
}

Result<std::set<KeyId>> VerifySignatures(const Envelope& envelope,
                                         const AuthorizedKeys& authorized) {
  std::set<KeyId> signers;
  SignatureCount count;
  for (const auto& [id, key] : authorized.keys) {
    const SignatureCheck check = CheckKey(envelope, key);
    count.Note(key.spki_sha256(), check);
    if (check == SignatureCheck::kGood) signers.insert(id);
  }
  const std::size_t listed = authorized.CountListed();
  const auto met = count.Meets({.threshold = authorized.threshold,
                                .listed = listed,
                                .usable = listed - authorized.unusable.size()});
  if (!met) return tl::unexpected(met.error());
  return signers;
}

}  // namespace crivet::trust
