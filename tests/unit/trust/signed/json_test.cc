// SPDX-License-Identifier: Apache-2.0
#include "trust/signed/json.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <vector>

#include "tests/support/trust/vectors.h"
#include "trust/base/bytes.h"

using namespace crivet::trust;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

namespace {

Result<std::string> CanonicalOf(std::string_view text) {
  auto document = JsonDocument::Parse(text, {});
  if (!document) return tl::unexpected(document.error());
  return Canonical(document->root());
}

std::string Nested(std::size_t depth) {
  return std::string(depth, '[') + "1" + std::string(depth, ']');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(JsonTest)

// What Notary's encoder does; lines marked "refuse" are those where we are stricter.
BOOST_AUTO_TEST_CASE(Canonical_Vectors_AgreeWithNotaryOrAreRefused) {
  const auto lines = ReadTestLines("vectors/canonical_json.jsonl");
  BOOST_TEST(lines.size() == 31u);
  std::size_t written = 0;
  for (const std::string& line : lines) {
    BOOST_TEST_CONTEXT(line) {
      const auto vector = JsonDocument::Parse(line, {}).value();
      const auto input = FromHex(vector.root().Find("input_hex")->AsString().value()).value();
      const auto expected = vector.root().Find("canonical_hex");
      const auto canonical = CanonicalOf(input);
      if (!expected || vector.root().Find("ours")) {
        BOOST_REQUIRE(!canonical.has_value());
        BOOST_TEST((canonical.error().reason == Reason::kMalformed));
        continue;
      }
      ++written;
      BOOST_REQUIRE(canonical.has_value());
      BOOST_TEST(ToHex(AsBytes(*canonical)) == expected->AsString().value());
    }
  }
  BOOST_TEST(written >= 7u);
}

struct Rewriting {
  std::string text;
  std::string canonical;
};
std::ostream& operator<<(std::ostream& out, const Rewriting& r) { return out << r.text; }

const Rewriting kRewritings[] = {
    {"{}", "{}"},
    {" [ ] ", "[]"},
    {"[{},[]]", "[{},[]]"},
    {"\t{ \"b\" : [ 1 , true , null ] ,\n \"a\" : \"x\" }\r\n",
     "{\"a\":\"x\",\"b\":[1,true,null]}"},
    {"\"x\"", "\"x\""},
    {"true", "true"},
    {"[\",\"]", "[\",\"]"},
    {"{\"\":0,\"a\":1}", "{\"\":0,\"a\":1}"},
    {"{\"a\":1,\"\":0}", "{\"\":0,\"a\":1}"},
    // Sorted by bytes: '-' 'A' '_' 'a', and U+FFFF before U+1F600.
    {"{\"a\":1,\"_\":2,\"A\":3,\"-\":4}", "{\"-\":4,\"A\":3,\"_\":2,\"a\":1}"},
    {"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbf\":2}", "{\"\xef\xbf\xbf\":2,\"\xf0\x9f\x98\x80\":1}"},
    {"{\"\\u0061\":1,\"\\ud83d\\ude00\":2}", "{\"a\":1,\"\xf0\x9f\x98\x80\":2}"},
    {R"({"a":{"z":{"y":1,"x":2},"b":3}})", R"({"a":{"b":3,"z":{"x":2,"y":1}}})"},
    // Only the quote and the backslash are escaped.
    {R"("\"\\\/\b\f\n\r\t\u0000\u001f\u007f<>&\u2028")",
     "\"\\\"\\\\/\b\f\n\r\t\0\x1f\x7f<>&\xe2\x80\xa8\""s},
    {"[0,-1,9007199254740991,-9007199254740991]", "[0,-1,9007199254740991,-9007199254740991]"},
    // Looks like a negative zero, is text.
    {R"({"a":":-0","b":"\":-0","c":"1-0","d":-10})",
     R"({"a":":-0","b":"\":-0","c":"1-0","d":-10})"},
};
BOOST_DATA_TEST_CASE(Canonical_AcceptedText_IsOneSpelling, data::make(kRewritings), row) {
  const auto canonical = CanonicalOf(row.text);
  BOOST_REQUIRE(canonical.has_value());
  BOOST_TEST(*canonical == row.canonical);
}

BOOST_AUTO_TEST_CASE(Canonical_ReadAgain_IsTheSame) {
  // A raw control character stands in canonical JSON and in no JSON text: those rows are left out.
  for (const Rewriting& row : kRewritings) {
    const auto again = CanonicalOf(row.canonical);
    if (!again) continue;
    BOOST_TEST_CONTEXT(row.text) { BOOST_TEST(*again == row.canonical); }
  }
}

BOOST_AUTO_TEST_CASE(AppendCanonical_BufferWithText_KeepsIt) {
  const auto document = JsonDocument::Parse("[]", {}).value();
  std::string out = "before,";
  AppendCanonical(document.root(), out);
  BOOST_TEST(out == "before,[]");
}

