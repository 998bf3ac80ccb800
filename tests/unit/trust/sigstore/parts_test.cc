// SPDX-License-Identifier: Apache-2.0
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/signed/json.h"
#include "trust/sigstore/claim.h"
#include "trust/sigstore/identity.h"
#include "trust/sigstore/merkle.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

struct PatternRow {
  const char* pattern;
  const char* text;
  bool matches;
};
std::ostream& operator<<(std::ostream& out, const PatternRow& row) {
  return out << row.pattern << " on " << row.text;
}
const PatternRow kPatterns[] = {
    {"https://git.example/a", "https://git.example/a", true},
    {"https://git.example/a", "https://git.example/ab", false},
    {"https://git.example/a", "xhttps://git.example/a", false},
    {"https://git.example/*", "https://git.example/a", true},
    {"https://git.example/*", "https://git.example/a/b", false},
    {"https://git.example/**", "https://git.example/a/b", true},
    {"https://git.example/**", "https://evil.example/https://git.example/a", false},
    {"https://git.example/*/x@refs/tags/*", "https://git.example/a/x@refs/tags/v1", true},
    {"https://git.example/*/x@refs/tags/*", "https://git.example/a/b/x@refs/tags/v1", false},
    {"*", "", true},
    {"*@acme.example", "alice@acme.example", true},
    {"*@acme.example", "alice@acme.example.evil", false},
    {"**", "any/thing", true},
    {"a.c", "abc", false},
};

// RFC 9162 2.1.5's tree of seven entries, here of their numbers as texts.
std::string Node(const std::string& left, const std::string& right) {
  const Sha256 hash = Sha256Of(std::string("\x01", 1) + left + right);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

BOOST_AUTO_TEST_SUITE(SigstorePartsTest)

BOOST_DATA_TEST_CASE(Pattern_CoversTheWholeText, kPatterns, row) {
  const auto pattern = TextPattern::Parse(row.pattern);
  BOOST_REQUIRE(pattern);
  BOOST_CHECK_EQUAL(pattern->Matches(row.text), row.matches);
}

BOOST_AUTO_TEST_CASE(Pattern_EmptyTooLongOrThreeAsterisks_IsMalformed) {
  BOOST_CHECK(!TextPattern::Parse(""));
  BOOST_CHECK(!TextPattern::Parse("a***"));
  BOOST_CHECK(TextPattern::Parse(std::string(TextPattern::kMaxSize, 'a')));
  BOOST_CHECK(!TextPattern::Parse(std::string(TextPattern::kMaxSize + 1, 'a')));
}

BOOST_AUTO_TEST_CASE(Pattern_ManyAsterisksOnALongText_EndsSoon) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "*a";
  const auto pattern = TextPattern::Parse(text);
  BOOST_REQUIRE(pattern);
  BOOST_CHECK(!pattern->Matches(std::string(4000, 'a') + "b"));
}

