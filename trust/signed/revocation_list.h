// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "trust/base/time.h"
#include "trust/signed/certificate.h"
#include "trust/signed/signature_error.h"

namespace crivet::trust {

/// RevocationList is a complete list of the certificates that one authority has taken back (RFC
/// 5280 5). Nothing of it is verified by parsing. Immutable, cheap to copy, safe to share between
/// threads.
class RevocationList {
 public:
  static constexpr std::size_t kMaxSize = 4 * 1024 * 1024;

  /// Parse reads one list, PEM or DER. kMalformed for anything else; for one without an end; for
  /// one whose signature is over SHA-1 or weaker; and for one that may be a part of a list, or be
  /// about certificates of somebody else: with a critical extension, or one of those that say so.
  static SignatureResult<RevocationList> Parse(std::string_view bytes);

  /// Whether that authority made it: its name, its key, and that it may (RFC 5280 6.3.3 (f)).
  bool IsOf(const Certificate& authority) const;
  /// Whether the list has that certificate. Precondition: it is of the certificate's issuer.
  bool Has(const Certificate& certificate) const;

  TimePoint this_update() const;
  TimePoint next_update() const;
  /// For people: whose it says it is.
  const std::string& issuer() const;
  /// Of the list as it is in DER.
  const Sha256& sha256() const;

 private:
  struct State;
  explicit RevocationList(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace crivet::trust