const std::string kRefused[] = {
    // Duplicates, wherever they hide.
    R"({"a":1,"a":1})",
    R"({"a":1,"b":2,"a":3})",
    R"({"b":1,"a":2,"b":3})",
    R"({"a":1,"\u0061":2})",
    R"({"":1,"":2})",
    R"({"x":[{"y":{"a":1,"a":2}}]})",
    R"([{"a":1},{"a":1,"a":2}])",
    "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
    // Numbers that Notary's encoder takes for others.
    "1.0",
    "1.5",
    "1e3",
    "1E3",
    "1e-400",
    "1e400",
    "0.0",
    "0e0",
    "-0",
    "[-0]",
    "[1,-0]",
    "{\"a\":-0}",
    "{\"a\": \n -0}",
    "-0.0",
    "9007199254740992",
    "-9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "100000000000000000000000000000000000000000",
    // Numbers that are not JSON.
    "+1",
    "01",
    "-01",
    "-",
    "1.",
    ".5",
    "0x1",
    "1_000",
    "NaN",
    "Infinity",
    // Strings.
    R"("\ud83d")",
    R"("\ude00")",
    R"("\ud83d\ud83d")",
    R"("\ud83dx")",
    R"("\ud83d\n")",
    R"("\ude00\ud83d")",
    R"({"\ud83d":1})",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xe2\x82\"",
    "\"\x80\"",
    "{\"\xff\":1}",
    "\"\n\"",
    "\"\0\""s,
    "\"\x1f\"",
    R"("\'")",
    R"("\x41")",
    R"("\u12")",
    R"("\u12g4")",
    R"("\)",
    R"("abc)",
    "'a'",
    // Shape.
    "",
    " ",
    "\0"s,
    "{",
    "}",
    "[1,]",
    "{\"a\":1,}",
    "[,1]",
    "[1 2]",
    "{\"a\" 1}",
    "{\"a\":}",
    "{a:1}",
    "{1:1}",
    "{\"a\":1}x",
    "{\"a\":1}{}",
    "{} {}",
    "[]\0"s,
    "1 2",
    "nul",
    "nulll",
    "TRUE",
    "// x\n1",
    "/**/1",
    "\xef\xbb\xbf{}",
    "\xff\xfe{\0}\0"s,
    "[\xc2\xa0]",
    "\f{}",
};
BOOST_DATA_TEST_CASE(Parse_WhatTwoReadersCouldTakeDifferently_IsRefused, data::make(kRefused),
                     text) {
  const auto document = JsonDocument::Parse(text, {});
  BOOST_REQUIRE(!document.has_value());
  BOOST_TEST((document.error().reason == Reason::kMalformed));
}

BOOST_AUTO_TEST_CASE(Parse_Depth_IsCappedExactly) {
  for (const std::size_t depth : {1u, 2u, 16u, 64u}) {
    BOOST_TEST_CONTEXT(depth) {
      const JsonLimits limits{.max_depth = depth};
      BOOST_TEST(JsonDocument::Parse(Nested(depth), limits).has_value());
      BOOST_TEST(!JsonDocument::Parse(Nested(depth + 1), limits).has_value());
      std::string objects = "1";
      for (std::size_t i = 0; i < depth; ++i) objects = "{\"a\":" + objects + "}";
      BOOST_TEST(JsonDocument::Parse(objects, limits).has_value());
      BOOST_TEST(!JsonDocument::Parse("[" + objects + "]", limits).has_value());
      BOOST_TEST(!JsonDocument::Parse("{\"a\":[" + objects + "]}", limits).has_value());
    }
  }
  BOOST_TEST(JsonDocument::Parse("1", {.max_depth = 0}).has_value());
  BOOST_TEST(!JsonDocument::Parse("[]", {.max_depth = 0}).has_value());
}

BOOST_AUTO_TEST_CASE(Parse_ThreeMillionLevels_IsRefusedWithoutRecursion) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 3'000'000; ++i) text += open;
    BOOST_TEST(!JsonDocument::Parse(text, {.max_bytes = text.size()}).has_value());
  }
}

BOOST_AUTO_TEST_CASE(Parse_Size_IsCappedExactly) {
  const std::string text = R"({"a":1})";
  BOOST_TEST(JsonDocument::Parse(text, {.max_bytes = text.size()}).has_value());
  BOOST_TEST(!JsonDocument::Parse(text, {.max_bytes = text.size() - 1}).has_value());
  // White space counts: it is read, too.
  BOOST_TEST(!JsonDocument::Parse(text + " ", {.max_bytes = text.size()}).has_value());
}

BOOST_AUTO_TEST_CASE(Parse_NumberOfValues_IsCappedExactly) {
  const std::string text = R"({"a":[1,2,{"b":3}],"c":4})";
  BOOST_TEST(JsonDocument::Parse(text, {.max_values = 6}).has_value());
  BOOST_TEST(!JsonDocument::Parse(text, {.max_values = 5}).has_value());
}

BOOST_AUTO_TEST_CASE(Parse_TextThatGoesAway_LeavesTheDocument) {
  auto text = std::make_unique<std::string>(R"({"name":"value"})");
  auto document = JsonDocument::Parse(*text, {}).value();
  const JsonValue root = document.root();
  text.reset();
  const JsonDocument moved = std::move(document);
  BOOST_TEST(root.Find("name")->AsString().value() == "value");
  BOOST_TEST(moved.root().Find("name")->AsString().value() == "value");
}

