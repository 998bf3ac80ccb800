// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/verifier_check.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

namespace crivet::proxy {
namespace {

// As `containerd config dump` of 2.1 prints it, shortened.
ContainerdConfig Dump(const std::string& images = "", const std::string& verifier = "",
                      const std::string& top = "") {
  std::string text = "version = 3\n" + top +
                     "[grpc]\naddress = '/run/containerd/containerd.sock'\n"
                     "[plugins.'io.containerd.image-verifier.v1.bindir']\n"
                     "bin_dir = '/opt/containerd/image-verifier/bin'\n"
                     "per_verifier_timeout = '10s'\n";
  text += verifier.empty() ? "max_verifiers = 10\n" : verifier;
  text += "[plugins.'io.containerd.cri.v1.images']\n";
  text += images.empty()
              ? "use_local_image_pull = false\ndiscard_unpacked_layers = false\n"
                "image_pull_with_sync_fs = false\ndisable_snapshot_annotations = true\n"
                "max_concurrent_downloads = 3\n"
                "[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/certs.d'\n"
              : images;
  return ParseContainerdConfig(text).value();
}

const std::vector<std::string> kPrograms = {"crivet-image-verifier"};

BOOST_AUTO_TEST_SUITE(VerifierCheckTest)

BOOST_AUTO_TEST_CASE(Folder_IsThePluginsOwn) {
  BOOST_CHECK(VerifierFolderOf(Dump()) == "/opt/containerd/image-verifier/bin");
  const auto old = ParseContainerdConfig("[grpc]\naddress = '/run/c.sock'\n").value();
  BOOST_TEST(!VerifierFolderOf(old).has_value());
}

BOOST_AUTO_TEST_CASE(DefaultsOf21_HaveNoGap) {
  BOOST_TEST(VerifierGaps(Dump(), kPrograms).empty());
}

BOOST_AUTO_TEST_CASE(WhereItIsNotThere_NothingIsClaimed) {
  BOOST_TEST(VerifierGaps(Dump("use_local_image_pull = true\n"), {"another"}).empty());
}

struct GapRow {
  const char* name;
  std::string images;
  std::string verifier;
  std::string top;
  const char* says;
  friend std::ostream& operator<<(std::ostream& out, const GapRow& row) { return out << row.name; }
};

const std::string kLocal = "use_local_image_pull = false\n";
const std::string kRegistry = "[plugins.'io.containerd.cri.v1.images'.registry.";

const GapRow kGaps[] = {
    {"told so", "use_local_image_pull = true\n", "", "", "use_local_image_pull = true"},
    {"before 2.1", "snapshotter = 'overlayfs'\n", "", "", "no use_local_image_pull"},
    {"layers", kLocal + "discard_unpacked_layers = true\n", "", "", "discard_unpacked_layers"},
    {"sync", kLocal + "image_pull_with_sync_fs = true\n", "", "", "image_pull_with_sync_fs"},
    {"annotations", kLocal + "disable_snapshot_annotations = false\n", "", "",
     "disable_snapshot_annotations = false"},
    {"downloads", kLocal + "max_concurrent_downloads = 5\n", "", "",
     "max_concurrent_downloads = 5"},
    {"mirrors", kLocal + kRegistry + "mirrors.'docker.io']\nendpoint = ['https://m.example']\n", "",
     "", "registry.mirrors"},
    {"configs", kLocal + kRegistry + "configs.'r.example'.tls]\nca_file = '/ca'\n", "", "",
     "registry.configs"},
    {"auths", kLocal + kRegistry + "auths.'https://r.example']\nusername = 'u'\n", "", "",
     "registry.auths"},
    {"none is asked", "", "max_verifiers = 0\n", "", "max_verifiers = 0"},
    {"disabled", "", "", "disabled_plugins = ['io.containerd.image-verifier.v1.bindir']\n",
     "disabled_plugins"},
};

BOOST_DATA_TEST_CASE(WhatLeadsPastIt_IsNamedByItsKey, boost::unit_test::data::make(kGaps), row) {
  const auto gaps = VerifierGaps(Dump(row.images, row.verifier, row.top), kPrograms);
  BOOST_REQUIRE(gaps.size() == 1U);
  BOOST_TEST(gaps[0].find(row.says) == 0U);
}

BOOST_AUTO_TEST_CASE(BehindMoreProgramsThanAreRun_IsNamed) {
  const auto dump = Dump("", "max_verifiers = 1\n");
  BOOST_TEST(VerifierGaps(dump, {"crivet-image-verifier", "zz"}).empty());
  BOOST_TEST(VerifierGaps(dump, {"crivet-image-verifier", "aa"}).size() == 1U);
  BOOST_TEST(
      VerifierGaps(Dump("", "max_verifiers = -1\n"), {"crivet-image-verifier", "aa"}).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
