// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime/sandbox_image.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <string>

#include "proxy/runtime/map_entries.h"

namespace crivet::proxy {
namespace {

struct Row {
  const char* name;
  const char* config;
  const char* image;
};
std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

const Row kRows[] = {
    {"containerd 1.6 and 1.7",
     R"({"containerd":{"snapshotter":"overlayfs"},"sandboxImage":"registry.k8s.io/pause:3.6"})",
     "registry.k8s.io/pause:3.6"},
    {"containerd 2", R"({"pinnedImages":{"sandbox":"registry.k8s.io/pause:3.10"}})",
     "registry.k8s.io/pause:3.10"},
    {"CRI-O", "[crio.image]\n  pause_image = \"registry.k8s.io/pause:3.9\"\n",
     "registry.k8s.io/pause:3.9"},
    {"CRI-O, commented out", "# pause_image = \"registry.k8s.io/pause:3.9\"\n", ""},
    {"not a text", R"({"sandboxImage":7})", ""},
    {"nothing", "{}", ""},
    {"garbage", "{\"", ""},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(SandboxImageTest)

BOOST_DATA_TEST_CASE(Config_TellsTheName, boost::unit_test::data::make(kRows), row) {
  ::runtime::v1::StatusResponse status;
  AddEntry(*status.mutable_info(), "config", row.config);
  BOOST_TEST(SandboxImageOf(status).value_or("") == row.image);
}

BOOST_AUTO_TEST_CASE(NoConfig_TellsNothing) { BOOST_TEST(!SandboxImageOf({}).has_value()); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
