// The only file that includes toml++.
#include "proxy/toml_document.h"

#include <algorithm>
#include <optional>
#include <utility>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace crivet::proxy {
namespace {

/// Walks a text as TOML's lexer does, as far as it takes to tell strings and comments from the
/// rest, and refuses what the library must not see.
class Screen {
 public:
  explicit Screen(std::string_view text) : text_(text) {}

  std::optional<TomlError> FirstRefused() {
    while (i_ < text_.size()) {
      const char c = text_[i_];
      if (c == '#') {
        while (i_ < text_.size() && text_[i_] != '\n') Step();
      } else if (c == '"' || c == '\'') {
        if (!MayBeginString()) return TomlError{at_, "a string cannot begin here"};
        SkipString(c);
        before_ = c;
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        return TomlError{at_, "a character outside ASCII is only allowed in strings and comments"};
      } else {
        if (c == '.' && ++dots_ > kMaxTomlDotsOnALine) {
          return TomlError{at_, "too many dots on one line"};
        }
        Note(c);
        Step();
      }
    }
    return std::nullopt;
  }

 private:
  /// Where a string begins for the library too. Elsewhere it reads on as in a number or a bare key,
  /// and so sees what we skip. After a dot a quoted key is one only outside of values, so none in
  /// an inline table: nothing here has such a name.
  bool MayBeginString() const {
    if (before_ == '.') return !in_value_;
    return std::string_view("\n=[{,").find(before_) != std::string_view::npos;
  }

  void Note(char c) {
    if (c == '=') in_value_ = true;
    if (in_value_ && (c == '[' || c == '{')) ++open_;
    if (in_value_ && (c == ']' || c == '}') && open_ > 0) --open_;
    if (c == '\n' && open_ == 0) in_value_ = false;
    if (c != ' ' && c != '\t' && c != '\r') before_ = c;
  }

  void Step() {
    const auto c = static_cast<unsigned char>(text_[i_++]);
    if (c == '\n') {
      at_ = {at_.line + 1, 1};
      dots_ = 0;
    } else if ((c & 0xC0) != 0x80) {
      ++at_.column;  // a character's first byte
    }
  }

  bool AtTriple(char quote) const {
    return i_ + 2 < text_.size() && text_[i_] == quote && text_[i_ + 1] == quote &&
           text_[i_ + 2] == quote;
  }

  void SkipString(char quote) {
    const bool triple = AtTriple(quote);
    for (int n = triple ? 3 : 1; n > 0; --n) Step();
    while (i_ < text_.size()) {
      if (quote == '"' && text_[i_] == '\\') {
        Step();
        if (i_ < text_.size()) Step();
      } else if (triple && AtTriple(quote)) {
        for (int n = 0; n < 3; ++n) Step();
        // One or two quotes may stand just before the closing three.
        for (int n = 0; n < 2 && i_ < text_.size() && text_[i_] == quote; ++n) Step();
        return;
      } else if (!triple && (text_[i_] == quote || text_[i_] == '\n')) {
        Step();
        return;
      } else {
        Step();
      }
    }
  }

  std::string_view text_;
  std::size_t i_ = 0;
  std::size_t dots_ = 0;
  TextPosition at_{1, 1};
  char before_ = '\n';     // the last character outside strings and comments that is not blank
  bool in_value_ = false;  // after a `=`, to the end of the line that closes its brackets
  std::size_t open_ = 0;   // those brackets
};

TextPosition PositionOf(const toml::source_region& region) {
  return {static_cast<std::uint32_t>(region.begin.line),
          static_cast<std::uint32_t>(region.begin.column)};
}

TomlValue Convert(const toml::node& node);

TomlTable ConvertTable(const toml::table& table) {
  TomlTable members;
  for (const auto& [key, node] : table) {
    members.push_back({std::string(key.str()), PositionOf(key.source()), Convert(node)});
  }
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return a.key_at < b.key_at; });
  return members;
}

TomlArray ConvertArray(const toml::array& array) {
  TomlArray values;
  values.reserve(array.size());
  for (const auto& node : array) values.push_back(Convert(node));
  return values;
}

decltype(TomlValue::value) ConvertTime(const toml::date_time& when) {
  if (!when.offset) return TomlLocalTime{};
  using namespace std::chrono;
  const sys_days day = year{when.date.year} / when.date.month / when.date.day;
  return trust::TimePoint{day + hours{when.time.hour} + minutes{when.time.minute} +
                          seconds{when.time.second} - minutes{when.offset->minutes}};
}

TomlValue Convert(const toml::node& node) {
  TomlValue out{PositionOf(node.source()), TomlLocalTime{}};
  switch (node.type()) {
    case toml::node_type::table:
      out.value = ConvertTable(*node.as_table());
      break;
    case toml::node_type::array:
      out.value = ConvertArray(*node.as_array());
      break;
    case toml::node_type::string:
      out.value = node.as_string()->get();
      break;
    case toml::node_type::integer:
      out.value = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      out.value = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      out.value = node.as_boolean()->get();
      break;
    case toml::node_type::date_time:
      out.value = ConvertTime(node.as_date_time()->get());
      break;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::none:
      break;
  }
  return out;
}

}  // namespace

tl::expected<TomlTable, TomlError> ParseToml(std::string_view text) {
  if (text.size() > kMaxTomlBytes) {
    return tl::unexpected<TomlError>({{}, "the file is larger than 1 MiB"});
  }
  if (auto refused = Screen(text).FirstRefused()) return tl::unexpected(std::move(*refused));
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return tl::unexpected<TomlError>(
        {PositionOf(error.source()), std::string(error.description())});
  }
  return ConvertTable(parsed.table());
}

}  // namespace crivet::proxy
