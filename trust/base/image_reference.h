// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"

namespace crivet::trust {

/// Sha256Digest names an image manifest: `sha256:` and 64 lower-case hex digits, nothing else.
/// A small value; compares by its bytes.
class Sha256Digest {
 public:
  /// FromHex reads the 64 digits alone; anything else is kMalformed.
  static Result<Sha256Digest> FromHex(std::string_view hex);
  /// Parse reads `sha256:` and the 64 digits; anything else is kMalformed.
  static Result<Sha256Digest> Parse(std::string_view text);
  explicit Sha256Digest(const Sha256& bytes) : bytes_(bytes) {}

  const Sha256& bytes() const { return bytes_; }
  /// ToString is the form with `sha256:`.
  std::string ToString() const;

  friend bool operator==(const Sha256Digest&, const Sha256Digest&) = default;
  friend auto operator<=>(const Sha256Digest&, const Sha256Digest&) = default;

 private:
  Sha256 bytes_;
};

/// ImageReference is an image's name as containerd's CRI plugin reads it (distribution/reference
/// v0.6.0, ParseDockerRef), with the familiar short forms written out:
///
///     reference  = [ domain "/" ] component *( "/" component ) [ ":" tag ] [ "@" digest ]
///     domain     = host [ ":" 1*DIGIT ]
///     host       = label *( "." label ) | "[" 1*( HEX | ":" ) "]"
///     label      = ALNUM [ *( ALNUM | "-" ) ALNUM ]
///     component  = 1*LOWER-ALNUM *( separator 1*LOWER-ALNUM )
///     separator  = "." | "_" | "__" | 1*"-"
///     tag        = ( ALNUM | "_" ) *127( ALNUM | "_" | "." | "-" )
///     digest     = "sha256:" 64 HEX | "sha384:" 96 HEX | "sha512:" 128 HEX      (lower case)
///
/// The text before the first `/` is a domain only if it is `localhost`, holds `.` or `:` or an
/// upper-case letter; otherwise the domain is docker.io, where a single component gets `library/`
/// before it. Aliases (`DOCKER.IO/x`, `docker.io:443/x`) are names of their own.
/// trust/RULES.md#references, trust/RULES.md#references.
///
/// The domain is empty for names such as `foo_bar.com/x`, whose first part looks like a domain and
/// is not one: containerd accepts them, and so the grammar here does.
/// Texts beyond kMaxSize, and names that leave no room in it for a tag or a digest, are refused,
/// which containerd does not do.
class ImageReference {
 public:
  static constexpr std::size_t kMaxSize = 4096;

  /// Parse is kNotAReference for everything outside the grammar. Note that `sha256:<64 hex>` is
  /// inside: a repository named sha256 with a tag. Where the CRI takes image IDs, ask IsImageId
  /// first.
  static Result<ImageReference> Parse(std::string_view text);

  std::string_view domain() const;
  std::string_view path() const;
  /// repository is `domain/path`, or the path alone where the domain is empty.
  const std::string& repository() const { return repository_; }
  /// tag and digest are what was written, both of them where both were.
  const std::optional<std::string>& tag() const { return tag_; }
  const std::optional<Sha256Digest>& digest() const { return digest_; }

  /// NamesOtherDigest tells that a digest was written that is not a SHA-256. Nothing that crivet
  /// reads can vouch for it, so deciding refuses it; digest() is empty then.
  bool NamesOtherDigest() const { return !digest_text_.empty() && !digest_; }

  /// Canonical is what containerd records: the digest if one was written (the tag goes), else the
  /// tag, else `:latest`. Parsing it again gives the same canonical form.
  std::string Canonical() const;
  /// Familiar is Canonical as Docker shows it, `docker.io/` and `library/` left out. For people
  /// only: read again it may be another name (`docker.io/foo.com/x`).
  std::string Familiar() const;

  /// WithTag is the name with this tag and no digest: what a pinned pull gives back its tag as.
  /// kNotAReference for what is not a tag.
  Result<ImageReference> WithTag(std::string_view tag) const;
  /// InRepository has the same tag and digest under another repository's full name, which is what
  /// repository() is then. kNotAReference for any other text.
  Result<ImageReference> InRepository(std::string_view name) const;
  /// PinnedTo is `repository@sha256:...`, the only form in which a pull is sent on.
  std::string PinnedTo(const Sha256Digest& digest) const;

  friend bool operator==(const ImageReference&, const ImageReference&) = default;

 private:
  ImageReference() = default;
  std::string Suffix() const;

  std::string repository_;
  std::size_t domain_size_ = 0;
  std::optional<std::string> tag_;
  std::string digest_text_;  // as written, algorithm included; empty where there is none
  std::optional<Sha256Digest> digest_;
};

/// IsImageId tells whether the CRI takes this text for an image's ID: `sha256:` and exactly 64
/// lower-case hex digits. Shortened IDs are not (trust/RULES.md#references).
bool IsImageId(std::string_view text);

}  // namespace crivet::trust

template <>
struct std::hash<crivet::trust::Sha256Digest> {
  std::size_t operator()(const crivet::trust::Sha256Digest& digest) const noexcept;
};
