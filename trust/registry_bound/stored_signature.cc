// SPDX-License-Identifier: Apache-2.0
#include "trust/registry_bound/stored_signature.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "trust/base/bytes.h"

namespace crivet::trust::registry_bound {

std::string StoredSignature::FileName() const {
  std::string name =
      ToHex(image.bytes()) + '-' + std::to_string(first_verified.time_since_epoch().count()) + '-';
  name.append(signature.form()).append("-");
  return name + ToHex(signature.sha256());
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
  const std::string_view seconds = part();
  const std::string_view form = part();
  std::int64_t time = 0;
  const char* const end = seconds.data() + seconds.size();
  const auto [at, error] = std::from_chars(seconds.data(), end, time);
  const bool is_word = !form.empty() && std::all_of(form.begin(), form.end(),
                                                    [](char c) { return c >= 'a' && c <= 'z'; });
  if (!image || error != std::errc() || at != end || !is_word) return std::nullopt;
  return StoredSignature{Sha256Digest(*image), TimePoint(std::chrono::seconds(time)),
                         SignatureBytes(std::string(form), std::move(bytes))};
}

}  // namespace crivet::trust::registry_bound
