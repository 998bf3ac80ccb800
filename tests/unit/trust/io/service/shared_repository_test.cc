// SPDX-License-Identifier: Apache-2.0

// One repository of TUF that names images and has a file which another trust reads: what those who
// read it under other roots believe, and what whoever is delegated the file can do to images.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/keyless_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kFleet = "registry.acme.example/web";

// Has the metadata, and says nothing where it is asked for a file.
class WithoutFiles final : public MetadataFetcher {
 public:
  explicit WithoutFiles(std::shared_ptr<MetadataFetcher> metadata)
      : metadata_(std::move(metadata)) {}
  Answer Fetch(const FileRequest& request, const Terms& terms) override {
    if (request.below == FileRequest::Below::kUrl) return metadata_->Fetch(request, terms);
    ++asked;
    if (terms.arrival) terms.arrival->heard = Heard::kNoFirstByte;
    return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kTimeout}),
            std::nullopt};
  }
  std::atomic<int> asked = 0;

 private:
  const std::shared_ptr<MetadataFetcher> metadata_;
};

struct SharedNode : KeylessNode {
  static std::shared_ptr<tuf1::TufTrust> PinnedToNobody() {
    auto trust = std::make_shared<tuf1::TufTrust>();
    trust->pin.key_ids = {Sha256Of("a key that signed nothing")};
    return trust;
  }
  Rule ImageRule() const {
    auto demand = std::make_shared<tuf1::TufDemand>(
        tuf1::TargetName::Parse("{name}:{tag}", tuf1::TargetName::Of::kTag).value());
    demand->trust = TufFleet::Pinned(first_root);
    Rule rule;
    rule.name = "fleet";
    rule.images = {ImagePattern::Parse("registry.acme.example/**").value()};
    rule.action = Action::kVerify;
    rule.members = {{"roots", kTufUrl, &TufKind(), demand}};
    return rule;
  }
  void UseBoth(const std::shared_ptr<tuf1::TufTrust>& of_file) {
    SetRules({KeylessImages(), ImageRule()}, Rule{}, {ReaderUnder(of_file)});
    Start();
  }
  // The role `sigstore` is delegated the file and nothing else; `targets` has that image.
  void PublishDelegated(const std::string& image_tag) {
    tuf->With([&](TufPublisher& publisher) {
      publisher["targets"].targets.clear();
      publisher.Sign("targets", kFleet + ":" + image_tag, "web " + image_tag);
      publisher.Delegate("targets", "sigstore", {kTarget});
      publisher.Sign("sigstore", kTarget, TestRoot("trusted_root.json"));
      publisher.PublishEdition({"targets", "sigstore"});
    });
  }
  // The publisher takes that image back, and has another.
  void MoveOnTo(const std::string& image_tag) {
    tuf->With([&](TufPublisher& publisher) {
      publisher["targets"].targets.clear();
      publisher.Sign("targets", kFleet + ":" + image_tag, "web " + image_tag);
      publisher.PublishEdition({"targets", "sigstore"});
    });
  }
  static std::string Web(const std::string& tag) {
    return Sha256Digest(Sha256Of("web " + tag)).ToString();
  }
  RepositoryStatus StatusOfFleet() {
    for (const RepositoryStatus& one : service().Status().repositories) {
      if (one.id.url == kTufUrl) return one;
    }
    return {};
  }
  std::string PullOfWeb(const std::string& tag) { return PullOf(kFleet + ":" + tag); }
};

BOOST_FIXTURE_TEST_SUITE(SharedRepositoryTest, SharedNode)

