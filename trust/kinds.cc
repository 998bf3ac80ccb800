// SPDX-License-Identifier: Apache-2.0
// The only list of kinds.
#include "trust/kinds.h"

#include "trust/notary/notary_kind.h"
#include "trust/notation/notation_kind.h"
#include "trust/sigstore/sigstore_kind.h"
#include "trust/tuf1/tuf_kind.h"

namespace crivet::trust {

const Kinds& AllKinds() {
  static const Kinds kinds = {&NotaryKind(), &TufKind(), &SigstoreKind(), &NotationKind()};
  return kinds;
}

}  // namespace crivet::trust
