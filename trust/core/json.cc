#include "trust/core/json.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

namespace crivet::trust {
namespace {

namespace dom = simdjson::dom;

// Beyond this a double no longer holds every integer, and Notary's encoder goes through a double.
constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

using View = std::array<std::size_t, 2>;

// Every view of simdjson is a document and a place on its tape, and trivially copyable.
template <typename T>
T FromView(const View& view) {
  static_assert(sizeof(T) == sizeof(View) && alignof(T) <= alignof(View));
  return std::bit_cast<T>(view);
}
template <typename T>
View ToView(const T& value) {
  return std::bit_cast<View>(value);
}

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
    for (auto member = object.begin(); member != object.end(); ++member) {
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

// Appends to a string through a cursor of its own: a document of 100 000 tags has millions of
// pieces, and a call of the library for each would take most of the time.
class Output {
 public:
  explicit Output(std::string& text) : text_(text), size_(text.size()) {}
  ~Output() { text_.resize(size_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Room for `size` bytes at the end; Advance says how many of them were used.
  char* Room(std::size_t size) {
    if (text_.size() - size_ < size) Grow(size);
    return text_.data() + size_;
  }
  void Advance(const char* end) { size_ = static_cast<std::size_t>(end - text_.data()); }

  void Put(char c) {
    *Room(1) = c;
    ++size_;
  }
  void Put(std::string_view text) {
    std::memcpy(Room(text.size()), text.data(), text.size());
    size_ += text.size();
  }

  char& back() { return text_[size_ - 1]; }

 private:
  void Grow(std::size_t size) {
    text_.resize(std::max({size_ + size, 2 * text_.size(), text_.capacity()}));
  }

  std::string& text_;
  std::size_t size_;  // what is written of text_
};

// Whether one of eight characters is `"` or `\`. Bit tricks: a byte of `x` is zero exactly where
// subtracting one borrows into its highest bit.
bool HoldsEscaped(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = kOnes * 0x80;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  return (has_zero(eight ^ (kOnes * '"')) | has_zero(eight ^ (kOnes * '\\'))) != 0;
}

class CanonicalWriter {
 public:
  explicit CanonicalWriter(std::string& out) : out_(out) {}

  void Write(const dom::element& value) {
    switch (value.type()) {
      case dom::element_type::OBJECT:
        WriteObject(value.get_object().value_unsafe());
        return;
      case dom::element_type::ARRAY:
        WriteArray(value.get_array().value_unsafe());
        return;
      case dom::element_type::STRING:
        WriteString(value.get_string().value_unsafe());
        return;
      case dom::element_type::INT64:
        WriteInteger(value.get_int64().value_unsafe());
        return;
      case dom::element_type::BOOL:
        out_.Put(value.get_bool().value_unsafe() ? "true" : "false");
        return;
      case dom::element_type::NULL_VALUE:
        out_.Put("null");
        return;
      case dom::element_type::UINT64:
      case dom::element_type::DOUBLE:
        return;  // no document holds one: StrictnessCheck
    }
  }

 private:
  void WriteObject(const dom::object& object) {
    // Almost every writer sorts. Found out before anything is written: undoing what was written
    // would double the work with every level of nesting.
    if (!IsSorted(object)) return WriteSorted(object);
    out_.Put('{');
    for (auto member = object.begin(); member != object.end(); ++member) {
      WriteMember(member.key(), member.value());
    }
    Close('}');
  }

  static bool IsSorted(const dom::object& object) {
    auto member = object.begin();
    if (member == object.end()) return true;
    std::string_view last = member.key();
    for (++member; member != object.end(); ++member) {
      const std::string_view name = member.key();
      if (name <= last) return false;
      last = name;
    }
    return true;
  }

  void WriteSorted(const dom::object& object) {
    std::vector<std::pair<std::string_view, dom::element>> members;
    for (auto member = object.begin(); member != object.end(); ++member) {
      members.emplace_back(member.key(), member.value());
    }
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    out_.Put('{');
    for (const auto& [name, value] : members) WriteMember(name, value);
    Close('}');
  }

  void WriteMember(std::string_view name, const dom::element& value) {
    WriteString(name);
    out_.Put(':');
    Write(value);
    out_.Put(',');
  }

  void WriteArray(const dom::array& array) {
    out_.Put('[');
    for (const dom::element element : array) {
      Write(element);
      out_.Put(',');
    }
    Close(']');
  }

  // The comma after the last member gives way to the bracket.
  void Close(char bracket) {
    if (out_.back() == ',') {
      out_.back() = bracket;
    } else {
      out_.Put(bracket);
    }
  }

  void WriteString(std::string_view text) {
    char* at = out_.Room(2 * text.size() + 2);
    *at++ = '"';
    while (!text.empty()) {
      std::uint64_t eight = 0;
      if (text.size() >= sizeof eight) {
        std::memcpy(&eight, text.data(), sizeof eight);
        if (!HoldsEscaped(eight)) {
          std::memcpy(at, &eight, sizeof eight);
          at += sizeof eight;
          text.remove_prefix(sizeof eight);
          continue;
        }
      }
      const char c = text.front();
      if (c == '"' || c == '\\') *at++ = '\\';
      *at++ = c;
      text.remove_prefix(1);
    }
    *at++ = '"';
    out_.Advance(at);
  }

  void WriteInteger(std::int64_t number) {
    constexpr std::size_t kMaxDigits = 24;
    char* const at = out_.Room(kMaxDigits);
    out_.Advance(std::to_chars(at, at + kMaxDigits, number).ptr);
  }

  Output out_;
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
  if (HasNegativeZero(text)) return malformed("a negative zero");
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

void AppendCanonical(JsonValue value, std::string& out) {
  CanonicalWriter(out).Write(FromView<dom::element>(value.view_));
}

std::string Canonical(JsonValue value) {
  std::string out;
  AppendCanonical(value, out);
  return out;
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
