// SPDX-License-Identifier: Apache-2.0

// A file of the state folder: the manifest or the records. Whatever is taken for a true one is the
// same when written and read again; its seal does not hold for anything else.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/io/store/state_document.h"
#include "trust/signed/json.h"

using namespace crivet::trust;

namespace {

// The text with a seal that holds, so that the fuzzer gets behind it.
std::string WithTrueSeal(std::string_view content) {
  const auto document = JsonDocument::Parse(content, JsonLimits{});
  if (!document) return std::string(content);
  return R"({"format":1,"sha256":")" + ToHex(Sha256Of(Canonical(document->root()))) +
         R"(","content":)" + std::string(content) + "}";
}

void Try(std::string_view text) {
  if (const auto manifest = ReadManifest(text)) {
    const auto again = ReadManifest(WriteManifest(*manifest));
    Require(again && *again == *manifest, "a manifest survives being written");
  }
  static const CollectionId id{"notary", "https://notary.example", "docker.io/acme/web"};
  if (const auto records = ReadRecords(id, text)) {
    const auto again = ReadRecords(id, WriteRecords(id, *records));
    Require(again && *again == *records, "records survive being written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Try(text);
  Try(WithTrueSeal(text));
  return 0;
}
