// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust {

/// FindPath is a path from `leaf` over any of `intermediates` to one of `anchors`, leaf first, as
/// RFC 5280 6.1 wants it at that time: names, signatures, dates, basic constraints, name
/// constraints, no critical extension that is not understood; at most 10 certificates; every key
/// and signature of at least 112 bits of security. An anchor may be an intermediate. What a
/// certificate is for is not looked at: that is the caller's rule. kUntrustedRoot where there is
/// none. Pure, safe from any thread.
SignatureResult<std::vector<Certificate>> FindPath(const Certificate& leaf,
                                                   const std::vector<Certificate>& intermediates,
                                                   const CertificateSet& anchors, TimePoint time);

/// FindPathAlong is FindPath over a chain, leaf first, of which the caller has verified that each
/// is signed by the next: where the path goes along it, that is not verified a second time.
/// Precondition: the chain is not empty.
SignatureResult<std::vector<Certificate>> FindPathAlong(const std::vector<Certificate>& chain,
                                                        const CertificateSet& anchors,
                                                        TimePoint time);

}  // namespace crivet::trust
