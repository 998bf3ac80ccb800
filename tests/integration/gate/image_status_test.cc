// SPDX-License-Identifier: Apache-2.0
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "proxy/runtime/map_entries.h"
#include "tests/integration/gate/gate_fixture.h"

namespace crivet::proxy {
namespace {

constexpr char kWeb[] = "registry.example/acme/web:1";

struct TwoManifests : GateFixture {
  TwoManifests() {
    decider.Verify("registry.example/acme/**");
    good = runtime.MakeManifest("good layers", "good config");
    evil = runtime.MakeManifest("evil layers", "evil config");
    decider.Sign(kWeb, good.digest);
  }
  std::size_t Decisions() const { return decider.Asked().size(); }
  std::string AskedUpstream() const {
    cri::ImageStatusRequest request;
    request.ParseFromString(runtime.Calls("ImageStatus").back().request);
    return request.image().image();
  }
  FakeCri::Manifest good{.digest = *trust::Sha256Digest::Parse(IdOf('0')), .image_id = ""};
  FakeCri::Manifest evil = good;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ImageStatusTest)

BOOST_FIXTURE_TEST_CASE(PreloadedAndSigned_IsPresent, TwoManifests) {
  runtime.Import(kWeb, good);
  BOOST_TEST(Status(kWeb).image().id() == good.image_id);
}

BOOST_FIXTURE_TEST_CASE(PreloadedAndUnsigned_IsAbsent, TwoManifests) {
  runtime.Import("registry.example/acme/web:2", good);
  BOOST_TEST(!IsPresent("registry.example/acme/web:2"));
}

BOOST_FIXTURE_TEST_CASE(TagMovedBehindOurBack_IsAbsent, TwoManifests) {
  runtime.Import(kWeb, evil);
  BOOST_TEST(!IsPresent(kWeb));
}

// What the name means by now is no evidence for the image that CRI still shows under it.
BOOST_FIXTURE_TEST_CASE(TagThatIsJustMoving_IsAbsentUntilTheRuntimeShowsIt, TwoManifests) {
  runtime.Import(kWeb, evil);
  runtime.Move(kWeb, good, 1);
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(Status(kWeb).image().id() == good.image_id);
}

BOOST_FIXTURE_TEST_CASE(NameAbsent_IsAbsentWithoutADecision, TwoManifests) {
  BOOST_TEST(!IsPresent(kWeb));
  BOOST_TEST(Decisions() == 0U);
}

BOOST_FIXTURE_TEST_CASE(DefaultDeny_IsAbsent, TwoManifests) {
  runtime.Import("docker.io/library/busybox:latest", good);
  BOOST_TEST(!IsPresent("busybox"));
}

BOOST_FIXTURE_TEST_CASE(AllowRule_IsPresentUnderTheCanonicalName, TwoManifests) {
  decider.Allow("docker.io/library/*");
  runtime.Import("docker.io/library/busybox:latest", evil);
  BOOST_TEST(IsPresent("busybox"));
  BOOST_TEST(AskedUpstream() == "docker.io/library/busybox:latest");
}

BOOST_FIXTURE_TEST_CASE(ShortenedId_UnderAnAllowRule_FindsOnlyWhatTheNameNames, TwoManifests) {
  decider.Allow("docker.io/library/*");
  runtime.Import("registry.example/acme/web:2", evil);
  // The bypass: the runtime itself takes it for the beginning of an ID.
  const std::string shortened = evil.image_id.substr(0, 19);
  grpc::ClientContext context;
  BOOST_TEST(!IsPresent(shortened));
  BOOST_TEST(AskedUpstream() == "docker.io/library/" + shortened);
}

BOOST_FIXTURE_TEST_CASE(WholeId_IsForwarded, TwoManifests) {
  runtime.Import("registry.example/acme/web:2", evil);
  BOOST_TEST(IsPresent(evil.image_id));
  BOOST_TEST(AskedUpstream() == evil.image_id);
  BOOST_TEST(Decisions() == 0U);
}

// People's commands: `crictl images` prints an ID without its prefix, shortened.
BOOST_FIXTURE_TEST_CASE(HexDigitsOfOneImage_AreItsId, TwoManifests) {
  runtime.Import("registry.example/acme/web:2", evil);
  for (const std::size_t digits : {std::size_t{64}, std::size_t{13}, std::size_t{5}}) {
    BOOST_TEST_CONTEXT(digits << " digits") {
      BOOST_TEST(Status(evil.image_id.substr(7, digits)).image().id() == evil.image_id);
      BOOST_TEST(AskedUpstream() == evil.image_id);
    }
  }
  BOOST_TEST(!IsPresent(evil.image_id.substr(7, 4)));
  BOOST_TEST(!IsPresent(evil.image_id.substr(7, 13) + ":latest"));
  BOOST_TEST(!IsPresent(evil.image_id.substr(0, 20)));
  BOOST_TEST(!IsPresent("00000"));
}

BOOST_FIXTURE_TEST_CASE(HexDigitsOfTwoImages_FindNothing, TwoManifests) {
  // Among some thousand IDs two begin with the same five digits.
  std::map<std::string, FakeCri::Manifest> seen;
  std::string five;
  for (int i = 0; five.empty(); ++i) {
    const auto made = runtime.MakeManifest("layers", "config " + std::to_string(i));
    const auto [before, is_new] = seen.emplace(made.image_id.substr(7, 5), made);
    if (is_new) continue;
    five = before->first;
    runtime.Import("registry.example/acme/web:2", before->second);
    BOOST_TEST(IsPresent(five));
    runtime.Import("registry.example/acme/web:3", made);
    BOOST_TEST(!IsPresent(five));
    BOOST_TEST(Status(made.image_id.substr(7, 20)).image().id() == made.image_id);
  }
}

BOOST_FIXTURE_TEST_CASE(HexDigitsThatAreAName_AreJudgedAsTheName, TwoManifests) {
  const std::string name = evil.image_id.substr(7, 8);
  runtime.Import("registry.example/acme/web:2", evil);
  runtime.Import("docker.io/library/" + name + ":latest", evil);
  BOOST_TEST(!IsPresent(name));
  decider.Allow("docker.io/library/*");
  BOOST_TEST(IsPresent(name));
}

BOOST_FIXTURE_TEST_CASE(NoName_UnderADefaultThatAllows_IsTheRuntimesToAnswer, TwoManifests) {
  decider.Default().action = trust::Action::kAllow;
  BOOST_TEST(!IsPresent(""));
  BOOST_TEST(AskedUpstream().empty());
  BOOST_TEST(Pull("").error_code() == grpc::NOT_FOUND);
  BOOST_TEST(Create("", "").error_code() == grpc::NOT_FOUND);
  // What a runtime could find behind the rules' back is refused all the same.
  runtime.Import("registry.example/acme/web:2", evil);
  BOOST_TEST(Create(evil.image_id.substr(7), "").error_code() == grpc::UNKNOWN);
  BOOST_TEST(Create("/checkpoint.tar", "").error_code() == grpc::UNKNOWN);
  BOOST_TEST(runtime.Ran().empty());
}

BOOST_FIXTURE_TEST_CASE(NotAReference_IsAbsent, TwoManifests) {
  BOOST_TEST(!IsPresent("/etc/passwd"));
  BOOST_TEST(runtime.Calls("ImageStatus").empty());
}

BOOST_FIXTURE_TEST_CASE(SignedDigest_IsPresentAndAnotherAbsent, TwoManifests) {
  const std::string repository = "registry.example/acme/web@";
  runtime.Import(repository + good.digest.ToString(), good);
  runtime.Import(repository + evil.digest.ToString(), evil);
  BOOST_TEST(IsPresent(repository + good.digest.ToString()));
  BOOST_TEST(!IsPresent(repository + evil.digest.ToString()));
}

BOOST_FIXTURE_TEST_CASE(DigestNameThatPointsElsewhere_IsAbsent, TwoManifests) {
  runtime.Import("registry.example/acme/web@" + good.digest.ToString(), evil);
  BOOST_TEST(!IsPresent("registry.example/acme/web@" + good.digest.ToString()));
}

BOOST_FIXTURE_TEST_CASE(AuditMode_IsForwardedAsWritten, TwoManifests) {
  decider.Default().mode = trust::Mode::kAudit;
  runtime.Import("docker.io/library/busybox:latest", evil);
  BOOST_TEST(IsPresent("busybox"));
  BOOST_TEST(AskedUpstream() == "busybox");
  BOOST_TEST(Decisions() == 1U);
}

BOOST_FIXTURE_TEST_CASE(NamespacedRule_NameIsPresentIfAnyNamespaceMayHaveIt, TwoManifests) {
  decider.Allow("registry.example/acme/tools").namespaces = {"ops"};
  runtime.Import("registry.example/acme/tools:1", evil);
  BOOST_TEST(IsPresent("registry.example/acme/tools:1"));
}

BOOST_FIXTURE_TEST_CASE(NativeApiDoesNotKnowTheName_OnlyAnAllowRuleMakesItPresent, TwoManifests) {
  decider.Allow("docker.io/library/*");
  runtime.Import("docker.io/library/busybox:latest", evil);
  runtime.Import(kWeb, good);
  runtime.Fail("Images.Get", {.code = grpc::NOT_FOUND, .message = "not found"});
  BOOST_TEST(IsPresent("busybox"));
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_FIXTURE_TEST_CASE(NativeApiFails_ItsFailureIsTheAnswer, TwoManifests) {
  runtime.Import(kWeb, good);
  runtime.Fail("Images.Get", {.code = grpc::INTERNAL, .message = "boom"});
  grpc::ClientContext context;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(kWeb);
  cri::ImageStatusResponse response;
  BOOST_TEST(images->ImageStatus(&context, request, &response).error_message() == "boom");
}

BOOST_FIXTURE_TEST_CASE(Verbose_IsPassedOn, TwoManifests) {
  runtime.Import(kWeb, good);
  grpc::ClientContext context;
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(kWeb);
  request.set_verbose(true);
  cri::ImageStatusResponse response;
  BOOST_TEST(images->ImageStatus(&context, request, &response).ok());
  BOOST_TEST(*FindEntry(response.info(), "info") == "{}");
}

BOOST_FIXTURE_TEST_CASE(RememberedTag_IsPresentAfterExpiryAndAbsentOnceWithdrawn, TwoManifests) {
  runtime.Push(kWeb, good);
  BOOST_TEST(Pull(kWeb).ok());
  decider.Expire();
  BOOST_TEST(IsPresent(kWeb));
  decider.Withdraw(kWeb);
  BOOST_TEST(!IsPresent(kWeb));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
