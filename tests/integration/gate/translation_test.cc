// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";

struct OtherRuntime : GateFixture {
  OtherRuntime() : GateFixture({.native_api = FakeCri::NativeApi::kMissing}) {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    runtime.Push(kWeb, good);
    decider.Sign(kWeb, good.digest);
  }
  static bool HasTag(const cri::Image& image, const std::string& tag) {
    return std::count(image.repo_tags().begin(), image.repo_tags().end(), tag) == 1;
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

}  // namespace

// A runtime that has no images API of its own: the same answers by translation
// (proxy/RULES.md#the-tag).
BOOST_AUTO_TEST_SUITE(TranslationTest)

BOOST_FIXTURE_TEST_CASE(PulledTag_IsPresentListedAndRuns, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(runtime.TargetOf(kWeb).empty());
  BOOST_TEST(translations == 1);
  BOOST_TEST(Status(kWeb).image().id() == good.image_id);
  BOOST_TEST(HasTag(Status(kWeb).image(), kWeb));
  BOOST_TEST(HasTag(List().images(0), kWeb));
  BOOST_TEST(HasTag(List(kWeb).images(0), kWeb));
  BOOST_TEST(Create(good.image_id, kWeb).ok());
  BOOST_TEST(Create(good.image_id, "").ok());
}

BOOST_FIXTURE_TEST_CASE(Restart_KeepsTheNames, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  RestartGate();
  BOOST_TEST(translations == 2);
  BOOST_TEST(IsPresent(kWeb));
  BOOST_TEST(HasTag(List().images(0), kWeb));
}

BOOST_FIXTURE_TEST_CASE(RemovedTag_IsGone, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Remove(kWeb).ok());
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(List().images().empty());
  RestartGate();
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(ResignedTag_NamesTheNewDigest, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  runtime.Push(kWeb, evil);
  decider.Sign(kWeb, evil.digest);
  BOOST_TEST(Pull(kWeb).ok());
  BOOST_TEST(Status(kWeb).image().id() == evil.image_id);
}

BOOST_FIXTURE_TEST_CASE(WithdrawnTag_IsAbsent, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Withdraw(kWeb);
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(!Create(good.image_id, kWeb).ok());
}

BOOST_FIXTURE_TEST_CASE(UnsignedContent_StaysAbsent, OtherRuntime) {
  runtime.Import("registry.example/acme/web:2", evil);
  runtime.Import("registry.example/acme/web@" + evil.digest.ToString(), evil);
  BOOST_TEST(!IsPresent("registry.example/acme/web:2"));
  BOOST_TEST(!Create(evil.image_id, "registry.example/acme/web:2").ok());
  BOOST_TEST(!Create(evil.image_id, "").ok());
}

// Its tag is of a repository that has no digest here, so that nobody knows where it points.
BOOST_FIXTURE_TEST_CASE(OldKubelet_NameUnderDenyOfAnUnknownTarget_IsRefused, OtherRuntime) {
  BOOST_TEST(Pull(kWeb).ok());
  decider.Deny("registry.example/acme/forbidden");
  BOOST_TEST(Create(good.image_id, "").ok());
  runtime.Import("registry.example/acme/forbidden:1", good);
  const auto status = Create(good.image_id, "");
  BOOST_TEST(status.error_code() == grpc::UNKNOWN);
  BOOST_TEST(status.error_message().find("denied") != std::string::npos);
  BOOST_TEST(runtime.Ran().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
