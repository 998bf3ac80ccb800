// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "trust/signed/certificate.h"

namespace crivet::trust::notation {

/// ChainMemory keeps authorities of chains that were accepted, decoded, and which of them signed
/// which: the next envelope mostly has the same, and decoding and verifying them again takes longer
/// than all else. What it answers it has seen of these very bytes. Thread-safe.
class ChainMemory {
 public:
  /// Decoded, some 20 KiB each. Beyond that the one that was kept first goes.
  static constexpr std::size_t kMost = 8;

  /// The certificate with that DER, decoded; nothing where it is not kept.
  std::optional<Certificate> Find(std::string_view der) const;
  /// Whether `issuer` is known to have signed `subject`.
  bool Links(const Certificate& subject, const Certificate& issuer) const;
  /// Keeps a chain's authorities. Precondition: each was verified to be signed by the next, the
  /// last by itself, and a signature by the leaf accepted: no stranger fills it.
  void Keep(const std::vector<Certificate>& chain);

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<Certificate, Sha256>> by_issuer_;  ///< with who signed it
};

/// One certificate of an envelope, decoded: what is kept, else what Certificate::FromDer reads.
/// `known` may be null.
Result<Certificate> ReadCertificate(std::string_view der, const ChainMemory* known);

}  // namespace crivet::trust::notation
