// SPDX-License-Identifier: Apache-2.0
#include "trust/base/image_reference.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <unordered_set>

#include "tests/support/trust/vectors.h"
#include "trust/signed/json.h"

using namespace crivet::trust;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

namespace {

const std::string kHex = "7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";
const std::string kDigest = "sha256:" + kHex;

ImageReference Reference(std::string_view text) { return ImageReference::Parse(text).value(); }

std::map<std::string, std::string> StringMembers(const std::string& line) {
  const auto document = JsonDocument::Parse(line, {}).value();
  std::map<std::string, std::string> members;
  const JsonMembers object = document.root().AsObject().value();
  for (const auto& [name, value] : object) {
    members.emplace(name, value.AsString().value());
  }
  return members;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ImageReferenceTest)

BOOST_AUTO_TEST_CASE(Parse_Vectors_AgreeWithContainerd) {
  const auto lines = ReadTestLines("vectors/reference.jsonl");
  BOOST_TEST(lines.size() == 96u);
  std::size_t accepted = 0;
  for (const std::string& line : lines) {
    auto vector = StringMembers(line);
    BOOST_TEST_CONTEXT("input: " << vector["input"]) {
      const auto reference = ImageReference::Parse(vector["input"]);
      BOOST_TEST(reference.has_value() == vector["error"].empty());
      if (!reference) {
        BOOST_TEST((reference.error().reason == Reason::kNotAReference));
        continue;
      }
      ++accepted;
      BOOST_TEST(reference->Canonical() == vector["canonical"]);
      BOOST_TEST(reference->domain() == vector["domain"]);
      BOOST_TEST(reference->path() == vector["path"]);
      BOOST_TEST(reference->Familiar() == vector["familiar"]);
      BOOST_TEST((reference->digest() ? reference->digest()->ToString() : "") == vector["digest"]);
      if (!reference->digest()) BOOST_TEST(reference->tag().value_or("latest") == vector["tag"]);
    }
  }
  BOOST_TEST(accepted > 40u);
}

BOOST_AUTO_TEST_CASE(Canonical_ReadAgain_IsTheSame) {
  for (const std::string& line : ReadTestLines("vectors/reference.jsonl")) {
    const auto reference = ImageReference::Parse(StringMembers(line)["input"]);
    if (!reference) continue;
    const std::string canonical = reference->Canonical();
    BOOST_TEST_CONTEXT(canonical) { BOOST_TEST(Reference(canonical).Canonical() == canonical); }
  }
}

struct Spelling {
  std::string text;
  std::string canonical;
};
std::ostream& operator<<(std::ostream& out, const Spelling& s) { return out << s.text; }

const Spelling kSpellings[] = {
    {"ubuntu:22.04", "docker.io/library/ubuntu:22.04"},
    {"library/ubuntu", "docker.io/library/ubuntu:latest"},
    {"index.docker.io/library/ubuntu", "docker.io/library/ubuntu:latest"},
    {"index.docker.io/a/b", "docker.io/a/b:latest"},
    // Aliases of docker.io are names of their own.
    {"DOCKER.IO/library/ubuntu", "DOCKER.IO/library/ubuntu:latest"},
    {"docker.io:443/library/ubuntu", "docker.io:443/library/ubuntu:latest"},
    {"INDEX.docker.io/ubuntu", "INDEX.docker.io/ubuntu:latest"},
    {"localhost/x", "localhost/x:latest"},
    {"Localhost/x", "Localhost/x:latest"},
    {"localhost", "docker.io/library/localhost:latest"},
    {"localhos/x", "docker.io/localhos/x:latest"},
    {"a.b/c", "a.b/c:latest"},
    {"host:0/x", "host:0/x:latest"},
    {"host:99999999/x", "host:99999999/x:latest"},
    {"[::]/x", "[::]/x:latest"},
    {"[:::::]:1/x", "[:::::]:1/x:latest"},
    {"[FE80::1]/x", "[FE80::1]/x:latest"},
    {"x:_", "docker.io/library/x:_"},
    {"x:a.b-c_D", "docker.io/library/x:a.b-c_D"},
    {"x:" + std::string(128, 'T'), "docker.io/library/x:" + std::string(128, 'T')},
    // In the grammar the text of an image ID is a repository with a tag.
    {kDigest, "docker.io/library/sha256:" + kHex},
    {"sha256:3fa9c1", "docker.io/library/sha256:3fa9c1"},
    {"foo_bar.com/x", "foo_bar.com/x:latest"},
    {"docker.io/foo.com/x", "docker.io/foo.com/x:latest"},
    {"x@sha512:" + std::string(128, 'a'), "docker.io/library/x@sha512:" + std::string(128, 'a')},
    {"x@sha384:" + std::string(96, '0'), "docker.io/library/x@sha384:" + std::string(96, '0')},
};
BOOST_DATA_TEST_CASE(Parse_ShortForms_AreWrittenOut, data::make(kSpellings), row) {
  const auto reference = ImageReference::Parse(row.text);
  BOOST_REQUIRE(reference.has_value());
  BOOST_TEST(reference->Canonical() == row.canonical);
  BOOST_TEST(Reference(row.canonical).Canonical() == row.canonical);
}

const std::string kNotReferences[] = {
    "",
    " ",
    "x\n",
    "x:1\n",
    "x@" + kDigest + "\n",
    "\nx",
    "x\0y"s,
    "x:1\0"s,
    "-x",
    "x-",
    "_x",
    "x_",
    ".x",
    "x.",
    "a..b",
    "a.-b",
    "a-_b",
    "a___b",
    "a/../b",
    "a/./b",
    "../a",
    "a.b/../c",
    "a.b/",
    "a.b/:tag",
    "a.b//c",
    "//c",
    "https://a.b/c",
    "a.b:/c",
    "a.b:1:2/c",
    "a.b:-1/c",
    "-a.b/c",
    "a-.b/c",
    "a..b/c",
    ".a.b/c",
    "a.b./c",
    "[::1/x",
    "[]/x",
    "[g::1]/x",
    "[::1]x/y",
    "[::1]:/x",
    "::1/x",
    "x:",
    "x:.a",
    "x:-a",
    "x:a/b",
    "x:a+b",
    "x:" + std::string(129, 'T'),
    "x@",
    "x@sha256",
    "x@sha256:",
    "x@" + kHex,
    "x@sha256:" + std::string(63, 'a'),
    "x@sha256:" + std::string(65, 'a'),
    "x@sha256:" + std::string(64, 'A'),
    "x@SHA256:" + kHex,
    "x@sha1:" + std::string(40, 'a'),
    "x@md5:" + std::string(32, 'a'),
    "x@sha512:" + std::string(64, 'a'),
    "x@sha256+b64:" + std::string(64, 'a'),
    "x@" + kDigest + "@" + kDigest,
    "x@" + kDigest + ":1",
    "@" + kDigest,
    "X",
    "a/X",
    "a.b/X",
    "a.b/x/Y:1",
    "a.b/x@" + kDigest + "/y",
    std::string(64, 'a'),
    "caf\xc3\xa9",
    "\xe2\x84\xaa/x",  // the Kelvin sign, which Unicode lower-cases to k
    "a.b/\xe2\x84\xaa",
    "x%2fy",
    "x\\y",
    "x y",
    "/run/images/x",
    "a.b/" + std::string(256, 'p'),
    std::string(248, 'p'),  // and the 8 characters of library/
};
BOOST_DATA_TEST_CASE(Parse_OutsideTheGrammar_IsNotAReference, data::make(kNotReferences), text) {
  const auto reference = ImageReference::Parse(text);
  BOOST_REQUIRE(!reference.has_value());
  BOOST_TEST((reference.error().reason == Reason::kNotAReference));
}

BOOST_AUTO_TEST_CASE(Parse_LongestPath_IsAccepted) {
  BOOST_TEST(ImageReference::Parse("a.b/" + std::string(255, 'p')).has_value());
  BOOST_TEST(ImageReference::Parse(std::string(247, 'p')).has_value());
}

BOOST_AUTO_TEST_CASE(Parse_NameBeyondTheCap_IsRefused) {
  const std::string tag = ":" + std::string(128, 't');
  const std::string longest = "A" + std::string(ImageReference::kMaxSize - 132, 'a') + "/x";
  BOOST_TEST((longest + tag).size() == ImageReference::kMaxSize);
  BOOST_TEST(ImageReference::Parse(longest + tag).has_value());
  BOOST_TEST(!ImageReference::Parse("A" + longest + tag).has_value());
  BOOST_TEST(!ImageReference::Parse("A" + longest).has_value());
}

// What is pinned is a reference too, whatever its name.
BOOST_AUTO_TEST_CASE(PinnedTo_LongestName_IsAReference) {
  const auto longest = Reference("A" + std::string(ImageReference::kMaxSize - 132, 'a') + "/x");
  const auto pinned = ImageReference::Parse(longest.PinnedTo(Sha256Digest::Parse(kDigest).value()));
  BOOST_REQUIRE(pinned.has_value());
  BOOST_TEST(pinned->repository() == longest.repository());
}

BOOST_AUTO_TEST_CASE(Parse_TagAndDigest_KeepsBothAndCanonicalDropsTheTag) {
  const auto reference = Reference("acme/web:2.1@" + kDigest);
  BOOST_TEST(reference.tag().value() == "2.1");
  BOOST_TEST(reference.digest()->ToString() == kDigest);
  BOOST_TEST(reference.Canonical() == "docker.io/acme/web@" + kDigest);
  BOOST_TEST(reference.Familiar() == "acme/web@" + kDigest);
}

BOOST_AUTO_TEST_CASE(Parse_DigestOtherThanSha256_IsMarked) {
  const auto other = Reference("x:1@sha512:" + std::string(128, 'a'));
  BOOST_TEST(other.NamesOtherDigest());
  BOOST_TEST(!other.digest().has_value());
  BOOST_TEST(!Reference("x@" + kDigest).NamesOtherDigest());
  BOOST_TEST(!Reference("x:1").NamesOtherDigest());
}

BOOST_AUTO_TEST_CASE(Parse_FirstPartThatIsNoDomain_LeavesTheDomainEmpty) {
  const auto reference = Reference("foo_bar.com/x:1");
  BOOST_TEST(reference.domain() == "");
  BOOST_TEST(reference.path() == "foo_bar.com/x");
  BOOST_TEST(reference.repository() == "foo_bar.com/x");
}

BOOST_AUTO_TEST_CASE(PinnedTo_AnyReference_IsRepositoryAndDigestAlone) {
  const auto digest = Sha256Digest::Parse(kDigest).value();
  BOOST_TEST(Reference("ubuntu:22.04").PinnedTo(digest) == "docker.io/library/ubuntu@" + kDigest);
  BOOST_TEST(Reference("a.b:5/c/d:1@sha256:" + std::string(64, '0')).PinnedTo(digest) ==
             "a.b:5/c/d@" + kDigest);
}

BOOST_AUTO_TEST_CASE(WithTag_Tag_ReplacesTagAndDigest) {
  const auto reference = Reference("x:1@" + kDigest);
  BOOST_TEST(reference.WithTag("2")->Canonical() == "docker.io/library/x:2");
  BOOST_TEST((reference.WithTag("2").value() == Reference("x:2")));
  for (const auto& wrong : {""s, "a/b"s, "-a"s, "a@b"s, "a\n"s, std::string(129, 'a')}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST((reference.WithTag(wrong).error().reason == Reason::kNotAReference));
    }
  }
}