BOOST_AUTO_TEST_CASE(Inclusion_EveryLeafOfTreesUpToEight_AndNothingElse) {
  for (std::uint64_t size = 1; size <= 8; ++size) {
    std::vector<std::string> leaves;
    for (std::uint64_t i = 0; i < size; ++i) leaves.push_back(LeafHash(std::to_string(i)));
    // MTH and PATH of RFC 9162 2.1.1 and 2.1.3.1, word for word.
    const auto split = [](std::size_t n) {
      std::size_t k = 1;
      while (k * 2 < n) k *= 2;
      return k;
    };
    const std::function<std::string(std::size_t, std::size_t)> root =
        [&](std::size_t from, std::size_t n) -> std::string {
      if (n == 1) return leaves[from];
      const std::size_t k = split(n);
      return Node(root(from, k), root(from + k, n - k));
    };
    const std::function<std::vector<std::string>(std::size_t, std::size_t, std::size_t)> path =
        [&](std::size_t m, std::size_t from, std::size_t n) -> std::vector<std::string> {
      if (n == 1) return {};
      const std::size_t k = split(n);
      auto hashes = m < k ? path(m, from, k) : path(m - k, from + k, n - k);
      hashes.push_back(m < k ? root(from + k, n - k) : root(from, k));
      return hashes;
    };
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto hashes = path(i, 0, size);
      BOOST_CHECK(IsIncluded(leaves[i], i, size, hashes, root(0, size)));
      for (std::uint64_t other = 0; other <= size; ++other) {
        if (other == i) continue;
        BOOST_CHECK(!IsIncluded(leaves[i], other, size, hashes, root(0, size)));
      }
      auto longer = hashes;
      longer.push_back(leaves[0]);
      BOOST_CHECK(!IsIncluded(leaves[i], i, size, longer, root(0, size)));
      if (!hashes.empty()) {
        auto shorter = hashes;
        shorter.pop_back();
        BOOST_CHECK(!IsIncluded(leaves[i], i, size, shorter, root(0, size)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Bytes_OfBothAlphabets_PaddedOrNot) {
  BOOST_CHECK(BytesOf("+/8=") == "\xfb\xff");
  BOOST_CHECK(BytesOf("-_8") == "\xfb\xff");
  BOOST_CHECK(BytesOf("-_8=") == "\xfb\xff");
  BOOST_CHECK(!BytesOf("+/\n8="));
  BOOST_CHECK(!BytesOf("+/8=="));
  BOOST_CHECK(!BytesOf("+/8 "));
}

struct NumberRow {
  const char* json;
  bool good;
};
std::ostream& operator<<(std::ostream& out, const NumberRow& row) { return out << row.json; }
const NumberRow kNumbers[] = {
    {R"({"n":"0"})", true},
    {R"({"n":0})", true},
    {R"({"n":"9223372036854775807"})", true},
    {R"({"n":"9223372036854775808"})", false},
    {R"({"n":"-1"})", false},
    {R"({"n":-1})", false},
    {R"({"n":""})", false},
    {R"({"n":" 1"})", false},
    {R"({"n":"1x"})", false},
    {R"({"n":true})", false},
    {R"({"n":null})", false},
    {R"({})", false},
};

BOOST_DATA_TEST_CASE(Number_AsTextOrNumber, kNumbers, row) {
  const auto document = JsonDocument::Parse(row.json, {});
  BOOST_REQUIRE(document);
  const auto reader = MessageReader::Closed(document->root(), "it", {"n"});
  BOOST_REQUIRE(reader);
  BOOST_CHECK_EQUAL(reader->Number("n").has_value(), row.good);
}

std::string Simple(const std::string& critical, const std::string& rest = "") {
  return R"({"critical":{)" + critical + "}" + rest + "}";
}
const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kGoodCritical =
    R"("type":"cosign container image signature","identity":{"docker-reference":"r.example/a"},)"
    R"("image":{"docker-manifest-digest":")" +
    kDigest + R"("})";

SignatureResult<Claim> ReadSimple(const std::string& payload) {
  return ReadSimpleSigning(
      payload,
      {.digest = *Sha256Digest::Parse(kDigest), .repository = "r.example/a", .tag = "1.0"});
}

BOOST_AUTO_TEST_CASE(Statement_OfNoVersionThatIsKnown_IsMalformed) {
  const auto read = [](const std::string& type) {
    return ReadStatement(
        "application/vnd.in-toto+json",
        "{" + type + R"("predicateType":"https://sigstore.dev/cosign/sign/v1",)" +
            R"("subject":[{"digest":{"sha256":")" + kDigest.substr(7) + R"("}}]})",
        {.digest = *Sha256Digest::Parse(kDigest), .repository = "r.example/a", .tag = "1.0"});
  };
  BOOST_CHECK(read(R"("_type":"https://in-toto.io/Statement/v1",)"));
  BOOST_CHECK(read(R"("_type":"https://in-toto.io/Statement/v0.1",)"));
  for (const char* type :
       {"", R"("_type":"https://in-toto.io/Statement/v2",)", R"("_type":null,)", R"("_type":"",)",
        R"("_type":1,)", R"("type":"https://in-toto.io/Statement/v1",)"}) {
    const auto refused = read(type);
    BOOST_REQUIRE_MESSAGE(!refused, type);
    BOOST_CHECK(refused.error().reason == SignatureReason::kMalformed);
  }
}

BOOST_AUTO_TEST_CASE(SimpleSigning_CriticalIsAClosedSet) {
  BOOST_CHECK(ReadSimple(Simple(kGoodCritical)));
  BOOST_CHECK(ReadSimple(Simple(kGoodCritical, R"(,"optional":null)")));
  BOOST_CHECK(ReadSimple(Simple(kGoodCritical, R"(,"optional":{"tag":"1.0","n":1})")));
  BOOST_CHECK(!ReadSimple(Simple(kGoodCritical + R"(,"new":1)")));
  BOOST_CHECK(!ReadSimple(Simple(kGoodCritical, R"(,"new":1)")));
  BOOST_CHECK(!ReadSimple(Simple(kGoodCritical + "," + kGoodCritical)));
}

BOOST_AUTO_TEST_CASE(SimpleSigning_ReferenceWithATag_IsTheTagThatWasAskedFor) {
  const auto with = [](const std::string& reference) {
    std::string critical = kGoodCritical;
    critical.replace(critical.find("r.example/a"), 11, reference);
    return ReadSimple(Simple(critical)).has_value();
  };
  BOOST_CHECK(with("r.example/a:1.0"));
  BOOST_CHECK(!with("r.example/a:2.0"));
  BOOST_CHECK(!with("r.example/b"));
  BOOST_CHECK(with("r.example/a@" + kDigest));
  BOOST_CHECK(!with("r.example/a@sha256:" + std::string(64, 'b')));
  BOOST_CHECK(!with("r.example/a@sha512:" + std::string(128, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
