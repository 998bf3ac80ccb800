// SPDX-License-Identifier: Apache-2.0
#include "proxy/mapped_code.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>
#include <string>

namespace crivet::proxy {
namespace {

BOOST_AUTO_TEST_SUITE(mapped_code_test)

// KiB of this process's code that its page tables hold.
long ResidentCode() {
  std::ifstream maps("/proc/self/smaps");
  long sum = 0;
  bool is_code = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first.find('-') != std::string::npos) is_code = second == "r-xp";
    if (is_code && first == "Rss:") sum += std::stol(second);
  }
  return sum;
}

BOOST_AUTO_TEST_CASE(UnmapCode_LeavesWhatRuns) {
  const long before = ResidentCode();
  UnmapCode();
  const long after = ResidentCode();
  BOOST_TEST(after > 0);
  BOOST_TEST(after < before / 2);
}

BOOST_AUTO_TEST_CASE(UnmapCode_KeepsWhatWasWritten) {
  static std::string written;  // in a segment that is relocated and written
  written = "written after the start";
  UnmapCode();
  BOOST_TEST(written == "written after the start");
  // Needs relocated tables: the type's name and the unwinder's.
  BOOST_CHECK_THROW((void)std::stol("no number"), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
