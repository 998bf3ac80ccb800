// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "trust/signed/json_view.h"

namespace crivet::trust {
namespace {

namespace dom = simdjson::dom;
using json_view::FromView;
using json_view::ToView;

// Beyond this a double no longer holds every integer, and Notary's encoder goes through a double.
constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

bool IsWhiteSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Finds `-0` standing where a number stands. The parser makes 0 of it, so it has to be found in the
// text. `text` is well-formed JSON.
bool HasNegativeZero(std::string_view text) {
  bool suspicious = false;
  for (auto at = text.find("-0"); at != std::string_view::npos && !suspicious;
       at = text.find("-0", at + 2)) {
    std::size_t before = at;
    while (before > 0 && IsWhiteSpace(text[before - 1])) --before;
    suspicious = before == 0 || std::string_view(":,[").find(text[before - 1]) < 3;
  }
  if (!suspicious) return false;
  // What precedes it looks right, but may be text of a string: now count quotes.
  bool in_string = false;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && text[i] == '-' && text[i + 1] == '0') {
      return true;
    }
  }
  return false;
}

// Walks a parsed document once and refuses what the parser lets through.
class StrictnessCheck {
 public:
  explicit StrictnessCheck(const JsonLimits& limits) : limits_(limits) {}

  // Null where the value passes, else what is wrong with it. Recursion is bounded by the depth,
  // which the parser has checked already.
  const char* Check(const dom::element& value, std::size_t depth) {
    switch (value.type()) {
      case dom::element_type::OBJECT:
        return CheckObject(dom::object(value.get_object().value_unsafe()), depth + 1);
      case dom::element_type::ARRAY:
        return CheckArray(dom::array(value.get_array().value_unsafe()), depth + 1);
      case dom::element_type::INT64: {
        const std::int64_t number = value.get_int64().value_unsafe();
        return number > kMaxInteger || number < -kMaxInteger ? kTooLarge : nullptr;
      }
      case dom::element_type::UINT64:
        return kTooLarge;
      case dom::element_type::DOUBLE:
        return "a number with a fraction or an exponent";
      case dom::element_type::STRING:
      case dom::element_type::BOOL:
      case dom::element_type::NULL_VALUE:
        return nullptr;
    }
    return "a value of no known type";
  }

 private:
  static constexpr const char* kTooLarge = "an integer beyond 2^53 - 1";
  static constexpr const char* kTooDeep = "nested too deep";
  static constexpr const char* kTooMany = "too many values";

  const char* CheckObject(const dom::object& object, std::size_t depth) {
    if (depth > limits_.max_depth) return kTooDeep;
    std::string_view last;
    bool ascending = true;
    std::size_t size = 0;
    const auto end = object.end();
    for (auto member = object.begin(); member != end; ++member) {
      const std::string_view name = member.key();
      // Writers sort, so that almost always one comparison a member shows that no name repeats.
      if (size++ != 0 && name <= last) ascending = false;
      last = name;
      if (++values_ > limits_.max_values) return kTooMany;
      if (const char* wrong = Check(member.value(), depth)) return wrong;
    }
    return ascending || !HasDuplicates(object, size) ? nullptr : "a member that is there twice";
  }

  const char* CheckArray(const dom::array& array, std::size_t depth) {
    if (depth > limits_.max_depth) return kTooDeep;
    for (const dom::element element : array) {
      if (++values_ > limits_.max_values) return kTooMany;
      if (const char* wrong = Check(element, depth)) return wrong;
    }
    return nullptr;
  }

  static bool HasDuplicates(const dom::object& object, std::size_t size) {
    std::vector<std::string_view> names;
    names.reserve(size);
    for (auto member = object.begin(); member != object.end(); ++member) {
      names.push_back(member.key());
    }
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
};

// Folds one character of a name as Go's decoder does for the letters that JSON names are made of:
// ASCII case, and the two letters outside ASCII that fold into it.
char TakeFolded(std::string_view& text) {
  constexpr std::string_view kLongS = "\u017f";
  constexpr std::string_view kKelvin = "\u212a";
  if (text.starts_with(kLongS)) {
    text.remove_prefix(kLongS.size());
    return 's';
  }
  if (text.starts_with(kKelvin)) {
    text.remove_prefix(kKelvin.size());
    return 'k';
  }
  const char c = text.front();
  text.remove_prefix(1);
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool EqualFolded(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (TakeFolded(a) != TakeFolded(b)) return false;
  }
  return a.empty() && b.empty();
}

}  // namespace

struct JsonDocument::Parsed {
  dom::document document;
};

