// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate/unseen_sandboxes.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {
namespace {

constexpr char kImage[] = "registry.example/acme/pause:3.9";

// Of any bytes, as CRI carries them.
SandboxKey Pod(std::uint32_t attempt = 0) { return {"shop", "web-\xff", "2f\n1c", attempt}; }

struct Folder : TemporaryFolder {
  int lost = 0;
  std::string said;
  std::unique_ptr<UnseenSandboxes> Open() {
    return std::make_unique<UnseenSandboxes>(
        path(), [this] { ++lost; }, [this](const std::string& line) { said += line + "\n"; });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(UnseenSandboxesTest)

BOOST_FIXTURE_TEST_CASE(CrivetEndsDuringTheCall_TheNextOneKnowsOfIt, Folder) {
  const auto before = Open();
  auto hold = before->Expect(Pod(), kImage, "sha256:1");
  BOOST_TEST(!before->HasLost());
  const auto after = Open();
  const auto all = after->AllLost();
  BOOST_TEST_REQUIRE(all.size() == 1U);
  BOOST_TEST((all[0].key == Pod()));
  BOOST_TEST(all[0].expected.image == kImage);
  BOOST_TEST(all[0].expected.image_ids.at(0) == "sha256:1");
  BOOST_TEST(after->Find(Pod()).has_value());
  BOOST_TEST(!after->Find(Pod(1)).has_value());
  BOOST_TEST(said.empty());
}

BOOST_FIXTURE_TEST_CASE(LookedAt_IsNobodysToLookForAnyMore, Folder) {
  const auto sandboxes = Open();
  {
    auto hold = sandboxes->Expect(Pod(), kImage, "sha256:1");
    hold.Settle();
  }
  BOOST_TEST(sandboxes->empty());
  BOOST_TEST(lost == 0);
  BOOST_TEST(Open()->empty());
}

BOOST_FIXTURE_TEST_CASE(CallEndsWithoutALook_IsLostOnce_WhenTheLastOfItsCallsHasEnded, Folder) {
  const auto sandboxes = Open();
  auto first = std::optional(sandboxes->Expect(Pod(), kImage, "sha256:1"));
  auto second = std::optional(sandboxes->Expect(Pod(), kImage, "sha256:2"));
  first.reset();
  BOOST_TEST(!sandboxes->HasLost());
  second.reset();
  BOOST_TEST(lost == 1);
  BOOST_TEST_REQUIRE(sandboxes->AllLost().size() == 1U);
  // Either may be what the runtime made.
  BOOST_TEST(sandboxes->AllLost()[0].expected.image_ids.size() == 2U);
  sandboxes->Settle(Pod());
  BOOST_TEST(Open()->empty());
}

BOOST_FIXTURE_TEST_CASE(DamagedFile_IsNone, Folder) {
  for (const char* damage :
       {"", "[", "[]", R"({"sandboxes":7})", R"({"sandboxes":[7,[],["x"]]})",
        R"({"sandboxes":[["?","","",0,"i",[]],["","","",-1,"i",[]]]})",
        R"({"sandboxes":[["","","",0,"i",[7]]]})", R"({"sandboxes":[["","","",0,"i",[]]]})"}) {
    std::ofstream(path() + "/unseen-sandboxes.json") << damage;
    BOOST_TEST(Open()->empty());
  }
}

BOOST_FIXTURE_TEST_CASE(CannotBeWritten_MemoryKnowsOfIt_AndPeopleAreToldOnce, Folder) {
  const auto sandboxes = Open();
  std::filesystem::create_directory(path() + "/unseen-sandboxes.json.new");
  auto hold = sandboxes->Expect(Pod(), kImage, "sha256:1");
  auto other = sandboxes->Expect(Pod(1), kImage, "sha256:1");
  BOOST_TEST(sandboxes->Find(Pod()).has_value());
  BOOST_TEST(said.find('\n') == said.size() - 1);
  BOOST_TEST(said.find("unseen-sandboxes.json") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
