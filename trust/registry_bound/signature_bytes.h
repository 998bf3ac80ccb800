// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::registry_bound {

/// SignatureBytes is one signature of an image as a registry gave it, with what its verdict needs
/// of what came along, in one of its kind's forms. Nothing is verified. Immutable.
class SignatureBytes {
 public:
  /// More than any layer's annotations and content come to.
  static constexpr std::size_t kMaxSize = 4 * 1024 * 1024;

  /// Precondition: the form's word has lower-case letters alone, at least one.
  SignatureBytes(std::string form, std::string bytes)
      : form_(std::move(form)), bytes_(std::move(bytes)), sha256_(Sha256Of(bytes_)) {}

  /// The kind's own word for how the bytes are to be read.
  const std::string& form() const { return form_; }
  const std::string& bytes() const { return bytes_; }
  const Sha256& sha256() const { return sha256_; }

 private:
  std::string form_;
  std::string bytes_;
  Sha256 sha256_;
};

}  // namespace crivet::trust::registry_bound
