// SPDX-License-Identifier: Apache-2.0

// What images are called in a repository of TUF 1.0: trust/tuf1/FORMAT.md#names.

#include "trust/tuf1/target_name.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

namespace crivet::trust {
namespace {

using tuf1::TargetName;
using Of = TargetName::Of;

ImageReference Reference(const std::string& text) { return ImageReference::Parse(text).value(); }

std::string NameFor(const std::string& form, const std::string& image, const std::string& end,
                    Of of = Of::kTag) {
  return TargetName::Parse(form, of).value().For(Reference(image), end);
}

BOOST_AUTO_TEST_SUITE(TargetNameTest)

BOOST_AUTO_TEST_CASE(For_EveryPlaceholder_IsThatPartOfTheName) {
  const std::string image = "r.example:5000/team/web";
  BOOST_TEST(NameFor("{name}:{tag}", image, "1.0") == "r.example:5000/team/web:1.0");
  BOOST_TEST(NameFor("{host}/{path}:{tag}", image, "1.0") == "r.example:5000/team/web:1.0");
  BOOST_TEST(NameFor("{host}/x/{path}/{tag}", image, "1.0") == "r.example:5000/x/team/web/1.0");
  BOOST_TEST(NameFor("images/{path}:{tag}", image, "1.0") == "images/team/web:1.0");
  BOOST_TEST(NameFor("{name}@{digest}", image, "sha256:aa", Of::kDigest) ==
             "r.example:5000/team/web@sha256:aa");
  BOOST_TEST(NameFor("{name}:{tag}", "nginx", "1.0") == "docker.io/library/nginx:1.0");
}

BOOST_AUTO_TEST_CASE(Parse_TwoReferencesThatCouldHaveOneTarget_IsRefused) {
  for (const std::string form : {"",
                                 "{tag}",
                                 "x:{tag}",
                                 "{name}",
                                 "{name}{tag}",
                                 "{name}-{tag}",
                                 "{name}@{tag}",
                                 "{name}:{tag}x",
                                 "{name}:{tag}:{tag}",
                                 "{tag}:{name}",
                                 "{name}:{digest}",
                                 "{name}{name}:{tag}",
                                 "{name}{path}:{tag}",
                                 "{name}{host}:{tag}",
                                 "{host}:{tag}",
                                 "{host}{path}:{tag}",
                                 "{host}x/{path}:{tag}",
                                 "{path}/{host}/:{tag}",
                                 "{host}/{host}/{path}:{tag}",
                                 "{Name}:{tag}",
                                 "{name}{arch}:{tag}",
                                 "{name:{tag}",
                                 "}{name}:{tag}",
                                 "a b{name}:{tag}",
                                 "{name}\n:{tag}",
                                 "{name}*:{tag}",
                                 "{name}\\:{tag}",
                                 "{name}%2f:{tag}",
                                 "{name}\xc3\xa9:{tag}"}) {
    BOOST_TEST(!TargetName::Parse(form, Of::kTag), form);
  }
  for (const std::string form : {"", "{name}", "{name}:{digest}", "{name}/{digest}", "{digest}",
                                 "{name}@{tag}", "x@{digest}", "{name}@{digest}x"}) {
    BOOST_TEST(!TargetName::Parse(form, Of::kDigest), form);
  }
  const std::string fits = std::string(512 - 12, 'x') + "{name}:{tag}";
  BOOST_TEST(TargetName::Parse(fits, Of::kTag).has_value());
  BOOST_TEST(!TargetName::Parse("x" + fits, Of::kTag));
}

BOOST_AUTO_TEST_CASE(LeavesOutHost_WhereImagesOfTwoRegistriesHaveOneTarget) {
  const auto leaves_out = [](const std::string& form) {
    return TargetName::Parse(form, Of::kTag).value().LeavesOutHost();
  };
  BOOST_TEST(!leaves_out("{name}:{tag}"));
  BOOST_TEST(!leaves_out("{host}/{path}:{tag}"));
  BOOST_TEST(leaves_out("{path}:{tag}"));
  BOOST_TEST(leaves_out("r.example/{path}:{tag}"));
}

// A tag of one, a digest of another, a port that looks like a tag, a path that looks like a host.
BOOST_AUTO_TEST_CASE(For_NamesThatLookLikeEachOther_AreDifferentTargets) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::vector<std::pair<std::string, std::string>> images = {
      {"r.example/a", "1"},
      {"r.example/a/b", "1"},
      {"r.example/a-b", "1"},
      {"r.example:1/a", "1"},
      {"r.example/a", "a"},
      {"r.example/sha256", std::string(64, 'a')},
      {"r.example/a/sha256", std::string(64, 'a')},
      {"foo_bar.com/a", "1"},
      {"docker.io/library/a", "1"},
      {"docker.io/a/a", "1"},
  };
  for (const std::string form : {"{name}:{tag}", "{name}/{tag}", "{host}/v/{path}:{tag}"}) {
    std::set<std::string> seen;
    for (const auto& [image, tag] : images) {
      BOOST_TEST(seen.insert(NameFor(form, image, tag)).second, form << " " << image);
      seen.insert(NameFor("{name}@{digest}", image, digest, Of::kDigest));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
