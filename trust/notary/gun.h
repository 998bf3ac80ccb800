// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::trust {

/// Gun is the name of a trust collection ("globally unique name"): a repository written out whole,
/// `docker.io/library/alpine`. It never holds `..`, an empty part or a control character, whatever
/// the server or the configuration says.
class Gun {
 public:
  /// Parse is kNotAReference unless the text is a repository's full name, without tag and digest.
  static Result<Gun> Parse(std::string_view text);
  /// Of is the name under which an image is signed where no rule maps it.
  static Gun Of(const ImageReference& reference);

  const std::string& text() const { return text_; }

  friend bool operator==(const Gun&, const Gun&) = default;
  friend auto operator<=>(const Gun&, const Gun&) = default;

 private:
  explicit Gun(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace crivet::trust
