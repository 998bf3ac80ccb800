// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"
#include "trust/base/reason.h"
#include "trust/base/time.h"

namespace crivet::trust {

struct FetchCause;

/// Allow is the only verdict that forwards. `digest` is what was signed; it is missing only under
/// an `allow` rule, where nothing is pinned.
struct Allow {
  std::optional<Sha256Digest> digest;
};

/// Deny: the evidence speaks against the image. `found` says what was found, for people; it is the
/// same text for the same state (no relative times, counters or addresses: kubelet merges errors
/// only when they are the same bytes).
struct Deny {
  Reason reason;
  std::string found;
};

/// Unavailable: the evidence is missing or too old.
struct Unavailable {
  Reason reason;
  std::string found;
};

using Verdict = std::variant<Allow, Deny, Unavailable>;

/// Refusal makes the verdict that belongs to the reason: Deny or Unavailable.
Verdict Refusal(Reason reason, std::string found);

/// WhyRefused is what a refusal says, whichever of the two it is.
struct WhyRefused {
  Reason reason;
  std::string found;
};
/// Nullopt where the verdict allows.
std::optional<WhyRefused> RefusalOf(const Verdict& verdict);

Answer AnswerOf(const Verdict& verdict);

/// SignedPart is one signed file that took part in a decision, or could have. Who signed is text
/// with the kind's own meaning: a key's ID, an identity.
struct SignedPart {
  std::string name;  ///< the kind's word for it
  /// Zero where there is no such file: nobody may sign it (then its threshold is zero too), or
  /// nothing is signed yet.
  std::int64_t version = 0;
  TimePoint expires;  ///< the epoch where it does not
  std::vector<std::string> signed_by;
  std::size_t threshold = 0;
};

/// Evidence is what a decision stands on: for the audit line, `crivet verify` and the record. Empty
/// where there is no trusted set.
struct Evidence {
  /// First the anchor, then every part that the demand reads, in the order of asking.
  std::vector<std::shared_ptr<const SignedPart>> parts;
  /// Those of `parts` that could have named the tag: [asked_begin, asked_end).
  std::size_t asked_begin = 0;
  std::size_t asked_end = 0;
  /// Names of the parts that decided and agreed: what a record keeps. Empty unless the verdict
  /// allows by what is signed now.
  std::vector<std::string> vouching;
  /// The signed tag that has the digest: the one asked for, or one found for the digest.
  std::optional<std::string> tag;
  /// What the kind calls the name that was asked, and how it came to its answer, where a collection
  /// holds more than one repository: TrustedSet::IsOf reads it in a record. Empty unless the
  /// verdict allows by what is signed now.
  std::string name = {};
  /// The newest anchor, by the hash of what was signed.
  Sha256 anchor{};
  std::optional<TimePoint> verified_at;
  /// When a registry last had the signature that vouches for it; nothing of other kinds.
  std::optional<TimePoint> confirmed_at = std::nullopt;
  /// Who says which digest the tag is: the publisher signed that, or only the registry says so and
  /// what is signed is the digest (trust/RULES.md#the-registrys-word).
  enum class Binding : std::uint8_t { kSigned, kRegistry } binding = Binding::kSigned;
  /// Of a tag that is the registry's word: set where this node has seen it at a digest that was
  /// signed later than this one, at that time.
  std::optional<TimePoint> tag_went_back = std::nullopt;
  /// True where the verdict stands on a record and not on what is signed now.
  bool from_record = false;
  /// Set when what the demand pins is no longer the newest: what to pin now.
  std::optional<std::string> pin_instead;
  /// Of a refusal: why the latest refresh could not have a file, where that is known in full. It
  /// varies with addresses and times, so it is never part of the verdict.
  std::shared_ptr<const FetchCause> why;
};

}  // namespace crivet::trust