BOOST_AUTO_TEST_CASE(InRepository_FullName_KeepsTagAndDigest) {
  const auto both = Reference("x:1@" + kDigest);
  const auto moved = both.InRepository("a.b:5/c/d").value();
  BOOST_TEST((moved == Reference("a.b:5/c/d:1@" + kDigest)));
  BOOST_TEST(moved.domain() == "a.b:5");
  BOOST_TEST(Reference("x").InRepository("a.b/c")->Canonical() == "a.b/c:latest");
  const std::string other = "sha512:" + kHex + kHex;
  BOOST_TEST(Reference("x@" + other).InRepository("a.b/c")->Canonical() == "a.b/c@" + other);
  for (const auto& wrong : {""s, "y"s, "docker.io/y"s, "a.b/c:1"s, "a.b/c@" + kDigest, "a.b/C"s}) {
    BOOST_TEST_CONTEXT(wrong) {
      BOOST_TEST((both.InRepository(wrong).error().reason == Reason::kNotAReference));
    }
  }
}

BOOST_AUTO_TEST_CASE(Familiar_OfficialAndOther_DropsOnlyWhatDockerDrops) {
  BOOST_TEST(Reference("docker.io/library/x:1").Familiar() == "x:1");
  BOOST_TEST(Reference("docker.io/library/x/y").Familiar() == "library/x/y:latest");
  BOOST_TEST(Reference("docker.io/a/x").Familiar() == "a/x:latest");
  BOOST_TEST(Reference("DOCKER.IO/library/x").Familiar() == "DOCKER.IO/library/x:latest");
}

