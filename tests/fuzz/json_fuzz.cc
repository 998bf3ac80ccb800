// SPDX-License-Identifier: Apache-2.0

// Whatever the text: reading ends, and what is accepted has one canonical form that reads as
// itself.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/signed/json.h"

using namespace crivet::trust;

namespace {

constexpr JsonLimits kLimits{.max_bytes = 256 * 1024};

void Walk(JsonValue value, std::size_t depth) {
  Require(depth <= kLimits.max_depth, "the depth is capped");
  if (const auto integer = value.AsInteger()) {
    Require(*integer <= 9007199254740991 && *integer >= -9007199254740991, "integers are exact");
  }
  if (const auto members = value.AsObject()) {
    std::size_t size = 0;
    for (const JsonMember& member : *members) {
      ++size;
      const auto found = value.Find(member.name);
      Require(found && Canonical(*found) == Canonical(member.value), "a name is there once");
      Walk(member.value, depth + 1);
    }
    Require(size == members->size(), "every member is visited");
    (void)RefuseCaseVariants(value, {"signed", "signatures", "keys"}).has_value();
  }
  if (const auto elements = value.AsArray()) {
    for (const JsonValue element : *elements) Walk(element, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto document = JsonDocument::Parse(text, kLimits);
  if (!document) {
    Require(document.error().reason == Reason::kMalformed, "a refusal has its reason");
    return 0;
  }
  // Objects are looked through member by member: keep that below quadratic.
  if (size <= 4096) Walk(document->root(), 0);
  const std::string canonical = Canonical(document->root());
  // Canonical JSON leaves control characters raw, which no JSON text may hold.
  if (std::any_of(canonical.begin(), canonical.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return 0;
  }
  const auto again = JsonDocument::Parse(canonical, kLimits);
  Require(again.has_value(), "the canonical form is accepted");
  Require(Canonical(again->root()) == canonical, "the canonical form is stable");
  return 0;
}
