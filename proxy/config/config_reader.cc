// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace crivet::proxy {
namespace {

struct TypeName {
  std::string_view operator()(const std::string&) const { return "a string"; }
  std::string_view operator()(std::int64_t) const { return "an integer"; }
  std::string_view operator()(double) const { return "a number with a fraction"; }
  std::string_view operator()(bool) const { return "true or false"; }
  std::string_view operator()(trust::TimePoint) const { return "a date and time"; }
  std::string_view operator()(TomlLocalTime) const { return "a date or time without a zone"; }
  std::string_view operator()(const TomlArray&) const { return "an array"; }
  std::string_view operator()(const TomlTable&) const { return "a table"; }
};

std::string_view TypeOf(const TomlValue& value) { return std::visit(TypeName{}, value.value); }

}  // namespace

std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 64)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return shown;
}

void ConfigFindings::Wrong(TextPosition at, std::string what) {
  wrong_.push_back({at, std::move(what)});
}

void ConfigFindings::Warn(TextPosition at, std::string what) {
  warnings_.push_back({at, std::move(what)});
}

void ConfigFindings::WrongFile(TextPosition at, const std::string& path, const std::string& what) {
  const std::string told = ConfigError{FileOf(at), at.line, at.column, what}.ToString();
  if (named_.SetAside(path, told)) {
    set_aside_.push_back(what);
  } else {
    Wrong(at, what);
  }
}

std::string ConfigFindings::SetAsideSince(std::size_t count) const {
  return count < set_aside_.size() ? set_aside_[count] : "";
}

std::string ConfigFindings::PlaceOf(TextPosition at, TextPosition from) const {
  if (at.text == from.text) return fmt::format("line {}", at.line);
  return fmt::format("{}:{}", FileOf(at), at.line);
}

const std::string& ConfigFindings::FileOf(TextPosition at) const {
  return at.text < files_.size() ? files_[at.text] : files_.front();
}

std::vector<ConfigError> ConfigFindings::InOrder(std::vector<Finding> findings) const {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.at.text, a.at) < std::tie(b.at.text, b.at);
  });
  std::vector<ConfigError> errors;
  errors.reserve(findings.size());
  for (Finding& finding : findings) {
    errors.push_back(
        {FileOf(finding.at), finding.at.line, finding.at.column, std::move(finding.what)});
  }
  return errors;
}

std::vector<ConfigError> ConfigFindings::TakeWrong() { return InOrder(std::move(wrong_)); }

std::vector<std::string> ConfigFindings::TakeWarnings() {
  std::vector<std::string> lines;
  for (const ConfigError& warning : InOrder(std::move(warnings_))) {
    lines.push_back(warning.ToString());
  }
  return lines;
}

const TomlMember* TableReader::Find(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  const auto member =
      std::find_if(table_.begin(), table_.end(), [&](const TomlMember& m) { return m.key == key; });
  return member == table_.end() ? nullptr : &*member;
}

bool TableReader::Has(const std::string& key) const {
  return std::any_of(table_.begin(), table_.end(),
                     [&](const TomlMember& m) { return m.key == key; });
}

std::vector<std::string> TableReader::Names() const {
  std::vector<std::string> names;
  for (const TomlMember& member : table_) names.push_back(member.key);
  return names;
}

bool TableReader::HasEmptyArray(const std::string& key) const {
  return std::any_of(table_.begin(), table_.end(), [&](const TomlMember& m) {
    const auto* array = std::get_if<TomlArray>(&m.value.value);
    return m.key == key && array != nullptr && array->empty();
  });
}

bool TableReader::IsTable(const std::string& key) const {
  return std::any_of(table_.begin(), table_.end(), [&](const TomlMember& m) {
    return m.key == key && std::holds_alternative<TomlTable>(m.value.value);
  });
}

TextPosition TableReader::PositionOf(const std::string& key) const {
  const auto member =
      std::find_if(table_.begin(), table_.end(), [&](const TomlMember& m) { return m.key == key; });
  return member == table_.end() ? at_ : member->key_at;
}

std::string TableReader::NameOf(const std::string& key) const {
  return name_.empty() ? fmt::format("\"{}\"", key) : fmt::format("\"{}\" in {}", key, name_);
}

void TableReader::WrongType(const TomlMember& member, std::string_view wanted) {
  findings_.Wrong(member.value.at, fmt::format("{} must be {}, not {}", NameOf(member.key), wanted,
                                               TypeOf(member.value)));
}

std::optional<Placed<std::string>> TableReader::String(const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&member->value.value)) {
    return Placed<std::string>{*text, member->value.at};
  }
  WrongType(*member, "a string");
  return std::nullopt;
}

std::optional<Placed<bool>> TableReader::Bool(const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(&member->value.value)) {
    return Placed<bool>{*flag, member->value.at};
  }
  WrongType(*member, "true or false");
  return std::nullopt;
}

std::optional<Placed<std::int64_t>> TableReader::Integer(const std::string& key, std::int64_t least,
                                                         std::int64_t most) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  const auto* number = std::get_if<std::int64_t>(&member->value.value);
  if (number == nullptr) {
    WrongType(*member, "an integer");
    return std::nullopt;
  }
  if (*number < least || *number > most) {
    findings_.Wrong(member->value.at,
                    fmt::format("{} must be between {} and {}", NameOf(key), least, most));
    return std::nullopt;
  }
  return Placed<std::int64_t>{*number, member->value.at};
}