BOOST_AUTO_TEST_CASE(IsImageId_OnlyTheWholeId_IsOne) {
  BOOST_TEST(IsImageId(kDigest));
  for (const auto& text : {"sha256:3fa9c1"s, kHex, "SHA256:" + kHex, kDigest + "a", kDigest + "\n",
                           "sha256:" + std::string(64, 'A'), "sha512:" + kHex, "x@" + kDigest,
                           kDigest.substr(0, 70), ""s}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(!IsImageId(text)); }
  }
}

// Names that make a backtracking expression explode take linear time here.
BOOST_AUTO_TEST_CASE(Parse_NamesMadeToExplode_AreRefusedAtOnce) {
  BOOST_TEST(!ImageReference::Parse("a" + std::string(4000, '-') + "!").has_value());
  BOOST_TEST(!ImageReference::Parse("a" + std::string(250, '-')).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(Sha256DigestTest)

BOOST_AUTO_TEST_CASE(Parse_ItsOwnText_IsTheSameValue) {
  const auto digest = Sha256Digest::FromHex(kHex).value();
  BOOST_TEST(digest.ToString() == kDigest);
  BOOST_TEST((Sha256Digest::Parse(kDigest).value() == digest));
  BOOST_TEST(std::unordered_set<Sha256Digest>({digest, digest}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(Parse_AnythingElse_IsMalformed) {
  for (const auto& text :
       {""s, kHex, "sha256:"s, kDigest + "0", "sha256: " + kHex.substr(1),
        "sha256:" + std::string(64, 'F'), "sha256:" + std::string(61, 'a') + "../"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST((Sha256Digest::Parse(text).error().reason == Reason::kMalformed));
    }
  }
  BOOST_TEST((Sha256Digest::FromHex(kDigest).error().reason == Reason::kMalformed));
}

BOOST_AUTO_TEST_CASE(Ordering_ByBytes_IsThatOfTheText) {
  const auto low = Sha256Digest::FromHex("0" + kHex.substr(1)).value();
  const auto high = Sha256Digest::FromHex("f" + kHex.substr(1)).value();
  BOOST_TEST((low < high));
  BOOST_TEST((low != high));
}

BOOST_AUTO_TEST_SUITE_END()
