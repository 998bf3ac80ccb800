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

std::optional<ConfigTexts> Kept(const std::string& file) {
  auto last = Read(ReadStateFile(PathIn(StateFolderOf(file))));
  if (!last || last->front().file != file) return std::nullopt;
  return last;
}

}  // namespace

tl::expected<StartConfig, std::vector<ConfigError>> LoadStartConfig(const std::string& file,
                                                                    const Place& place) {
  auto texts = ReadConfigTexts(file, place.root);
  auto now = texts ? ParseConfig(*texts, place) : tl::unexpected(texts.error());
  if (now) return StartConfig{std::move(*now), std::move(*texts), {}};
  auto last = Kept(file);
  // What was right before the texts that are there now comes before what is right but for a file.
  for (const Strictness strictness : {Strictness::kWhole, Strictness::kStart}) {
    if (texts && strictness == Strictness::kStart) {
      auto config = ParseConfig(*texts, place, {}, strictness);
      if (config) return StartConfig{std::move(*config), std::move(*texts), {}};
    }
    if (!last) continue;
    auto config = ParseConfig(*last, place, {}, strictness);
    if (config) return StartConfig{std::move(*config), std::move(*last), std::move(now.error())};
  }
  return tl::unexpected(std::move(now.error()));
}

trust::Result<void> KeepTexts(const std::string& state_dir, const ConfigTexts& texts) {
  const std::string path = PathIn(state_dir);
  const std::string content = Written(texts);
  if (ReadStateFile(path) == content) return {};
  return ReplaceStateFile(path, content, Against::kPowerCut);
}

}  // namespace crivet::proxy