std::optional<Placed<double>> TableReader::Number(const std::string& key, double above,
                                                  double most) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  double number = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&member->value.value)) {
    number = static_cast<double>(*whole);
  } else if (const auto* fraction = std::get_if<double>(&member->value.value)) {
    number = *fraction;
  } else {
    WrongType(*member, "a number");
    return std::nullopt;
  }
  // Written so that a NaN fails.
  if (!(number > above && number <= most)) {
    findings_.Wrong(member->value.at,
                    fmt::format("{} must be above {} and at most {}", NameOf(key), above, most));
    return std::nullopt;
  }
  return Placed<double>{number, member->value.at};
}

std::optional<Placed<trust::TimePoint>> TableReader::Time(const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* time = std::get_if<trust::TimePoint>(&member->value.value)) {
    return Placed<trust::TimePoint>{*time, member->value.at};
  }
  WrongType(*member, "a date and time with a zone, such as 2026-12-01T00:00:00Z");
  return std::nullopt;
}

std::optional<Placed<std::chrono::milliseconds>> TableReader::Duration(
    const std::string& key, std::chrono::milliseconds least, std::chrono::milliseconds most) {
  const auto text = String(key);
  if (!text) return std::nullopt;
  const auto duration = ParseDuration(text->value);
  if (!duration) {
    findings_.Wrong(text->at, fmt::format("{}: {}", NameOf(key), duration.error()));
    return std::nullopt;
  }
  if (*duration < least || *duration > most) {
    findings_.Wrong(text->at, fmt::format("{} must be between {} and {}", NameOf(key),
                                          FormatDuration(least), FormatDuration(most)));
    return std::nullopt;
  }
  return Placed<std::chrono::milliseconds>{*duration, text->at};
}

std::optional<Placed<std::vector<Placed<std::string>>>> TableReader::Strings(
    const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  const auto* array = std::get_if<TomlArray>(&member->value.value);
  if (array == nullptr) {
    WrongType(*member, "an array of strings");
    return std::nullopt;
  }
  Placed<std::vector<Placed<std::string>>> strings{{}, member->value.at};
  for (const TomlValue& element : *array) {
    if (const auto* text = std::get_if<std::string>(&element.value)) {
      strings.value.push_back({*text, element.at});
    } else {
      findings_.Wrong(element.at,
                      fmt::format("{} must hold strings, not {}", NameOf(key), TypeOf(element)));
    }
  }
  return strings;
}

std::optional<Placed<const TomlTable*>> TableReader::Table(const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return std::nullopt;
  if (const auto* table = std::get_if<TomlTable>(&member->value.value)) {
    return Placed<const TomlTable*>{table, member->value.at};
  }
  WrongType(*member, "a table");
  return std::nullopt;
}

std::vector<Placed<const TomlTable*>> TableReader::Tables(const std::string& key) {
  const TomlMember* const member = Find(key);
  if (member == nullptr) return {};
  const std::string wanted = fmt::format("an array of tables, written [[{}]]", key);
  const auto* array = std::get_if<TomlArray>(&member->value.value);
  if (array == nullptr) {
    WrongType(*member, wanted);
    return {};
  }
  std::vector<Placed<const TomlTable*>> tables;
  for (const TomlValue& element : *array) {
    if (const auto* table = std::get_if<TomlTable>(&element.value)) {
      tables.push_back({table, element.at});
    } else {
      findings_.Wrong(element.at, fmt::format("{} must be {}", NameOf(key), wanted));
    }
  }
  return tables;
}

std::optional<Placed<std::size_t>> TableReader::Word(const std::string& key,
                                                     const std::vector<std::string>& words) {
  const auto text = String(key);
  if (!text) return std::nullopt;
  const auto word = std::find(words.begin(), words.end(), text->value);
  if (word == words.end()) {
    findings_.Wrong(text->at, fmt::format("{} cannot be \"{}\"{}", NameOf(key), Shown(text->value),
                                          Suggestion(text->value, words)));
    return std::nullopt;
  }
  return Placed<std::size_t>{static_cast<std::size_t>(word - words.begin()), text->at};
}

std::optional<Placed<std::string>> TableReader::Checked(const std::string& key,
                                                        const Check& check) {
  auto text = String(key);
  if (!text) return std::nullopt;
  auto checked = check(text->value);
  if (!checked) {
    findings_.Wrong(text->at, fmt::format("{} {}", NameOf(key), checked.error()));
    return std::nullopt;
  }
  return Placed<std::string>{std::move(*checked), text->at};
}

std::vector<Placed<std::string>> TableReader::EachChecked(const std::string& key,
                                                          const Check& check) {
  std::vector<Placed<std::string>> good;
  auto strings = Strings(key);
  if (!strings) return good;
  for (const auto& text : strings->value) {
    auto checked = check(text.value);
    if (checked) {
      good.push_back({std::move(*checked), text.at});
    } else {
      findings_.Wrong(text.at, fmt::format("{}: {}", NameOf(key), checked.error()));
    }
  }
  return good;
}

void TableReader::Refuse(const std::string& key, const std::string& why) {
  if (const TomlMember* const member = Find(key)) {
    findings_.Wrong(member->key_at, fmt::format("{} {}", NameOf(key), why));
  }
}

void TableReader::Missing(const std::string& key, const std::string& why) {
  findings_.Wrong(at_, fmt::format("{} is missing: {}", NameOf(key), why));
}

void TableReader::Finish() {
  for (const TomlMember& member : table_) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    findings_.Wrong(member.key_at, fmt::format("unknown key {}{}", NameOf(Shown(member.key)),
                                               Suggestion(member.key, known_)));
  }
}

}  // namespace crivet::proxy
