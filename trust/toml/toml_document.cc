// SPDX-License-Identifier: Apache-2.0

// The only file that includes toml++.
#include "trust/toml/toml_document.h"

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

namespace crivet::trust {
namespace {

constexpr std::string_view kBareKeyCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBareValueCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+.:";

/// Reads a text by TOML's grammar down to its tokens and refuses whatever differs, so that the
/// library's lexer and this one cannot come apart: it would read on, as in a number, in what was
/// skipped here as a string, and meet letters outside ASCII where it has undefined behaviour. What
/// a number, a date or an escape is worth, and which names may meet, is left to the library.
class Screen {
 public:
  explicit Screen(std::string_view text) : text_(text) {}

  std::optional<TomlError> FirstRefused() {
    while (!AtEnd() && Line()) continue;
    return std::move(refused_);
  }

 private:
  // Each of these takes what its name says, or sets refused_ and returns false.

  bool Line() {
    SkipBlanks();
    if (At('[')) {
      if (!Header()) return false;
    } else if (!AtEnd() && !At('#') && !AtLineBreak()) {
      if (!Pair()) return false;
    }
    SkipBlanks();
    SkipComment();
    return AtEnd() || TakeLineBreak() || Refuse("expected the end of the line");
  }

  bool Header() {
    Step();
    const bool of_an_array = Take('[');
    SkipBlanks();
    if (!Key()) return false;
    return (Take(']') && (!of_an_array || Take(']'))) || Refuse("expected \"]\"");
  }

  bool Pair() {
    if (!Key()) return false;
    if (!Take('=')) return Refuse("expected \"=\"");
    SkipBlanks();
    return Value();
  }

  bool Key() {
    for (;;) {
      if (AtQuote()) {
        if (!String()) return false;
      } else if (!TakeAny(kBareKeyCharacters)) {
        return Refuse("expected a name");
      }
      SkipBlanks();
      if (!At('.')) return true;
      if (++dots_ > kMaxTomlDotsOnALine) return Refuse("too many dots on one line");
      Step();
      SkipBlanks();
    }
  }

  bool Value() {
    if (AtQuote()) return String();
    if (!At('[') && !At('{')) return BareValue();
    if (depth_ == TOML_MAX_NESTED_VALUES) return Refuse("too many brackets inside each other");
    ++depth_;
    const bool good = At('[') ? Array() : InlineTable();
    --depth_;
    return good;
  }

  bool BareValue() {
    const std::size_t begin = i_;
    if (!TakeAny(kBareValueCharacters)) return Refuse("expected a value");
    // Behind a blank the library reads on when a time may follow, and then too far.
    const bool may_be_date = i_ - begin == std::string_view("2026-12-01").size();
    if (may_be_date && At(' ') && text_.find_first_of("0123456789", i_) == i_ + 1) {
      return Refuse("expected a T between a date and its time");
    }
    return true;
  }

  bool Array() {
    Step();
    SkipBlanksAndLines();
    while (!Take(']')) {
      if (!Value()) return false;
      SkipBlanksAndLines();
      if (!At(']') && !Take(',')) return Refuse("expected a comma or \"]\"");
      SkipBlanksAndLines();
    }
    return true;
  }

  bool InlineTable() {
    Step();
    SkipBlanks();
    if (Take('}')) return true;
    for (;;) {
      if (!Pair()) return false;
      SkipBlanks();
      if (Take('}')) return true;
      if (!Take(',')) return Refuse("expected a comma or \"}\"");
      SkipBlanks();
    }
  }

  bool String() {
    const char quote = text_[i_];
    const bool triple = AtTriple(quote);
    for (int n = triple ? 3 : 1; n > 0; --n) Step();
    while (!AtEnd()) {
      if (quote == '"' && At('\\')) {
        if (!Escape()) return false;
      } else if (triple && AtTriple(quote)) {
        for (int n = 0; n < 3; ++n) Step();
        // One or two quotes may stand just before the closing three.
        for (int n = 0; n < 2 && Take(quote); ++n) continue;
        return true;
      } else if (!triple && Take(quote)) {
        return true;
      } else if (!triple && At('\n')) {
        break;
      } else {
        Step();
      }
    }
    return Refuse("the string does not end");
  }

  /// After a backslash the library asks for a blank, and after the blanks of one that ends a line
  /// for one more: the question with the undefined answer, in a string.
  bool Escape() {
    Step();
    const std::size_t begin = i_;
    while (AtBlank() || At('\n') || At('\r')) Step();
    if (AtNonAscii()) {
      refused_ = TomlError{at_, "a character outside ASCII cannot follow a backslash"};
      return false;
    }
    if (i_ == begin && !AtEnd()) Step();
    return true;
  }

