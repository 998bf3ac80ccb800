// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/base/result.h"

namespace crivet::trust {

/// JsonLimits caps what a document may cost. A field is a maximum that is still accepted.
struct JsonLimits {
  std::size_t max_bytes = 1024 * 1024;
  /// Objects and arrays inside each other; `{}` has depth 1.
  std::size_t max_depth = 16;
  /// Members and elements of all objects and arrays together. The default fits a document of
  /// 1 000 000 tags.
  std::size_t max_values = 8 * 1000 * 1000;
  /// What `-0` is: Go signs it as it stands, TUF's reference as 0.
  enum class NegativeZero : std::uint8_t {
    kRefused,
    kIsZero
  } negative_zero = NegativeZero::kRefused;
};

enum class JsonType : std::uint8_t { kNull, kBool, kInteger, kString, kArray, kObject };

class JsonMembers;
class JsonElements;

/// JsonValue is a view of one value of a JsonDocument: two words, cheap to copy, valid as long as
/// its document (moving the document keeps it valid).
class JsonValue {
 public:
  JsonType type() const;

  // Each is empty where the value has another type.
  std::optional<bool> AsBool() const;
  std::optional<std::int64_t> AsInteger() const;
  std::optional<std::string_view> AsString() const;
  std::optional<JsonMembers> AsObject() const;
  std::optional<JsonElements> AsArray() const;

  /// Find is the member of that name, compared byte by byte; empty where there is none or the
  /// value is no object. Linear in the members of this object.
  std::optional<JsonValue> Find(std::string_view name) const;

 private:
  friend class JsonDocument;
  friend class JsonMembers;
  friend class JsonElements;
  friend void AppendCanonical(JsonValue value, std::string& out);
  friend Sha256 CanonicalSha256(JsonValue value);
  // A view of the parser's own, kept as bytes so that its header stays out of ours.
  using View = std::array<std::size_t, 2>;
  explicit JsonValue(const View& view) : view_(view) {}
  View view_;
};

struct JsonMember {
  std::string_view name;
  JsonValue value;
};

/// JsonMembers are the members of an object, in the order of the text. For range-for.
class JsonMembers {
 public:
  class Iterator {
   public:
    using value_type = JsonMember;
    using difference_type = std::ptrdiff_t;
    JsonMember operator*() const;
    Iterator& operator++();
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class JsonMembers;
    explicit Iterator(const JsonValue::View& view) : view_(view) {}
    JsonValue::View view_;
  };
  Iterator begin() const;
  Iterator end() const;
  /// size is the number of members; saturates at 16 777 215.
  std::size_t size() const;

 private:
  friend class JsonValue;
  explicit JsonMembers(const JsonValue::View& view) : view_(view) {}
  JsonValue::View view_;
};

/// JsonElements are the elements of an array. For range-for.
class JsonElements {
 public:
  class Iterator {
   public:
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    JsonValue operator*() const;
    Iterator& operator++();
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class JsonElements;
    explicit Iterator(const JsonValue::View& view) : view_(view) {}
    JsonValue::View view_;
  };
  Iterator begin() const;
  Iterator end() const;
  /// size is the number of elements; saturates at 16 777 215.
  std::size_t size() const;

 private:
  friend class JsonValue;
  explicit JsonElements(const JsonValue::View& view) : view_(view) {}
  JsonValue::View view_;
};

/// JsonDocument is a text that passed the strict reader. Signatures and meaning are both taken from
/// it, so that no two readers can disagree on what was signed. Beyond RFC 8259 it refuses what Go's
/// reader and ours could take differently
/// (trust/notary/FORMAT.md#json-that-two-readers-take-differently):
///
///   * two members of one name in one object, escapes resolved;
///   * numbers with a fraction or an exponent, integers beyond +-(2^53 - 1), and, unless the limits
///     say otherwise, `-0`;
///   * lone surrogates and invalid UTF-8, in strings and names; a byte order mark;
///   * more than JsonLimits allows.
///
/// Every other value means the same to both. A document is immutable; reading it from several
/// threads is safe.
class JsonDocument {
 public:
  /// Parse copies what it needs of `text`. kMalformed for everything refused, size included.
  static Result<JsonDocument> Parse(std::string_view text, const JsonLimits& limits);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonValue root() const;

 private:
  struct Parsed;
  explicit JsonDocument(std::unique_ptr<const Parsed> parsed);
  std::unique_ptr<const Parsed> parsed_;
};

/// Canonical is docker/go's canonical JSON ("OLPC"): the bytes that signatures of Notary cover. No
/// white space, members sorted by the bytes of their names, only `"` and `\` escaped.
std::string Canonical(JsonValue value);
/// AppendCanonical does the same at the end of `out`. It is never longer than the text that was
/// parsed: for a large document reserve that much.
void AppendCanonical(JsonValue value, std::string& out);
/// CanonicalSha256 is the hash of the canonical form, without holding it in memory.
Sha256 CanonicalSha256(JsonValue value);

/// RefuseCaseVariants is kMalformed if the object has a member whose name differs from one of
/// `names` only in case, as Go folds it: a reader in Go would take `"SIGNED"` for `"signed"`.
/// Passes for a value that is no object.
Result<void> RefuseCaseVariants(JsonValue object, std::initializer_list<std::string_view> names);

}  // namespace crivet::trust
