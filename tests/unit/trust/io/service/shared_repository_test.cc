// SPDX-License-Identifier: Apache-2.0

// One repository of TUF that names images and has a file which another trust reads: what those who
// read it under other roots believe.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "tests/support/trust_io/keyless_node.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;

const std::string kFleet = "registry.acme.example/web";

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
