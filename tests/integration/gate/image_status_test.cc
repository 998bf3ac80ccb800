#include <boost/test/unit_test.hpp>

#include "proxy/map_entries.h"
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

BOOST_FIXTURE_TEST_CASE(HexDigitsAlone_FindNothing, TwoManifests) {
  runtime.Import(kWeb, good);
  BOOST_TEST(!IsPresent(good.image_id.substr(7)));
  BOOST_TEST(!IsPresent(good.image_id.substr(7, 12)));
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