BOOST_AUTO_TEST_CASE(Value_OfEachType_AnswersOnlyToItsType) {
  const auto document = JsonDocument::Parse(R"([null,true,-7,"s",[1],{"k":1}])", {}).value();
  std::vector<JsonValue> values;
  const JsonElements elements = document.root().AsArray().value();
  for (const JsonValue value : elements) values.push_back(value);
  const JsonType types[] = {JsonType::kNull,   JsonType::kBool,  JsonType::kInteger,
                            JsonType::kString, JsonType::kArray, JsonType::kObject};
  BOOST_REQUIRE(values.size() == std::size(types));
  for (std::size_t i = 0; i < values.size(); ++i) {
    BOOST_TEST_CONTEXT(i) {
      BOOST_TEST((values[i].type() == types[i]));
      BOOST_TEST(values[i].AsBool().has_value() == (types[i] == JsonType::kBool));
      BOOST_TEST(values[i].AsInteger().has_value() == (types[i] == JsonType::kInteger));
      BOOST_TEST(values[i].AsString().has_value() == (types[i] == JsonType::kString));
      BOOST_TEST(values[i].AsArray().has_value() == (types[i] == JsonType::kArray));
      BOOST_TEST(values[i].AsObject().has_value() == (types[i] == JsonType::kObject));
      BOOST_TEST(values[i].Find("k").has_value() == (types[i] == JsonType::kObject));
    }
  }
  BOOST_TEST(values[1].AsBool().value());
  BOOST_TEST(values[2].AsInteger().value() == -7);
  BOOST_TEST(values[3].AsString().value() == "s");
  BOOST_TEST(document.root().AsArray()->size() == 6u);
}

BOOST_AUTO_TEST_CASE(Members_OfAnObject_ComeInTheOrderOfTheText) {
  const auto document = JsonDocument::Parse(R"({"b":1,"a":{"x":[]},"":"c"})", {}).value();
  const auto members = document.root().AsObject().value();
  BOOST_TEST(members.size() == 3u);
  std::vector<std::string> names;
  for (const JsonMember& member : members) names.emplace_back(member.name);
  BOOST_TEST(names == (std::vector<std::string>{"b", "a", ""}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Find_Name_IsComparedByteByByte) {
  const auto document =
      JsonDocument::Parse(R"({"signed":1,"Signed":2,"a\u0000b":3,"a":4})", {}).value();
  const JsonValue root = document.root();
  BOOST_TEST(root.Find("signed")->AsInteger().value() == 1);
  BOOST_TEST(root.Find("Signed")->AsInteger().value() == 2);
  BOOST_TEST(root.Find("a\0b"s)->AsInteger().value() == 3);
  BOOST_TEST(root.Find("a")->AsInteger().value() == 4);
  for (const char* name : {"SIGNED", "signe", "signedx", ""}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(!root.Find(name).has_value()); }
  }
}

// Pieces of every size around that of the writer's buffer.
BOOST_AUTO_TEST_CASE(CanonicalSha256_AnyLength_IsTheHashOfTheText) {
  for (const std::size_t size :
       {0u, 1u, 7u, 8u, 9u, 4094u, 4095u, 4096u, 4097u, 8190u, 8191u, 8192u, 8193u, 50000u}) {
    std::string escaped;
    for (std::size_t i = 0; i < size; ++i) escaped += "\\\"";
    const std::string json = "[\"" + std::string(size, 'x') + "\",\"" + escaped + "\",1]";
    BOOST_TEST_CONTEXT(size) {
      const auto document = JsonDocument::Parse(json, {}).value();
      BOOST_TEST(Canonical(document.root()) == json);
      BOOST_TEST((CanonicalSha256(document.root()) == Sha256Of(json)));
    }
  }
}

struct CaseVariant {
  const char* text;
  bool passes;
};
std::ostream& operator<<(std::ostream& out, const CaseVariant& v) { return out << v.text; }

const CaseVariant kCaseVariants[] = {
    {R"({"signed":1,"signatures":2})", true},
    {R"({"other":1,"sign":2,"signedx":3})", true},
    {R"({})", true},
    {R"([])", true},
    {R"({"Signed":1})", false},
    {R"({"signed":1,"SIGNED":2})", false},
    {R"({"signatureS":1})", false},
    // Go folds these two letters into ASCII.
    {"{\"\xc5\xbfigned\":1}", false},
    {"{\"signature\xc5\xbf\":1}", false},
    {"{\"\xe2\x84\xaa"
     "eys\":1}",
     false},
};
BOOST_DATA_TEST_CASE(RefuseCaseVariants_NameInAnotherCase_IsRefused, data::make(kCaseVariants),
                     row) {
  const auto document = JsonDocument::Parse(row.text, {}).value();
  const auto checked = RefuseCaseVariants(document.root(), {"signed", "signatures", "keys"});
  BOOST_TEST(checked.has_value() == row.passes);
  if (!checked) BOOST_TEST((checked.error().reason == Reason::kMalformed));
}

BOOST_AUTO_TEST_SUITE_END()
