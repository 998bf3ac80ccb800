// SPDX-License-Identifier: Apache-2.0
#include "trust/decide/file_request.h"

#include <utility>

namespace crivet::trust {

FetchFailure FetchFailure::Network(FetchCause why) {
  const NetworkCause word = WordFor(why);
  return {Kind::kNetwork, word, std::make_shared<const FetchCause>(std::move(why))};
}

}  // namespace crivet::trust