JsonDocument::JsonDocument(std::unique_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::Parse(std::string_view text, const JsonLimits& limits) {
  const auto malformed = [](const char* what) {
    return Fail(Reason::kMalformed, std::string("JSON refused: ") + what);
  };
  if (text.size() > limits.max_bytes) return malformed("too large");
  // Newer versions of the parser skip it.
  if (text.starts_with("\xef\xbb\xbf")) return malformed("a byte order mark");

  auto parsed = std::make_unique<Parsed>();
  dom::parser parser;
  // The parser counts the value inside the innermost container too.
  if (parser.allocate(text.size(), limits.max_depth + 1) != simdjson::SUCCESS) {
    return malformed("no memory for it");
  }
  dom::element root;
  // The parser copies the text in order to pad it.
  const auto error =
      parser.parse_into_document(parsed->document, text.data(), text.size(), true).get(root);
  if (error == simdjson::DEPTH_ERROR) return malformed("nested too deep");
  if (error != simdjson::SUCCESS) return malformed("not well-formed");
  if (const char* wrong = StrictnessCheck(limits).Check(root, 0)) return malformed(wrong);
  if (limits.negative_zero == JsonLimits::NegativeZero::kRefused && HasNegativeZero(text))
    return malformed("a negative zero");
  return JsonDocument(std::move(parsed));
}

JsonValue JsonDocument::root() const { return JsonValue(ToView(parsed_->document.root())); }

JsonType JsonValue::type() const {
  switch (FromView<dom::element>(view_).type()) {
    case dom::element_type::OBJECT:
      return JsonType::kObject;
    case dom::element_type::ARRAY:
      return JsonType::kArray;
    case dom::element_type::STRING:
      return JsonType::kString;
    case dom::element_type::BOOL:
      return JsonType::kBool;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
      return JsonType::kInteger;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return JsonType::kNull;
}

std::optional<bool> JsonValue::AsBool() const {
  bool value = false;
  if (FromView<dom::element>(view_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> JsonValue::AsInteger() const {
  std::int64_t value = 0;
  if (FromView<dom::element>(view_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::string_view> JsonValue::AsString() const {
  std::string_view value;
  if (FromView<dom::element>(view_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<JsonMembers> JsonValue::AsObject() const {
  dom::object value;
  if (FromView<dom::element>(view_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return JsonMembers(ToView(value));
}

std::optional<JsonElements> JsonValue::AsArray() const {
  dom::array value;
  if (FromView<dom::element>(view_).get(value) != simdjson::SUCCESS) return std::nullopt;
  return JsonElements(ToView(value));
}

std::optional<JsonValue> JsonValue::Find(std::string_view name) const {
  dom::object object;
  if (FromView<dom::element>(view_).get(object) != simdjson::SUCCESS) return std::nullopt;
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return JsonValue(ToView(value));
}

JsonMembers::Iterator JsonMembers::begin() const {
  return Iterator(ToView(FromView<dom::object>(view_).begin()));
}
JsonMembers::Iterator JsonMembers::end() const {
  return Iterator(ToView(FromView<dom::object>(view_).end()));
}
std::size_t JsonMembers::size() const { return FromView<dom::object>(view_).size(); }

JsonMember JsonMembers::Iterator::operator*() const {
  const auto at = FromView<dom::object::iterator>(view_);
  return {at.key(), JsonValue(ToView(at.value()))};
}
JsonMembers::Iterator& JsonMembers::Iterator::operator++() {
  auto at = FromView<dom::object::iterator>(view_);
  view_ = ToView(++at);
  return *this;
}

JsonElements::Iterator JsonElements::begin() const {
  return Iterator(ToView(FromView<dom::array>(view_).begin()));
}
JsonElements::Iterator JsonElements::end() const {
  return Iterator(ToView(FromView<dom::array>(view_).end()));
}
std::size_t JsonElements::size() const { return FromView<dom::array>(view_).size(); }

JsonValue JsonElements::Iterator::operator*() const {
  return JsonValue(ToView(*FromView<dom::array::iterator>(view_)));
}
JsonElements::Iterator& JsonElements::Iterator::operator++() {
  auto at = FromView<dom::array::iterator>(view_);
  view_ = ToView(++at);
  return *this;
}

Result<void> RefuseCaseVariants(JsonValue object, std::initializer_list<std::string_view> names) {
  const auto members = object.AsObject();
  if (!members) return {};
  for (const JsonMember& member : *members) {
    for (const std::string_view name : names) {
      if (member.name != name && EqualFolded(member.name, name)) {
        return Fail(Reason::kMalformed,
                    "JSON refused: \"" + std::string(name) + "\" in another case");
      }
    }
  }
  return {};
}

}  // namespace crivet::trust
