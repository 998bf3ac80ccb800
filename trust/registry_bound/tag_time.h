// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/time.h"
#include "trust/decide/floor.h"
#include "trust/decide/key_reader.h"

namespace crivet::trust::registry_bound {

/// TagOrder is what becomes of a tag at which the registry now has a digest that was signed earlier
/// than one that it had before (trust/registry_bound/RULES.md#order-of-tags).
enum class TagOrder : std::uint8_t { kWarn, kRefuse };

/// The key of a rule; kWarn where it is not there.
inline constexpr char kTagOrder[] = "tag_order";
TagOrder ReadTagOrder(KeyReader& keys);

/// The key of a rule: for how long after it was proven to have been made a signature counts for a
/// digest that is new to a node. Zero: for ever.
inline constexpr char kMaxAge[] = "max_age";
std::chrono::seconds ReadMaxAge(KeyReader& keys);

/// Of the tags of one repository: when the digests that they were had been signed, the newest of
/// each, as far as it is proven. Of more than that many those with the oldest time go, and that
/// time counts for every tag without one of its own from then on: no tag's time ever falls
/// (trust/registry_bound/RULES.md#order-of-tags).
inline constexpr std::size_t kMaxTagTimes = 4096;
std::optional<TimePoint> TagTime(const Floors& times, const std::string& tag);
/// Whether it changes anything. A time that is far ahead of `now` counts for nothing: it would
/// refuse all that comes.
bool RaisesTagTime(const Floors& times, const std::string& tag, TimePoint signed_at, TimePoint now);
/// Does nothing where it changes nothing.
void RaiseTagTime(Floors& times, const std::string& tag, TimePoint signed_at);

/// The tag's own, and the one that counts for every tag without one of its own.
std::optional<TimePoint> OwnTagTime(const Floors& times, const std::string& tag);
std::optional<TimePoint> OtherTagsTime(const Floors& times);
/// Takes the tag's own away: a person says that it may go back.
void DropTagTime(Floors& times, const std::string& tag);

}  // namespace crivet::trust::registry_bound
