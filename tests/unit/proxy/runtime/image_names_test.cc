// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/image_names.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

const trust::Sha256Digest kFirst = *trust::Sha256Digest::FromHex(std::string(64, 'a'));
const trust::Sha256Digest kSecond = *trust::Sha256Digest::FromHex(std::string(64, 'b'));
constexpr char kTag[] = "docker.io/acme/web:1";

}  // namespace

BOOST_AUTO_TEST_SUITE(ImageNamesTest)

BOOST_AUTO_TEST_CASE(Set_IsThereAfterARestart) {
  TemporaryFolder folder;
  {
    auto names = ImageNames::Load(folder.path());
    BOOST_TEST(names.empty());
    BOOST_TEST(names.Set(kTag, kFirst).has_value());
  }
  const auto names = ImageNames::Load(folder.path());
  BOOST_TEST((names.Find(kTag) == kFirst));
  BOOST_TEST(names.TagsOf("docker.io/acme/web@" + kFirst.ToString()).at(0) == kTag);
}

BOOST_AUTO_TEST_CASE(SetAgain_NamesTheNewDigestAlone) {
  TemporaryFolder folder;
  auto names = ImageNames::Load(folder.path());
  BOOST_TEST(names.Set(kTag, kFirst).has_value());
  BOOST_TEST(names.Set(kTag, kSecond).has_value());
  BOOST_TEST((names.Find(kTag) == kSecond));
  BOOST_TEST(names.TagsOf("docker.io/acme/web@" + kFirst.ToString()).empty());
}

BOOST_AUTO_TEST_CASE(Removed_StaysRemoved) {
  TemporaryFolder folder;
  {
    auto names = ImageNames::Load(folder.path());
    BOOST_TEST(names.Set(kTag, kFirst).has_value());
    BOOST_TEST(names.Remove(kTag).has_value());
    BOOST_TEST(names.Remove(kTag).has_value());
  }
  BOOST_TEST(ImageNames::Load(folder.path()).empty());
}

BOOST_AUTO_TEST_CASE(Forgotten_StaysForgotten) {
  TemporaryFolder folder;
  {
    auto names = ImageNames::Load(folder.path());
    BOOST_TEST(names.Set(kTag, kFirst).has_value());
    BOOST_TEST(names.Forget(*names.Look(kTag)).has_value());
    BOOST_TEST(!names.Look(kTag).has_value());
  }
  BOOST_TEST(ImageNames::Load(folder.path()).empty());
}

// Somebody saw that the image was gone, and meanwhile another pull brought it back.
BOOST_AUTO_TEST_CASE(ForgottenAfterItWasGivenAnew_IsThere) {
  TemporaryFolder folder;
  auto names = ImageNames::Load(folder.path());
  BOOST_TEST(names.Set(kTag, kFirst).has_value());
  const auto seen = names.Look(kTag);
  BOOST_TEST(names.Set(kTag, kFirst).has_value());
  BOOST_TEST(names.Forget(*seen).has_value());
  BOOST_TEST((names.Find(kTag) == kFirst));
}

BOOST_AUTO_TEST_CASE(SameDigestOfAnotherRepository_IsAnotherName) {
  TemporaryFolder folder;
  auto names = ImageNames::Load(folder.path());
  BOOST_TEST(names.Set(kTag, kFirst).has_value());
  BOOST_TEST(names.TagsOf("docker.io/acme/other@" + kFirst.ToString()).empty());
}

BOOST_AUTO_TEST_CASE(DamagedFile_IsAnEmptyMapAndIsWrittenAnew) {
  for (const char* damage :
       {"", "{", "[]", "{\"names\":3}", "{\"names\":[[1,2],[\"a b\",\"c\"]]}"}) {
    TemporaryFolder folder;
    std::ofstream(folder.path() + "/image-names.json") << damage;
    auto names = ImageNames::Load(folder.path());
    BOOST_TEST(names.empty());
    BOOST_TEST(names.Set(kTag, kFirst).has_value());
    BOOST_TEST(!ImageNames::Load(folder.path()).empty());
  }
}

BOOST_AUTO_TEST_CASE(LinkOrPipeInItsPlace_IsNotRead) {
  TemporaryFolder other;
  auto elsewhere = ImageNames::Load(other.path());
  BOOST_TEST(elsewhere.Set(kTag, kFirst).has_value());
  const std::string file = "/image-names.json";
  TemporaryFolder folder;
  BOOST_REQUIRE(symlink((other.path() + file).c_str(), (folder.path() + file).c_str()) == 0);
  BOOST_TEST(ImageNames::Load(folder.path()).empty());
  BOOST_REQUIRE(unlink((folder.path() + file).c_str()) == 0);
  BOOST_REQUIRE(mkfifo((folder.path() + file).c_str(), 0600) == 0);
  BOOST_TEST(ImageNames::Load(folder.path()).empty());
}

BOOST_AUTO_TEST_CASE(FolderThatTakesNoWrites_IsAnError) {
  auto names = ImageNames::Load("/nowhere");
  const auto set = names.Set(kTag, kFirst);
  BOOST_REQUIRE(!set.has_value());
  BOOST_TEST((set.error().reason == trust::Reason::kState));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
