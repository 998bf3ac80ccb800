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

Result<std::set<KeyId>> VerifySignatures(const Envelope& envelope,
                                         const AuthorizedKeys& authorized) {
  std::set<KeyId> signers;
  bool library_failed = false;
  for (const auto& [id, key] : authorized.keys) {
    switch (CheckKey(envelope, key)) {
      case SignatureCheck::kGood:
        signers.insert(id);
        break;
      case SignatureCheck::kLibraryFailure:
        library_failed = true;
        break;
      case SignatureCheck::kBad:
        break;
    }
  }
  // A threshold of nothing is no threshold; no parser lets it through, and neither does this.
  if (authorized.threshold > 0 && authorized.Covers(signers)) return signers;
  if (library_failed) return Fail(Reason::kState, "the crypto library could not check signatures");
  const std::size_t usable = authorized.CountListed() - authorized.unusable.size();
  if (!authorized.unusable.empty() && usable < authorized.threshold) {
    return Fail(Reason::kThreshold,
                std::to_string(authorized.threshold) + " keys have to sign, and of the " +
                    std::to_string(authorized.CountListed()) + " that may, crivet can use " +
                    std::to_string(usable) + ": the others are of kinds that it does not know");
  }
  if (signers.empty())
    return Fail(Reason::kSignature, "no signature by a key of the role verifies");
  return Fail(Reason::kThreshold, "signed by " + std::to_string(authorized.CountDistinct(signers)) +
                                      " of the " + std::to_string(authorized.threshold) +
                                      " keys that have to");
}

}  // namespace crivet::trust
