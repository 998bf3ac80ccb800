// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/refresh.h"

namespace crivet::trust {

std::string AskedName::Key() const {
  std::string key = reference.Canonical();
  // The canonical form leaves out the tag where there is a digest.
  if (reference.digest() && reference.tag()) key += ' ' + *reference.tag();
  if (local) key += " is " + local->ToString();
  if (confirmed_within.count() > 0) {
    key += " within " + std::to_string(confirmed_within.count()) + " s";
  }
  return key;
}

}  // namespace crivet::trust
