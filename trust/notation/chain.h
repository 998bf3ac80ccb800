// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "trust/base/time.h"
#include "trust/notation/chain_memory.h"
#include "trust/signed/certificate.h"
#include "trust/signed/certificate_path.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust::notation {

/// CheckShape is what the Notary Project wants of an envelope's certificates ("certificate
/// requirements") as far as they say it themselves: leaf first, each issued by the next, the last
/// by itself, nothing else; keys of RSA from 2048 or ECDSA from 256 bits, no SHA-1; the leaf signs
/// and does nothing else; the others are authorities. kUntrustedRoot. Dates are not looked at.
SignatureResult<void> CheckShape(const std::vector<Certificate>& chain);

/// CheckLinks: each is signed by the next, the last by itself. From the last on, so that whoever
/// hangs certificates of his own below a root that is trusted makes us verify one of them. What
/// `known` has seen is not verified again; it may be null. kUntrustedRoot. Precondition:
/// CheckShape.
SignatureResult<void> CheckLinks(const std::vector<Certificate>& chain,
                                 const ChainMemory* known = nullptr);

/// AnchorsIn are the certificates of the chain that are in the store. A leaf that another
/// certificate signed is none: a store names authorities.
CertificateSet AnchorsIn(const std::vector<Certificate>& chain, const CertificateSet& store);

/// LatestBeginning is when the last of them began to be valid.
TimePoint LatestBeginning(const std::vector<Certificate>& chain);

}  // namespace crivet::trust::notation
