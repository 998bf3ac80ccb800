// SPDX-License-Identifier: Apache-2.0

// A file of TUF 1.0 read as every role would read it, and its first line as a pattern for the rest.
// What is read has a version and thresholds, and whoever is asked next has keys.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/tuf1/metadata.h"
#include "trust/tuf1/path_pattern.h"
#include "trust/tuf1/signed_file.h"
#include "trust/tuf1/targets.h"

using namespace crivet::trust;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line != std::string_view::npos) {
    const std::string_view pattern = text.substr(0, line);
    const std::string_view target = text.substr(line + 1);
    tuf1::MatchWork work;
    const auto match = tuf1::MatchPath(pattern, target, work);
    const bool plain = pattern.find_first_of("*?[\\") == std::string_view::npos;
    if (plain) {
      Require((match == tuf1::PathMatch::kYes) == (pattern == target), "a plain pattern is a name");
    }
  }
  const auto file = tuf1::SignedFile::Parse(text, 1024 * 1024, {});
  if (!file) return 0;
  if (const auto root = tuf1::Root::Parse(file->content())) {
    Require(root->version() >= 1, "a version is at least 1");
    for (const auto role : {tuf1::kRoot, tuf1::kTimestamp, tuf1::kSnapshot, tuf1::kTargets}) {
      Require(root->KeysOf(role).threshold >= 1, "a threshold is at least 1");
      const auto signers = file->Verify(root->KeysOf(role));
      Require(!signers || signers->size() >= root->KeysOf(role).threshold, "enough have signed");
    }
  }
  (void)tuf1::Timestamp::Parse(file->content());
  (void)tuf1::Snapshot::Parse(file->content());
  if (const auto targets = tuf1::Targets::Parse(file->content()); targets) {
    (void)targets->Find("acme/web:1.0");
    if (const auto& delegations = targets->delegations()) {
      tuf1::MatchWork work;
      const auto next = delegations->For("acme/web:1.0", work);
      if (!next) return 0;
      for (const auto& role : *next) {
        Require(delegations->KeysOf(role.role) != nullptr, "who is asked has keys");
      }
    }
  }
  return 0;
}
