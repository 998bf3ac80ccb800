// SPDX-License-Identifier: Apache-2.0

// The writing half of json.h.

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "trust/signed/json.h"
#include "trust/signed/json_view.h"

namespace crivet::trust {
namespace {

namespace dom = simdjson::dom;
using json_view::FromView;

// True where one of eight characters is `"` or `\`, the two that canonical JSON escapes.
bool HoldsEscaped(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  // Has a high bit set if one of the eight bytes is zero.
  const auto has_zero = [](std::uint64_t v) { return (v - kOnes) & ~v & kHighBits; };
  return (has_zero(eight ^ kOnes * '"') | has_zero(eight ^ kOnes * '\\')) != 0;
}

// Writes into a buffer of its own, which goes to the sink when full: most pieces are a few bytes.
template <typename Sink>
class CanonicalWriter {
 public:
  explicit CanonicalWriter(Sink sink) : sink_(std::move(sink)) {}
  ~CanonicalWriter() { Flush(); }
  CanonicalWriter(const CanonicalWriter&) = delete;
  CanonicalWriter& operator=(const CanonicalWriter&) = delete;

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
        Put(value.get_bool().value_unsafe() ? std::string_view("true") : "false");
        return;
      case dom::element_type::NULL_VALUE:
        Put(std::string_view("null"));
        return;
      case dom::element_type::UINT64:
      case dom::element_type::DOUBLE:
        return;  // no document holds one: StrictnessCheck
    }
  }

 private:
  void WriteObject(const dom::object& object) {
    const auto end = object.end();
    bool ascending = true;
    std::string_view last;  // no name is less than the empty one
    for (auto member = object.begin(); ascending && member != end; ++member) {
      const std::string_view name = member.key();
      ascending = last <= name;
      last = name;
    }
    Put('{');
    if (ascending) {
      bool first = true;
      for (auto member = object.begin(); member != end; ++member) {
        if (!first) Put(',');
        first = false;
        WriteMember(member.key(), member.value());
      }
    } else {
      WriteSorted(object);
    }
    Put('}');
  }

  void WriteSorted(const dom::object& object) {
    std::vector<std::pair<std::string_view, dom::element>> members;
    for (auto member = object.begin(); member != object.end(); ++member) {
      members.emplace_back(member.key(), member.value());
    }
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    bool first = true;
    for (const auto& [name, value] : members) {
      if (!first) Put(',');
      first = false;
      WriteMember(name, value);
    }
  }

  void WriteMember(std::string_view name, const dom::element& value) {
    WriteString(name);
    Put(':');
    Write(value);
  }

  void WriteArray(const dom::array& array) {
    Put('[');
    bool first = true;
    for (const dom::element element : array) {
      if (!first) Put(',');
      first = false;
      Write(element);
    }
    Put(']');
  }

  void WriteString(std::string_view text) {
    Put('"');
    // In pieces that fit the buffer even if every character is escaped.
    for (; text.size() > kPiece; text.remove_prefix(kPiece)) PutEscaped(text.substr(0, kPiece));
    PutEscaped(text);
    Put('"');
  }

  void PutEscaped(std::string_view text) {
    if (2 * text.size() > buffer_.size() - used_) Flush();
    char* at = buffer_.data() + used_;
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
      if (text.front() == '"' || text.front() == '\\') *at++ = '\\';
      *at++ = text.front();
      text.remove_prefix(1);
    }
    used_ = static_cast<std::size_t>(at - buffer_.data());
  }

  void WriteInteger(std::int64_t number) {
    char digits[24];
    const auto* end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    Put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }

  void Put(char c) {
    if (used_ == buffer_.size()) Flush();
    buffer_[used_++] = c;
  }

  // For literals and numbers: shorter than the buffer by far.
  void Put(std::string_view text) {
    if (text.size() > buffer_.size() - used_) Flush();
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  void Flush() {
    sink_(std::string_view(buffer_.data(), used_));
    used_ = 0;
  }

  static constexpr std::size_t kPiece = 4096;

  Sink sink_;
  std::size_t used_ = 0;
  std::array<char, 2 * kPiece> buffer_;
};

}  // namespace

void AppendCanonical(JsonValue value, std::string& out) {
  CanonicalWriter([&out](std::string_view piece) {
    out += piece;
  }).Write(FromView<dom::element>(value.view_));
}

std::string Canonical(JsonValue value) {
  std::string out;
  AppendCanonical(value, out);
  return out;
}

Sha256 CanonicalSha256(JsonValue value) {
  Sha256Stream stream;
  CanonicalWriter([&stream](std::string_view piece) {
    stream.Add(piece);
  }).Write(FromView<dom::element>(value.view_));
  return stream.Finish();
}

}  // namespace crivet::trust