BOOST_AUTO_TEST_CASE(AFile_ThatHangsFromARootThatItsOwnTrustDoesNotPin_IsNoFile) {
  UseBoth(PinnedToNobody());
  BOOST_TEST(PullOfWeb("9") == "tag-not-signed");
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  BOOST_TEST(PresentOf() == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(AFile_WhoseOwnTrustPinsTheRoot_IsHadBesideThoseWhoDoNot) {
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOfWeb("9") == "tag-not-signed");
  BOOST_TEST(PullOf(by_digest) == image);
}

BOOST_AUTO_TEST_CASE(APinThatLeavesTheConfiguration_TakesItsFileWithIt_OnAFullDiskToo) {
  disk().FailAll(ENOSPC);
  BOOST_TEST(PullOf(by_digest) == image);
  SetRules({KeylessImages()}, Rule{}, {ReaderUnder(PinnedToNobody())});
  Reconfigure();
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  Advance(31s);
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  BOOST_TEST(PresentOf() == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(AnotherPublishersRoot_HasNothingOfTheOneBefore_OnAFullDiskEither) {
  disk().FailAll(ENOSPC);
  BOOST_TEST(PullOf(by_digest) == image);
  const std::string another = TufPublisher().files["1.root.json"];
  SetRules({KeylessImages()}, Rule{}, {ReaderUnder(TufFleet::Pinned(another))});
  Reconfigure();
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  Advance(31s);
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  BOOST_TEST(PresentOf() == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(WhoIsDelegatedOneFile_HoldsUpNobodysImages) {
  PublishDelegated("1");
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOfWeb("1") == Web("1"));
  BOOST_TEST(PullOf(by_digest) == image);
  tuf->With([](TufPublisher& publisher) {
    publisher.Sign("sigstore", kTarget, "<html>");
    publisher.files[ToHex(Sha256Of("<html>")) + "." + kTarget] = "<html>";
  });
  MoveOnTo("2");
  Advance(1h);
  BOOST_TEST(PullOfWeb("2") == Web("2"));
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  // The file before goes on, after a restart too.
  BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  Start();
  BOOST_TEST(PullOfWeb("2") == Web("2"));
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_CASE(AFileThatIsNone_IsToldAsAFailure_UntilThereIsOne) {
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOf(by_digest) == image);
  BOOST_TEST(!StatusOfFleet().last_failure);
  Publish("<html>");
  Advance(1h);
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  const RepositoryStatus status = StatusOfFleet();
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST(status.last_failure->at == "the target trusted_root.json");
  BOOST_TEST(CodeOf(status.last_failure->error.reason) == "malformed");
  BOOST_TEST(status.failures_in_a_row == 1U);
  BOOST_TEST((status.verified_at == wall()));
  Publish(TestRoot("trusted_root.json"));
  Advance(1h);
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  BOOST_TEST(!StatusOfFleet().last_failure);
}

BOOST_AUTO_TEST_CASE(AServerOfFilesThatIsSilent_HoldsUpNobodysImages) {
  const auto server = std::make_shared<WithoutFiles>(tuf);
  SetFetcher("roots", server);
  PublishDelegated("1");
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOfWeb("1") == Web("1"));
  BOOST_TEST(PullOf(by_digest) == "no-trust-data");
  BOOST_TEST(server->asked == 1);
  MoveOnTo("2");
  Question question = Ask(kFleet + ":2");
  question.reach = Question::Reach::kForce;
  BOOST_TEST(Outcome(service().DecideNow(std::move(question))) == Web("2"));
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(ARootThatTakesAKeyAway_TakesItFromTheFileBeforeToo) {
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOf(by_digest) == image);
  Publish("<html>");
  Advance(1h);
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  BOOST_TEST(PullOf(AnotherImage()) == "unsigned");
  tuf->With([](TufPublisher& publisher) {
    publisher["snapshot"].keys = {SigningKey::Ed25519()};
    publisher.Publish({"root"});
    publisher.PublishEdition();
  });
  Advance(1h);
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
  BOOST_TEST(PullOf(AnotherImage()) == "expired");
  BOOST_TEST(PresentOf() == image);
  Start();
  BOOST_TEST(PullOf(AnotherImage()) == "expired");
  BOOST_TEST(PresentOf() == image);
}

BOOST_AUTO_TEST_CASE(WhoLetsTheOneRoleExpireThatIsTheirs_HoldsUpNobodysImages) {
  PublishDelegated("1");
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOfWeb("1") == Web("1"));
  tuf->With([](TufPublisher& publisher) {
    publisher["sigstore"].expires = FormatRfc3339(SigningRepository::kNow + 24h);
  });
  MoveOnTo("2");
  Advance(48h);
  BOOST_TEST(PullOfWeb("2") == Web("2"));
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(WithAGoodFile_TheImagesMoveOn) {
  PublishDelegated("1");
  UseBoth(TufFleet::Pinned(first_root));
  BOOST_TEST(PullOfWeb("1") == Web("1"));
  MoveOnTo("2");
  Advance(1h);
  BOOST_TEST(PullOfWeb("2") == Web("2"));
  BOOST_TEST(PullOfWeb("1") == "tag-not-signed");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
