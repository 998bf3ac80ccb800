// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/rule_keys.h"

#include <fmt/format.h>

#include <utility>

namespace crivet::proxy {
namespace {

trust::KeyReader::Place PlaceAt(TextPosition at) { return {at.line, at.column, at.text}; }

TextPosition PositionAt(trust::KeyReader::Place at) {
  return {static_cast<std::uint32_t>(at.line), static_cast<std::uint32_t>(at.column),
          static_cast<std::uint32_t>(at.text)};
}

/// A table below, with its own reader.
class OwnTable final : public trust::KeyReader {
 public:
  OwnTable(const Placed<const TomlTable*>& table, std::string name, ConfigFindings& findings,
           RuleKeys::Verifies verifies)
      : table_(*table.value, table.at, std::move(name), findings),
        keys_(table_, findings, verifies) {}

  bool Has(const std::string& key) const override { return keys_.Has(key); }
  bool HasEmptyArray(const std::string& key) const override { return keys_.HasEmptyArray(key); }
  std::vector<std::string> Names() const override { return keys_.Names(); }
  Place PlaceOf(const std::string& key) const override { return keys_.PlaceOf(key); }
  Place place() const override { return keys_.place(); }
  std::optional<Text> String(const std::string& key) override { return keys_.String(key); }
  std::optional<std::vector<Text>> Strings(const std::string& key) override {
    return keys_.Strings(key);
  }
  std::optional<bool> Bool(const std::string& key) override { return keys_.Bool(key); }
  std::optional<std::int64_t> Integer(const std::string& key, std::int64_t least,
                                      std::int64_t most) override {
    return keys_.Integer(key, least, most);
  }
  std::vector<Text> EachChecked(const std::string& key, const Check& check) override {
    return keys_.EachChecked(key, check);
  }
  std::optional<Span> Duration(const std::string& key, std::chrono::seconds least,
                               std::chrono::seconds most) override {
    return keys_.Duration(key, least, most);
  }
  std::optional<File> ReadFile(const std::string& key) override { return keys_.ReadFile(key); }
  std::vector<File> ReadFiles(const std::string& key) override { return keys_.ReadFiles(key); }
  std::unique_ptr<KeyReader> Table(const std::string& key) override { return keys_.Table(key); }
  bool IsTable(const std::string& key) const override { return keys_.IsTable(key); }
  std::vector<std::unique_ptr<KeyReader>> Tables(const std::string& key) override {
    return keys_.Tables(key);
  }
  void Wrong(Place at, const std::string& what) override { keys_.Wrong(at, what); }
  void WrongFile(const File& file, const std::string& what) override {
    keys_.WrongFile(file, what);
  }
  void Warn(Place at, const std::string& what) override { keys_.Warn(at, what); }
  void Refuse(const std::string& key, const std::string& why) override { keys_.Refuse(key, why); }
  void Missing(const std::string& key, const std::string& why) override { keys_.Missing(key, why); }
  void Finish() override { keys_.Finish(); }
  bool verifies() const override { return keys_.verifies(); }

 private:
  TableReader table_;
  RuleKeys keys_;
};

}  // namespace

trust::KeyReader::Place RuleKeys::PlaceOf(const std::string& key) const {
  return PlaceAt(table_.PositionOf(key));
}

trust::KeyReader::Place RuleKeys::place() const { return PlaceAt(table_.at()); }

std::optional<trust::KeyReader::Text> RuleKeys::String(const std::string& key) {
  auto text = table_.String(key);
  if (!text) return std::nullopt;
  return Text{std::move(text->value), PlaceAt(text->at)};
}

std::optional<std::vector<trust::KeyReader::Text>> RuleKeys::Strings(const std::string& key) {
  auto strings = table_.Strings(key);
  if (!strings) return std::nullopt;
  std::vector<Text> texts;
  for (auto& text : strings->value) texts.push_back({std::move(text.value), PlaceAt(text.at)});
  return texts;
}

std::optional<bool> RuleKeys::Bool(const std::string& key) {
  const auto value = table_.Bool(key);
  return value ? std::optional(value->value) : std::nullopt;
}

std::optional<std::int64_t> RuleKeys::Integer(const std::string& key, std::int64_t least,
                                              std::int64_t most) {
  const auto value = table_.Integer(key, least, most);
  return value ? std::optional(value->value) : std::nullopt;
}

std::vector<trust::KeyReader::Text> RuleKeys::EachChecked(const std::string& key,
                                                          const Check& check) {
  const auto checked = [&check](const std::string& text) -> Valued<std::string> {
    std::string wrong = check(text);
    if (wrong.empty()) return text;
    return tl::unexpected(std::move(wrong));
  };
  std::vector<Text> texts;
  for (auto& text : table_.EachChecked(key, checked)) {
    texts.push_back({std::move(text.value), PlaceAt(text.at)});
  }
  return texts;
}

std::optional<trust::KeyReader::Span> RuleKeys::Duration(const std::string& key,
                                                         std::chrono::seconds least,
                                                         std::chrono::seconds most) {
  const auto value = table_.Duration(key, least, most);
  if (!value) return std::nullopt;
  return Span{std::chrono::duration_cast<std::chrono::seconds>(value->value),
              FormatDuration(value->value), PlaceAt(value->at)};
}

std::vector<trust::KeyReader::File> RuleKeys::ReadFiles(const std::string& key) {
  const auto paths = table_.EachChecked(
      key, [](const std::string& text) { return CheckAbsolutePath(text, PathUse::kFile); });
  std::vector<File> files;
  for (const auto& path : paths) {
    auto content = findings_.named().Read(path.value);
    if (content) {
      files.push_back({path.value, *std::move(content), PlaceAt(path.at)});
    } else {
      findings_.WrongFile(path.at, path.value,
                          fmt::format("\"{}\": {} {}", key, path.value, content.error()));
    }
  }
  return files;
}

std::optional<trust::KeyReader::File> RuleKeys::ReadFile(const std::string& key) {
  auto path = table_.Checked(
      key, [](const std::string& text) { return CheckAbsolutePath(text, PathUse::kFile); });
  if (!path) return std::nullopt;
  auto content = findings_.named().Read(path->value);
  if (!content) {
    findings_.WrongFile(path->at, path->value,
                        fmt::format("\"{}\": {} {}", key, path->value, content.error()));
    return std::nullopt;
  }
  return File{std::move(path->value), *std::move(content), PlaceAt(path->at)};
}

std::unique_ptr<trust::KeyReader> RuleKeys::Table(const std::string& key) {
  const auto section = table_.Table(key);
  if (!section) return nullptr;
  return std::make_unique<OwnTable>(*section, key, findings_, verifies_);
}

std::vector<std::unique_ptr<trust::KeyReader>> RuleKeys::Tables(const std::string& key) {
  std::vector<std::unique_ptr<KeyReader>> tables;
  for (const auto& section : table_.Tables(key)) {
    tables.push_back(std::make_unique<OwnTable>(section, key, findings_, verifies_));
  }
  return tables;
}

void RuleKeys::Wrong(Place at, const std::string& what) { findings_.Wrong(PositionAt(at), what); }
void RuleKeys::WrongFile(const File& file, const std::string& what) {
  findings_.WrongFile(PositionAt(file.at), file.path, what);
}
void RuleKeys::Warn(Place at, const std::string& what) { findings_.Warn(PositionAt(at), what); }
void RuleKeys::Missing(const std::string& key, const std::string& why) { table_.Missing(key, why); }

}  // namespace crivet::proxy
