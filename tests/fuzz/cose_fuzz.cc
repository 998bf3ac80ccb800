// SPDX-License-Identifier: Apache-2.0

// The reader of CBOR beside Debian's libcbor: what the strict one reads, libcbor reads as the same
// values, to the same last byte; and what is read is only what its writer can have meant.

#include <cbor.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/notation/cbor.h"

namespace {

using crivet::trust::notation::CborValue;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string_view BytesOf(const cbor_item_t* item) {
  return {reinterpret_cast<const char*>(cbor_bytestring_handle(item)),
          cbor_bytestring_length(item)};
}
std::string_view TextOf(const cbor_item_t* item) {
  return {reinterpret_cast<const char*>(cbor_string_handle(item)), cbor_string_length(item)};
}

bool Same(const CborValue& ours, cbor_item_t* theirs);

bool SameInteger(std::int64_t ours, const cbor_item_t* theirs) {
  if (!cbor_is_int(theirs)) return false;
  const std::uint64_t bits = cbor_get_int(theirs);
  // -1 - n, without leaving the type.
  return cbor_isa_negint(theirs) ? ours < 0 && static_cast<std::uint64_t>(-(ours + 1)) == bits
                                 : ours >= 0 && static_cast<std::uint64_t>(ours) == bits;
}

bool SameArray(const CborValue::Array& ours, const cbor_item_t* theirs) {
  if (!cbor_isa_array(theirs) || cbor_array_size(theirs) != ours.size()) return false;
  cbor_item_t** const items = cbor_array_handle(theirs);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!Same(ours[i], items[i])) return false;
  }
  return true;
}

bool SameKey(const CborValue::Key& ours, const cbor_item_t* theirs) {
  if (const auto* number = std::get_if<std::int64_t>(&ours)) return SameInteger(*number, theirs);
  return cbor_isa_string(theirs) && std::get<CborValue::Text>(ours).text == TextOf(theirs);
}

bool SameMap(const CborValue::Map& ours, const cbor_item_t* theirs) {
  if (!cbor_isa_map(theirs) || cbor_map_size(theirs) != ours.size()) return false;
  const cbor_pair* const pairs = cbor_map_handle(theirs);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!SameKey(ours[i].key, pairs[i].key) || !Same(ours[i].value, pairs[i].value)) {
      return false;
    }
  }
  return true;
}

bool SameTagged(const CborValue::Tagged& ours, cbor_item_t* theirs) {
  if (!cbor_isa_tag(theirs) || cbor_tag_value(theirs) != ours.tag) return false;
  cbor_item_t* inner = cbor_tag_item(theirs);
  const bool same = Same(*ours.value, inner);
  cbor_decref(&inner);
  return same;
}

bool Same(const CborValue& ours, cbor_item_t* theirs) {
  if (const auto number = ours.AsInteger()) return SameInteger(*number, theirs);
  if (const auto bytes = ours.AsBytes()) {
    return cbor_isa_bytestring(theirs) && *bytes == BytesOf(theirs);
  }
  if (const auto text = ours.AsText()) return cbor_isa_string(theirs) && *text == TextOf(theirs);
  if (const auto* array = ours.AsArray()) return SameArray(*array, theirs);
  if (const auto* map = ours.AsMap()) return SameMap(*map, theirs);
  return ours.AsTagged() != nullptr && SameTagged(*ours.AsTagged(), theirs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto ours = crivet::trust::notation::ReadCbor({reinterpret_cast<const char*>(data), size});
  // libcbor takes memory for what a length claims: it is only asked where ours has read to the end.
  if (!ours) return 0;
  // Its version 0.8 calls tag 18 unassigned. That of an envelope is the first byte.
  constexpr std::uint8_t kTag18 = 0xd2;
  const CborValue::Tagged* const outer = data[0] == kTag18 ? ours->AsTagged() : nullptr;
  const std::size_t skipped = outer != nullptr ? 1 : 0;
  Require(outer == nullptr || outer->tag == 18);
  cbor_load_result result{};
  cbor_item_t* theirs = cbor_load(data + skipped, size - skipped, &result);
  if (theirs == nullptr && result.error.code == CBOR_ERR_MALFORMATED &&
      data[skipped + result.error.position] == kTag18) {
    return 0;
  }
  Require(theirs != nullptr && skipped + result.read == size);
  Require(Same(outer != nullptr ? *outer->value : *ours, theirs));
  cbor_decref(&theirs);
  return 0;
}
