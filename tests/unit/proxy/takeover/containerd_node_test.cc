// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/containerd_node.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

namespace fs = std::filesystem;

// Somebody works in that folder, with that PATH.
class Shell {
 public:
  Shell(const std::string& folder, const std::string& path)
      : folder_(fs::current_path()), path_(std::getenv("PATH")) {
    fs::current_path(folder);
    setenv("PATH", path.c_str(), 1);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() {
    fs::current_path(folder_);
    setenv("PATH", path_.c_str(), 1);
  }

 private:
  fs::path folder_;
  std::string path_;
};

void MakeProgram(const std::string& path) {
  std::ofstream(path) << "#!/bin/false\n";
  chmod(path.c_str(), 0755);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ContainerdNodeTest)

// `ExecStart=/usr/bin/nice containerd`, read by root in /tmp.
BOOST_AUTO_TEST_CASE(NameOfAProgram_IsNeverTheOneInTheFolderWhereSomebodyStands) {
  const TemporaryFolder tmp;
  const TemporaryFolder bin;
  MakeProgram(tmp.path() + "/containerd");
  MakeProgram(bin.path() + "/containerd");
  const Shell shell(tmp.path(), ":.:" + bin.path());
  ContainerdUnit unit;
  unit.main_pid = 0;
  unit.program = "/usr/bin/nice";
  unit.words = {"/usr/bin/nice", "containerd"};
  const auto process = ReadContainerdProcess(unit);
  BOOST_REQUIRE(process);
  BOOST_TEST(process->program == bin.path() + "/containerd");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
