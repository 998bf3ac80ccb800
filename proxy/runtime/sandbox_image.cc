// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/sandbox_image.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "proxy/runtime/map_entries.h"

namespace crivet::proxy {
namespace {

using Json = nlohmann::json;

std::string TextAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json* ObjectAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

std::string FromContainerd(const Json& config) {
  if (auto name = TextAt(config, "sandboxImage"); !name.empty()) return name;
  for (const char* key : {"pinnedImages", "pinned_images"}) {
    const Json* pinned = ObjectAt(config, key);
    if (pinned == nullptr) continue;
    if (auto name = TextAt(*pinned, "sandbox"); !name.empty()) return name;
  }
  return {};
}

// CRI-O prints its TOML.
std::string FromToml(std::string_view config) {
  constexpr std::string_view kKey = "pause_image = \"";
  for (std::size_t at = config.find(kKey); at != std::string_view::npos;
       at = config.find(kKey, at + 1)) {
    const std::size_t line = config.rfind('\n', at);
    const std::size_t begin = line == std::string_view::npos ? 0 : line + 1;
    if (config.substr(begin, at - begin).find_first_not_of(" \t") != std::string_view::npos) {
      continue;
    }
    const std::string_view rest = config.substr(at + kKey.size());
    return std::string(rest.substr(0, rest.find('"')));
  }
  return {};
}

}  // namespace

std::optional<std::string> SandboxImageOf(const ::runtime::v1::StatusResponse& status) {
  const std::string* config = FindEntry(status.info(), "config");
  if (config == nullptr) return std::nullopt;
  const Json json = Json::parse(*config, nullptr, /*allow_exceptions=*/false);
  std::string name = json.is_object() ? FromContainerd(json) : FromToml(*config);
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace crivet::proxy
