// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/stored_signature.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::registry_bound {
namespace {

std::string TextOf(TimePoint time) { return std::to_string(time.time_since_epoch().count()); }

std::optional<TimePoint> TimeOf(std::string_view text) {
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || at != end) return std::nullopt;
  return TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

std::string StoredSignature::FileName() const {
  std::string name = ToHex(image.bytes()) + '-' + TextOf(first_verified) + '-';
  name.append(signature.form()).append("-");
  name += ToHex(signature.sha256());
  if (seen_again > first_verified) name += '-' + TextOf(seen_again);
  return name;
}

std::optional<StoredSignature> StoredSignature::Of(std::string_view file_name, std::string bytes) {
  if (bytes.size() > SignatureBytes::kMaxSize) return std::nullopt;
  const auto part = [&]() -> std::string_view {
    const auto end = file_name.find('-');
    const std::string_view text = file_name.substr(0, end);
    file_name.remove_prefix(end == std::string_view::npos ? file_name.size() : end + 1);
    return text;
  };
  const auto image = Sha256FromHex(part());
  const auto first_verified = TimeOf(part());
  const std::string_view form = part();
  part();  // the content's hash, which names the file itself
  // Where it was never seen again, and in what earlier versions wrote, there is none.
  const auto seen_again = TimeOf(part());
  const bool is_word = !form.empty() && std::all_of(form.begin(), form.end(),
                                                    [](char c) { return c >= 'a' && c <= 'z'; });
  if (!image || !first_verified || !is_word) return std::nullopt;
  return StoredSignature{Sha256Digest(*image), *first_verified,
                         SignatureBytes(std::string(form), std::move(bytes)),
                         seen_again.value_or(TimePoint{})};
}

}  // namespace crivet::trust::registry_bound
