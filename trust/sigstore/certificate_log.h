// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"
#include "trust/sigstore/trusted_root.h"

namespace crivet::trust::sigstore {

/// CountLogged is how many of the logs vouch that they have the certificate: each with a timestamp
/// embedded in it (RFC 6962 3.3) whose signature verifies over the certificate as it was before
/// they were embedded, and whose time lies within the log's own. Timestamps of logs that are not
/// known, and damaged ones, count for nothing. kUntrustedRoot where the list itself cannot be read.
SignatureResult<std::size_t> CountLogged(const Certificate& certificate, const Certificate& issuer,
                                         const std::vector<Log>& logs);

}  // namespace crivet::trust::sigstore
