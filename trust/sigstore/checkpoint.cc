// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/checkpoint.h"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "trust/base/bytes.h"

namespace crivet::trust::sigstore {
namespace {

constexpr std::size_t kKeyHintSize = 4;
constexpr std::size_t kMaxSignatures = 100;

tl::unexpected<SignatureError> Bad(std::string detail) {
  return RefuseSignature(SignatureReason::kTransparencyLog, "checkpoint: " + std::move(detail));
}

// The first line, without its end; `text` is what follows.
std::string_view TakeLine(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// The bytes behind the key hint of each line `— NAME BASE64` whose hint is the log's. A hint only
// chooses: what counts is that the signature verifies.
std::vector<std::string> SignaturesFor(std::string_view lines, const Log& log) {
  constexpr std::string_view kDash = "\xe2\x80\x94 ";
  std::vector<std::string> signatures;
  std::size_t count = 0;
  while (!lines.empty() && count < kMaxSignatures) {
    std::string_view line = TakeLine(lines);
    ++count;
    if (!line.starts_with(kDash)) continue;
    const auto space = line.rfind(' ');
    auto bytes = FromBase64(line.substr(space + 1));
    if (!bytes || bytes->size() <= kKeyHintSize) continue;
    if (bytes->compare(0, kKeyHintSize, log.id, 0, kKeyHintSize) != 0) continue;
    signatures.push_back(bytes->substr(kKeyHintSize));
  }
  return signatures;
}

}  // namespace

SignatureResult<Checkpoint> Checkpoint::Verify(std::string_view note, const Log& log) {
  if (note.size() > kMaxSize) return Bad("too large");
  const auto blank = note.find("\n\n");
  if (blank == std::string_view::npos) return Bad("not a signed note");
  const std::string_view text = note.substr(0, blank + 1);
  bool signed_by_log = false;
  for (const std::string& signature : SignaturesFor(note.substr(blank + 2), log)) {
    signed_by_log = signed_by_log || log.key.VerifyUsual(signature, text) == SignatureCheck::kGood;
  }
  if (!signed_by_log) return Bad("no signature of the log");

  std::string_view rest = text;
  Checkpoint checkpoint;
  checkpoint.origin = std::string(TakeLine(rest));
  const std::string_view size = TakeLine(rest);
  const auto [end, error] =
      std::from_chars(size.data(), size.data() + size.size(), checkpoint.tree_size);
  if (error != std::errc() || end != size.data() + size.size()) return Bad("no tree size");
  auto root_hash = FromBase64(TakeLine(rest));
  if (!root_hash) return Bad("no root hash");
  checkpoint.root_hash = *std::move(root_hash);
  return checkpoint;
}

}  // namespace crivet::trust::sigstore