  bool Refuse(std::string what) {
    if (AtQuote()) what = "a string cannot begin here";
    if (AtNonAscii()) what = "a character outside ASCII is only allowed in strings and comments";
    refused_ = TomlError{at_, std::move(what)};
    return false;
  }

  // These refuse nothing.

  bool AtEnd() const { return i_ == text_.size(); }
  bool At(char c) const { return !AtEnd() && text_[i_] == c; }
  bool AtBlank() const { return At(' ') || At('\t'); }
  bool AtQuote() const { return At('"') || At('\''); }
  bool AtNonAscii() const { return !AtEnd() && static_cast<unsigned char>(text_[i_]) >= 0x80; }
  bool AtTriple(char quote) const {
    return text_.substr(i_).starts_with(std::string{quote, quote, quote});
  }
  bool AtLineBreak() const { return At('\n') || text_.substr(i_).starts_with("\r\n"); }

  bool Take(char c) {
    if (!At(c)) return false;
    Step();
    return true;
  }

  bool TakeAny(std::string_view characters) {
    const std::size_t begin = i_;
    while (!AtEnd() && characters.find(text_[i_]) != std::string_view::npos) Step();
    return i_ != begin;
  }

  bool TakeLineBreak() {
    if (!AtLineBreak()) return false;
    Take('\r');
    Step();
    return true;
  }

  void SkipBlanks() {
    while (AtBlank()) Step();
  }

  void SkipComment() {
    if (!At('#')) return;
    while (!AtEnd() && !AtLineBreak()) Step();
  }

  void SkipBlanksAndLines() {
    do {
      SkipBlanks();
      SkipComment();
    } while (TakeLineBreak());
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

  std::string_view text_;
  std::size_t i_ = 0;
  TextPosition at_{1, 1};
  std::size_t dots_ = 0;  // on this line
  int depth_ = 0;         // of brackets in a value
  std::optional<TomlError> refused_;
};

/// Turns the library's tree of one text into ours.
class Conversion {
 public:
  explicit Conversion(std::uint32_t number) : number_(number) {}

  TextPosition PositionOf(const toml::source_region& region) const {
    return {static_cast<std::uint32_t>(region.begin.line),
            static_cast<std::uint32_t>(region.begin.column), number_};
  }

  TomlTable Table(const toml::table& table) const {
    TomlTable members;
    for (const auto& [key, node] : table) {
      members.push_back({std::string(key.str()), PositionOf(key.source()), Value(node)});
    }
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return a.key_at < b.key_at; });
    return members;
  }

 private:
  TomlValue Value(const toml::node& node) const;

  TomlArray Array(const toml::array& array) const {
    TomlArray values;
    values.reserve(array.size());
    for (const auto& node : array) values.push_back(Value(node));
    return values;
  }

  const std::uint32_t number_;
};

decltype(TomlValue::value) ConvertTime(const toml::date_time& when) {
  if (!when.offset) return TomlLocalTime{};
  using namespace std::chrono;
  const sys_days day = year{when.date.year} / when.date.month / when.date.day;
  return TimePoint{day + hours{when.time.hour} + minutes{when.time.minute} +
                   seconds{when.time.second} - minutes{when.offset->minutes}};
}

TomlValue Conversion::Value(const toml::node& node) const {
  TomlValue out{PositionOf(node.source()), TomlLocalTime{}};
  switch (node.type()) {
    case toml::node_type::table:
      out.value = Table(*node.as_table());
      break;
    case toml::node_type::array:
      out.value = Array(*node.as_array());
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

tl::expected<TomlTable, TomlError> ParseToml(std::string_view text, std::uint32_t number) {
  const Conversion conversion(number);
  if (text.size() > kMaxTomlBytes) {
    return tl::unexpected<TomlError>({{0, 0, number}, "the file is larger than 1 MiB"});
  }
  if (auto refused = Screen(text).FirstRefused()) {
    refused->at.text = number;
    return tl::unexpected(std::move(*refused));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    std::string what(error.description());
    if (what.find("could not determine value type") != std::string::npos) {
      what += " (a text stands in quotes)";
    }
    return tl::unexpected<TomlError>({conversion.PositionOf(error.source()), std::move(what)});
  }
  return conversion.Table(parsed.table());
}

}  // namespace crivet::trust
