// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/method_table.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <map>
#include <ostream>
#include <set>
#include <sstream>

namespace crivet::proxy {

std::ostream& operator<<(std::ostream& out, Route route) { return out << static_cast<int>(route); }

namespace {

MethodTable Table(MethodTable::Options options = {}) {
  auto table = MethodTable::Create(std::move(options));
  BOOST_REQUIRE(table.has_value());
  return *std::move(table);
}

// path -> release, from the list that people maintain.
std::map<std::string, std::string> ListedCriMethods() {
  std::ifstream in(CRIVET_SOURCE_DIR "/api/cri_methods.txt");
  BOOST_REQUIRE(in.good());
  std::map<std::string, std::string> listed;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string path;
    std::string release;
    words >> path >> release;
    BOOST_TEST(listed.emplace(path, release).second, path << " is listed twice");
  }
  return listed;
}

struct Row {
  std::string_view path;
  Route route;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.path; }

constexpr Row kDefaultRows[] = {
    {"/runtime.v1.ImageService/PullImage", Route::kGate},
    {"/runtime.v1.ImageService/ImageStatus", Route::kGate},
    {"/runtime.v1.RuntimeService/CreateContainer", Route::kGate},
    {"/runtime.v1.RuntimeService/RunPodSandbox", Route::kGate},
    {"/runtime.v1.RuntimeService/StartContainer", Route::kGate},
    {"/runtime.v1.ImageService/ListImages", Route::kUpstream},
    {"/runtime.v1.ImageService/StreamImages", Route::kUpstream},
    {"/runtime.v1.ImageService/RemoveImage", Route::kUpstream},
    {"/runtime.v1.ImageService/ImageFsInfo", Route::kUpstream},
    {"/runtime.v1.RuntimeService/Version", Route::kUpstream},
    {"/runtime.v1.RuntimeService/GetContainerEvents", Route::kUpstream},
    {"/runtime.v1alpha2.ImageService/PullImage", Route::kRefuse},
    {"/runtime.v1alpha2.RuntimeService/Version", Route::kRefuse},
    {"/runtime.v1.ImageService/pullimage", Route::kRefuse},
    {"/runtime.v1.ImageService/PullImage/", Route::kRefuse},
    {"//runtime.v1.ImageService/PullImage", Route::kRefuse},
    {"runtime.v1.ImageService/PullImage", Route::kRefuse},
    {"/runtime.v1.ImageService/PullImage?x", Route::kRefuse},
    {"/runtime.v1.ImageService/PullImag", Route::kRefuse},
    {"/runtime.v1.ImageService/", Route::kRefuse},
    {"/", Route::kRefuse},
    {"", Route::kRefuse},
    {"/grpc.health.v1.Health/Check", Route::kRefuse},
    {"/containerd.services.version.v1.Version/Version", Route::kRefuse},
    {"/containerd.services.images.v1.Images/Create", Route::kRefuse},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(MethodTableTest)

BOOST_AUTO_TEST_CASE(Table_NamesEveryListedCriMethod) {
  const MethodTable table = Table();
  const auto listed = ListedCriMethods();
  BOOST_TEST(listed.size() == 41u);
  for (const auto& [path, release] : listed) {
    BOOST_TEST((table.Find(path).route != Route::kRefuse), path << " is not classified");
    BOOST_TEST(release.starts_with("0."), path << " has no release");
  }
}

BOOST_AUTO_TEST_CASE(List_NamesEveryCriMethodOfTheTable) {
  const auto listed = ListedCriMethods();
  for (MethodRow row = 0; row < MethodRowCount(); ++row) {
    const std::string label(MethodRowLabel(row));
    if (label.starts_with("/runtime.")) BOOST_TEST(listed.contains(label), label);
  }
}

BOOST_DATA_TEST_CASE(Default_Path_HasItsAction, boost::unit_test::data::make(kDefaultRows), row) {
  BOOST_TEST(Table().Find(row.path).route == row.route);
}

BOOST_AUTO_TEST_CASE(Observe_OpensReadersOnly) {
  const MethodTable table = Table({.containerd_api = ContainerdApi::kObserve});
  for (const char* reads :
       {"containers.v1.Containers/Get", "containers.v1.Containers/List", "tasks.v1.Tasks/Get",
        "tasks.v1.Tasks/Metrics", "version.v1.Version/Version", "images.v1.Images/List"}) {
    BOOST_TEST((table.Find(std::string("/containerd.services.") + reads).route == Route::kUpstream),
               reads);
  }
  for (const char* reads : {"/containerd.services.leases.v1.Leases/List",
                            "/containerd.services.leases.v1.Leases/ListResources",
                            "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}) {
    BOOST_TEST((table.Find(reads).route == Route::kUpstream), reads);
    BOOST_TEST((Table().Find(reads).route == Route::kRefuse), reads);
  }
  for (const char* writes :
       {"containers.v1.Containers/Create", "containers.v1.Containers/Update",
        "content.v1.Content/Write", "content.v1.Content/Delete", "content.v1.Content/Abort",
        "content.v1.Content/Update", "diff.v1.Diff/Apply", "events.v1.Events/Publish",
        "events.v1.Events/Forward", "images.v1.Images/Create", "images.v1.Images/Update",
        "images.v1.Images/Delete", "leases.v1.Leases/Create", "leases.v1.Leases/Delete",
        "leases.v1.Leases/AddResource", "leases.v1.Leases/DeleteResource",
        // Runs the program that the caller names.
        "introspection.v1.Introspection/PluginInfo", "namespaces.v1.Namespaces/Create",
        "sandbox.v1.Controller/Start", "snapshots.v1.Snapshots/Prepare",
        "snapshots.v1.Snapshots/Mounts", "tasks.v1.Tasks/Create", "tasks.v1.Tasks/Exec",
        "tasks.v1.Tasks/Start", "tasks.v1.Tasks/Checkpoint", "transfer.v1.Transfer/Transfer",
        "streaming.v1.Streaming/Stream"}) {
    BOOST_TEST((table.Find(std::string("/containerd.services.") + writes).route == Route::kRefuse),
               writes);
  }
}

BOOST_AUTO_TEST_CASE(All_OpensContainerdButNoOtherCri) {
  const MethodTable table = Table({.containerd_api = ContainerdApi::kAll});
  BOOST_TEST(table.Find("/containerd.services.images.v1.Images/Create").route == Route::kUpstream);
  BOOST_TEST(table.Find("/containerd.servicesX/Create").route == Route::kRefuse);
  BOOST_TEST(table.Find("/runtime.v1alpha2.ImageService/PullImage").route == Route::kRefuse);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/PullImage").route == Route::kGate);
}

BOOST_AUTO_TEST_CASE(TagTranslation_SendsTagCallsThroughTheGate) {
  const MethodTable table = Table({.tag_translation = TagTranslation::kGate});
  BOOST_TEST(table.Find("/runtime.v1.ImageService/ListImages").route == Route::kGate);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/StreamImages").route == Route::kGate);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/RemoveImage").route == Route::kGate);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/ImageFsInfo").route == Route::kUpstream);
}

BOOST_AUTO_TEST_CASE(SeparateImageEndpoint_GetsImageCallsOnly) {
  const MethodTable table = Table({.image_endpoint = ImageEndpoint::kSeparate});
  BOOST_TEST(table.Find("/runtime.v1.ImageService/ImageFsInfo").route == Route::kImageUpstream);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/ListImages").route == Route::kImageUpstream);
  BOOST_TEST(table.Find("/runtime.v1.ImageService/PullImage").route == Route::kGate);
  BOOST_TEST(table.Find("/runtime.v1.RuntimeService/Version").route == Route::kUpstream);
}

BOOST_AUTO_TEST_CASE(AlsoForward_OpensThatPathAlone) {
  const MethodTable table = Table({.also_forward = {"/pkg.B/Two", "/grpc.health.v1.Health/Check",
                                                    "/containerd.services.leases.v1.Leases/List"}});
  BOOST_TEST(table.Find("/grpc.health.v1.Health/Check").route == Route::kUpstream);
  BOOST_TEST(table.Find("/pkg.B/Two").route == Route::kUpstream);
  BOOST_TEST(table.Find("/containerd.services.leases.v1.Leases/List").route == Route::kUpstream);
  BOOST_TEST(table.Find("/grpc.health.v1.Health/Watch").route == Route::kRefuse);
}

BOOST_AUTO_TEST_CASE(AlsoForward_NotAMethodPath_IsMalformed) {
  for (const char* bad : {"", "/", "pkg.Service/Method", "/pkg.Service", "/pkg.Service/",
                          "//Method", "/pkg.Service/A/B", "/pkg Service/Method", "/pkg.*/Method"}) {
    const auto table = MethodTable::Create({.also_forward = {bad}});
    BOOST_REQUIRE(!table.has_value());
    BOOST_TEST((table.error().reason == trust::Reason::kMalformed), bad);
  }
}

BOOST_AUTO_TEST_CASE(AlsoForward_CannotOpenAWayAroundTheGate) {
  BOOST_TEST(!MethodTable::Create({.also_forward = {"/runtime.v1.ImageService/PullImage"}}));
  BOOST_TEST(!MethodTable::Create({.also_forward = {"/runtime.v1alpha2.ImageService/PullImage"}}));
}

BOOST_AUTO_TEST_CASE(Rows_AreDistinctAndClosed) {
  std::set<std::string_view> labels;
  for (MethodRow row = 0; row < MethodRowCount(); ++row) {
    BOOST_TEST(labels.insert(MethodRowLabel(row)).second);
  }
  const MethodTable table = Table();
  BOOST_TEST(MethodRowLabel(table.Find("/made.up/By.Caller").row) == "unknown");
  BOOST_TEST(MethodRowLabel(table.Find("/runtime.v1.RuntimeService/Version").row) ==
             "/runtime.v1.RuntimeService/Version");
}

BOOST_AUTO_TEST_CASE(Refusal_SpeaksLikeAnOlderRuntime) {
  BOOST_TEST(UnimplementedMessage("/runtime.v1alpha2.ImageService/PullImage") ==
             "unknown service runtime.v1alpha2.ImageService");
  BOOST_TEST(UnimplementedMessage("/runtime.v1.RuntimeService/Brew") ==
             "unknown method Brew for service runtime.v1.RuntimeService");
  BOOST_TEST(UnimplementedMessage("nonsense") == "malformed method name: \"nonsense\"");
  BOOST_TEST(UnimplementedMessage("") == "malformed method name: \"\"");
  BOOST_TEST(UnimplementedMessage(std::string(70'000, 'x')).size() < 300u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
