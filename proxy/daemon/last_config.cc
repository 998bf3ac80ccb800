// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/last_config.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/runtime/state_file.h"

namespace crivet::proxy {
namespace {

using nlohmann::json;

constexpr char kSchema[] = "crivet.config/1";

std::string PathIn(const std::string& state_dir) { return state_dir + "/last-config.json"; }

std::string Written(const ConfigTexts& texts) {
  json files = json::array();
  for (const ConfigText& text : texts) files.push_back({{"file", text.file}, {"text", text.text}});
  const json all = {{"schema", kSchema}, {"texts", std::move(files)}};
  // A text is UTF-8 by TOML's rules; a file's name may be anything.
  return all.dump(1, ' ', false, json::error_handler_t::replace);
}

std::optional<ConfigTexts> Read(const std::string& content) {
  const json all = json::parse(content, nullptr, false);
  if (!all.is_object() || all.value("schema", json()) != kSchema) return std::nullopt;
  ConfigTexts texts;
  for (const json& one : all.value("texts", json::array())) {
    if (!one.is_object()) return std::nullopt;
    const auto file = one.find("file");
    const auto text = one.find("text");
    if (file == one.end() || !file->is_string() || text == one.end() || !text->is_string()) {
      return std::nullopt;
    }
    texts.push_back({file->get<std::string>(), text->get<std::string>()});
  }
  if (texts.empty()) return std::nullopt;
  return texts;
}

tl::expected<StartConfig, std::vector<ConfigError>> Load(const std::string& file,
                                                         const Place& place) {
  auto texts = ReadConfigTexts(file, place.root);
  if (!texts) return tl::unexpected(std::move(texts.error()));
  auto config = ParseConfig(*texts, place);
  if (!config) return tl::unexpected(std::move(config.error()));
  return StartConfig{std::move(*config), std::move(*texts), {}};
}

}  // namespace

tl::expected<StartConfig, std::vector<ConfigError>> LoadStartConfig(const std::string& file,
                                                                    const Place& place) {
  auto now = Load(file, place);
  if (now) return now;
  auto last = Read(ReadStateFile(PathIn(StateFolderOf(file))));
  if (!last || last->front().file != file) return now;
  auto config = ParseConfig(*last, place);
  if (!config) return now;
  return StartConfig{std::move(*config), std::move(*last), std::move(now.error())};
}

trust::Result<void> KeepTexts(const std::string& state_dir, const ConfigTexts& texts) {
  const std::string path = PathIn(state_dir);
  const std::string content = Written(texts);
  if (ReadStateFile(path) == content) return {};
  return ReplaceStateFile(path, content, Against::kPowerCut);
}

}  // namespace crivet::proxy
