// SPDX-License-Identifier: Apache-2.0
#include "trust/toml/toml_document.h"

#include <boost/test/unit_test.hpp>

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(TomlDocumentTest)

// The screen before the library must not be narrower than TOML.
BOOST_AUTO_TEST_CASE(EveryForm_IsRead) {
  const std::string text =
      "\t# caf\xC3\xA9\r\n"
      "bare-key_1 = \"caf\xC3\xA9 \\u00e9 \\\" # no comment\"  # comment\n"
      "\"quoted \xC3\xA9\".'literal \xC3\xA9' . b=1\n"
      "'' = '''\nit's \"\xC3\xA9\"'''''\r\n"
      "folded = \"\"\"\\\n  one \xC3\xA9 \\   \n\n  two\\\\\"\"\"\"\n"
      "numbers = [ -1, +1_000, 0xfF, 0o7, 0b1, 1.5e-3, +inf, nan, true, ] # end\n"
      "times = [1979-05-27T07:32:00.5-07:00, 1979-05-27T07:32:00, 1979-05-27, 07:32:00]\n"
      "table = { a . \"b\" = [ {}, { c = '\xC3\xA9' } ], d = [[], [1]] }\n"
      "lines = [ # one\n\n\"a\"# \xC3\xA9\n,\r\n[\n{ x = 1 }\n]\n, # two\n]\n"
      "[ t . \"\xC3\xA9\" ] # header\n"
      "\t x=1\n"
      "[[r]]\n"
      "[[ r ]]\n"
      "[r.s]\n"
      "last = {}";
  const auto document = ParseToml(text);
  BOOST_REQUIRE_MESSAGE(document, document.error().at.line << ":" << document.error().at.column
                                                           << ": " << document.error().what);
  BOOST_REQUIRE(document->size() == 10U);
  const auto string_at = [&](std::size_t i) {
    return std::get<std::string>((*document)[i].value.value);
  };
  BOOST_TEST(string_at(0) == "caf\xC3\xA9 \xC3\xA9 \" # no comment");
  BOOST_TEST((*document)[1].key == "quoted \xC3\xA9");
  BOOST_TEST(string_at(2) == "it's \"\xC3\xA9\"''");
  BOOST_TEST(string_at(3) == "one \xC3\xA9 two\\\"");
  BOOST_TEST(std::get<TomlArray>((*document)[4].value.value).size() == 9U);
  BOOST_TEST(std::get<TomlArray>((*document)[5].value.value).size() == 4U);
  BOOST_TEST(std::get<TomlTable>((*document)[6].value.value).size() == 2U);
  BOOST_TEST(std::get<TomlArray>((*document)[7].value.value).size() == 2U);
  BOOST_TEST(std::get<TomlTable>((*document)[8].value.value).size() == 1U);
  BOOST_TEST(std::get<TomlArray>((*document)[9].value.value).size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
