// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "trust/base/image_reference.h"
#include "trust/base/result.h"

namespace crivet::trust::tuf1 {

/// TargetName makes the name of a target out of an image's name, by a template of the configuration
/// (trust/tuf1/FORMAT.md#names). Two images of one registry never have one target, and a tag never
/// has the target of a digest: `{name}`, or `{path}` and perhaps `{host}/` before it, stands there
/// once, and `{tag}` or `{digest}` is the end. Immutable.
class TargetName {
 public:
  enum class Of : std::uint8_t {
    kTag,     ///< ends with `{tag}`, right after `:` or `/`
    kDigest,  ///< ends with `{digest}`, right after `@`
  };

  /// kMalformed with what is wrong, for people.
  static Result<TargetName> Parse(std::string_view text, Of of);

  /// `end` is a tag, or a digest with its algorithm.
  std::string For(const ImageReference& image, std::string_view end) const;

  /// Whether images of one path on two hosts have one target.
  bool LeavesOutHost() const { return !has_host_; }
  const std::string& text() const { return text_; }

 private:
  TargetName() = default;

  std::string text_;
  bool has_host_ = false;
};

}  // namespace crivet::trust::tuf1
