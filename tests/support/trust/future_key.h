// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/trust/signing_key.h"

namespace crivet::trust {

/// A key of tomorrow: ML-DSA-65 (FIPS 204), its public half a SubjectPublicKeyInfo in PEM text. Any
/// 1952 bytes are such a public key. Nobody here can verify with it: what it signs is noise.
SigningKey MlDsa65Key();

}  // namespace crivet::trust
