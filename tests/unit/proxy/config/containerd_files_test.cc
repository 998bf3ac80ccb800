// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/containerd_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

using Folders = std::vector<std::string>;

/// The files of a machine.
struct Machine {
  TemporaryFolder root;

  void Put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  RegistryFolders Found(const std::string& upstream = "/run/containerd/containerd.sock") const {
    return RegistryFoldersOf(root.path(), upstream);
  }
};

std::string Registry(const std::string& plugin, const std::string& config_path) {
  return "[plugins.\"" + plugin + "\".registry]\nconfig_path = \"" + config_path + "\"\n";
}

BOOST_AUTO_TEST_SUITE(ContainerdFilesTest)

BOOST_AUTO_TEST_CASE(ConfigFile_ImportsAndWhoSetsTheAddress) {
  const auto file =
      ParseContainerdConfigFile("imports = [\"/a/*.toml\", 'b.toml']\n[grpc]\naddress = \"/s\"\n");
  BOOST_REQUIRE(file);
  BOOST_TEST(file->imports.size() == 2u);
  BOOST_TEST(file->sets_address);
  BOOST_TEST(
      !ParseContainerdConfigFile("[ttrpc]\naddress = \"/s\"\n[grpc]\nuid = 0\n")->sets_address);
  BOOST_TEST(
      ParseContainerdConfigFile("[plugins.\"io.containerd.server.v1.grpc\"]\naddress = \"/s\"\n")
          ->sets_address);
  BOOST_TEST(!ParseContainerdConfigFile("imports = [\n"));
}

BOOST_AUTO_TEST_CASE(RegistryFolders_AreWhatContainerdsFileSays_InEachOfItsForms) {
  const Machine machine;
  for (const auto& [version, plugin] :
       {std::pair{"", "cri"}, std::pair{"version = 1\n", "cri"},
        std::pair{"version = 2\n", "io.containerd.grpc.v1.cri"},
        std::pair{"version = 3\n", "io.containerd.cri.v1.images"}}) {
    machine.Put("/etc/containerd/config.toml", version + Registry(plugin, "/a/certs.d"));
    const RegistryFolders found = machine.Found();
    BOOST_TEST(found.folders == Folders{"/a/certs.d"}, boost::test_tools::per_element());
    BOOST_TEST(found.said_by == "/etc/containerd/config.toml");
    BOOST_TEST(found.doubt == "");
  }
  // 2.x does not read it there.
  machine.Put("/etc/containerd/config.toml",
              "version = 3\n" + Registry("io.containerd.grpc.v1.cri", "/a/certs.d"));
  BOOST_TEST(machine.Found().said_by == "");
}

BOOST_AUTO_TEST_CASE(RegistryFolders_OfAList_AreEachOfThem_AndOfAnEmptyTextNone) {
  const Machine machine;
  const std::string cri = "io.containerd.grpc.v1.cri";
  machine.Put("/etc/containerd/config.toml", Registry(cri, "/a/certs.d::/b/certs.d:"));
  BOOST_TEST(machine.Found().folders == (Folders{"/a/certs.d", "/b/certs.d"}),
             boost::test_tools::per_element());
  machine.Put("/etc/containerd/config.toml", Registry(cri, ""));
  BOOST_TEST(machine.Found().folders.empty());
  BOOST_TEST(machine.Found().said_by == "/etc/containerd/config.toml");
}

BOOST_AUTO_TEST_CASE(RegistryFolders_OfSeveralFiles_AreThoseOfTheLastThatNamesAny) {
  const Machine machine;
  const std::string cri = "io.containerd.grpc.v1.cri";
  machine.Put("/etc/containerd/config.toml",
              "imports = [\"conf.d/*.toml\", \"/opt/last.toml\"]\n" + Registry(cri, "/main"));
  machine.Put("/etc/containerd/conf.d/b.toml", Registry(cri, "/b"));
  machine.Put("/etc/containerd/conf.d/a.toml", Registry(cri, "/a"));
  machine.Put("/opt/last.toml", "[plugins.\"" + cri + "\"]\nsandbox_image = \"x\"\n");
  const RegistryFolders found = machine.Found();
  BOOST_TEST(found.folders == Folders{"/b"}, boost::test_tools::per_element());
  BOOST_TEST(found.said_by == "/etc/containerd/conf.d/b.toml");
}

