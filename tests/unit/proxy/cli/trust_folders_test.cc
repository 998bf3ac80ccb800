// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/trust_folders.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

namespace crivet::proxy::cli {
namespace {

namespace fs = std::filesystem;

/// A folder with files, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "crivet-import-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  void Touch(const std::string& name) const {
    const fs::path file = fs::path(path_) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "{}";
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string Names(const std::string& path) {
  std::string all;
  const TrustFolders found = FindTrustFolders(path).value();
  for (const TrustFolder& folder : found.collections) {
    all += folder.name + " " + folder.path.substr(path.size()) + "\n";
  }
  return all;
}

BOOST_AUTO_TEST_SUITE(TrustFoldersTest)

BOOST_AUTO_TEST_CASE(DockersFolder_GivesItsCollections) {
  const Folder folder;
  folder.Touch("tuf/docker.io/library/alpine/metadata/root.json");
  folder.Touch("tuf/docker.io/library/alpine/metadata/targets.json");
  folder.Touch("tuf/reg.example:5000/app/metadata/root.json");
  folder.Touch("tuf/reg.example/unfinished/metadata/targets.json");
  folder.Touch("private/root.key");
  BOOST_TEST(Names(folder.path()) ==
             "docker.io/library/alpine /tuf/docker.io/library/alpine/metadata\n"
             "reg.example:5000/app /tuf/reg.example:5000/app/metadata\n");
}

BOOST_AUTO_TEST_CASE(FolderBelowTheOneThatIsMeant_IsToldFromOneWithoutRoots) {
  const Folder folder;
  folder.Touch("metadata/root.json");
  folder.Touch("other/targets.json");
  const auto below = FindTrustFolders(folder.path() + "/metadata").value();
  BOOST_TEST(below.collections.empty());
  BOOST_REQUIRE(below.nameless.size() == 1U);
  BOOST_TEST(below.nameless[0] == folder.path() + "/metadata");
  BOOST_TEST(FindTrustFolders(folder.path() + "/other").value().nameless.empty());
}

BOOST_AUTO_TEST_CASE(WhatIsNoFolder_IsSaidToBeNone) {
  const Folder folder;
  folder.Touch("file");
  const auto gone = FindTrustFolders(folder.path() + "/gone");
  BOOST_REQUIRE(!gone);
  BOOST_TEST(gone.error().detail.find("no such folder") != std::string::npos);
  const auto file = FindTrustFolders(folder.path() + "/file");
  BOOST_REQUIRE(!file);
  BOOST_TEST(file.error().detail == "is not a folder");
}

BOOST_AUTO_TEST_CASE(HomeFolder_GivesItsCollections) {
  const Folder folder;
  folder.Touch("trust/tuf/reg.example/app/metadata/root.json");
  BOOST_TEST(Names(folder.path()) == "reg.example/app /trust/tuf/reg.example/app/metadata\n");
}

BOOST_AUTO_TEST_CASE(Mirror_GivesItsCollections) {
  const Folder folder;
  folder.Touch("v2/reg.example/app/_trust/tuf/root.json");
  folder.Touch("other.example/app/root.json");
  BOOST_TEST(Names(folder.path()) ==
             "other.example/app /other.example/app\n"
             "reg.example/app /v2/reg.example/app/_trust/tuf\n");
}

BOOST_AUTO_TEST_CASE(LinksAndNamesThatAreNone_AreLeftOut) {
  const Folder folder;
  folder.Touch("tuf/UPPER.example/Bad Name/metadata/root.json");
  folder.Touch("elsewhere/metadata/root.json");
  fs::create_directory_symlink(folder.path(), folder.path() + "/tuf/loop");
  BOOST_TEST(Names(folder.path()) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy::cli
