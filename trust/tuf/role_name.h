// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/result.h"

namespace crivet::trust {

/// RoleName is one of the four base roles or a delegation below `targets/`: characters `-a-z0-9_/`,
/// no empty part, less than 256 bytes (trust/notary/FORMAT.md#envelopes).
class RoleName {
 public:
  /// Parse is kMalformed for any other text.
  static Result<RoleName> Parse(std::string_view text);
  static RoleName Root() { return RoleName("root"); }
  static RoleName Targets() { return RoleName("targets"); }
  static RoleName Snapshot() { return RoleName("snapshot"); }
  static RoleName Timestamp() { return RoleName("timestamp"); }

  const std::string& text() const { return text_; }
  bool IsDelegation() const;
  /// parent is the role that delegates to this one (`targets/a` for `targets/a/b`); nothing for a
  /// base role.
  std::optional<RoleName> parent() const;

  friend bool operator==(const RoleName&, const RoleName&) = default;
  friend auto operator<=>(const RoleName&, const RoleName&) = default;

 private:
  explicit RoleName(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace crivet::trust
