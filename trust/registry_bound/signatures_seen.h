// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trust/decide/kind.h"
#include "trust/registry_bound/signature_dialect.h"

namespace crivet::trust::registry_bound {

/// SignaturesSeen asks for the signatures of one image in all places where its dialect has them,
/// and shows them: nobody has vouched for any.
class SignaturesSeen final : public Sighting {
 public:
  /// Whom the signatures of an image of that repository name. `trust` is the label of the
  /// `[trust.*]` of the rule to paste.
  using Describe = Result<AnchorText> (*)(const std::vector<SignatureBytes>& signatures,
                                          const Sha256Digest& image, const std::string& repository,
                                          const std::string& trust, TimePoint now);

  /// Precondition: `start.asked`. `dialect` lives as long as the program.
  SignaturesSeen(RefreshStart start, const SignatureDialect& dialect, Describe describe);

  Refresh& refresh() override { return *search_; }
  Result<AnchorText> Text(const std::string& trust, TimePoint now) override;

 private:
  struct Seen;
  const Describe describe_;
  const std::string repository_;
  const std::shared_ptr<Seen> seen_;
  std::unique_ptr<Refresh> search_;
};

}  // namespace crivet::trust::registry_bound