BOOST_AUTO_TEST_CASE(RegistryFolders_WhereNothingIsSaid_AreTheUsualOne) {
  const Machine machine;
  const auto is_usual = [&] {
    const RegistryFolders found = machine.Found();
    return found.folders == Folders{"/etc/containerd/certs.d"} && found.said_by.empty() &&
           found.doubt.empty();
  };
  BOOST_TEST(is_usual());
  machine.Put("/etc/containerd/config.toml", "version = 2\n");
  BOOST_TEST(is_usual());
}

BOOST_AUTO_TEST_CASE(RegistryFolders_OfFilesThatCannotBeUsed_AreTheUsualOne_AndDoubtful) {
  const Machine machine;
  const auto doubt = [&] {
    const RegistryFolders found = machine.Found();
    BOOST_TEST(found.folders == Folders{"/etc/containerd/certs.d"},
               boost::test_tools::per_element());
    return found.doubt;
  };
  const std::string file = "/etc/containerd/config.toml";
  machine.Put(file, "version =\n");
  BOOST_TEST(doubt().starts_with(file + ", line 1: "));
  machine.Put(file, "imports = [\"gone.toml\"]\n");
  BOOST_TEST(doubt().starts_with("/etc/containerd/gone.toml cannot be read: "));
  machine.Put(file, Registry("cri", "certs.d"));
  BOOST_TEST(doubt() == file + " names certs.d, which is no absolute path");
  // A link that leads out of the machine's folder stays in it.
  std::filesystem::remove(machine.root.path() + file);
  std::filesystem::create_symlink("/../../../../../../etc/hostname", machine.root.path() + file);
  BOOST_TEST(doubt() == "");
}

BOOST_AUTO_TEST_CASE(RegistryFolders_ThatRootAloneCanReadOf_AreDoubtful) {
  if (geteuid() != 0) return;
  const Machine machine;
  machine.Put("/etc/containerd/config.toml", Registry("cri", "/a"));
  chmod((machine.root.path() + "/etc/containerd/config.toml").c_str(), 0600);
  const RegistryFolders found = machine.Found();
  BOOST_TEST(found.folders == Folders{"/a"}, boost::test_tools::per_element());
  BOOST_TEST(found.doubt ==
             "/etc/containerd/config.toml is not for everybody to read, and crivet's user may not");
}

constexpr char kRancher[] = "/run/k3s/containerd/containerd.sock";

// As k3s 1.31 writes it, by registries.yaml and its own mirrors; RKE2 in its own folder.
BOOST_AUTO_TEST_CASE(RegistryFolders_BehindTheSocketOfK3sOrRke2_AreTheirs) {
  for (const std::string distribution : {"k3s", "rke2"}) {
    const Machine machine;
    const std::string folder = "/var/lib/rancher/" + distribution + "/agent/etc/containerd";
    machine.Put("/etc/containerd/config.toml", Registry("io.containerd.grpc.v1.cri", "/a"));
    machine.Put(folder + "/config.toml",
                "version = 2\n[grpc]\naddress = \"" + std::string(kRancher) + "\"\n" +
                    Registry("io.containerd.grpc.v1.cri", folder + "/certs.d"));
    for (const std::string& upstream : {std::string(kRancher), "/var" + std::string(kRancher)}) {
      const RegistryFolders found = machine.Found(upstream);
      BOOST_TEST(found.folders == Folders{folder + "/certs.d"}, boost::test_tools::per_element());
      BOOST_TEST(found.said_by == folder + "/config.toml");
      BOOST_TEST(found.doubt == "");
    }
    BOOST_TEST(machine.Found().folders == Folders{"/a"}, boost::test_tools::per_element());
    // One that says nothing of it.
    machine.Put(folder + "/config.toml", "version = 2\n");
    const RegistryFolders unsaid = machine.Found(kRancher);
    BOOST_TEST(unsaid.folders == Folders{folder + "/certs.d"}, boost::test_tools::per_element());
    BOOST_TEST(unsaid.said_by == "");
  }
}

BOOST_AUTO_TEST_CASE(RegistryFolders_OfK3sWithAnotherFolder_OrOfBoth_AreDoubtful) {
  const Machine machine;
  BOOST_TEST(machine.Found(kRancher).doubt.find("data-dir") != std::string::npos);
  for (const std::string distribution : {"k3s", "rke2"}) {
    machine.Put("/var/lib/rancher/" + distribution + "/agent/etc/containerd/config.toml",
                "version = 2\n");
  }
  BOOST_TEST(machine.Found(kRancher).doubt.find("both k3s and RKE2") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
