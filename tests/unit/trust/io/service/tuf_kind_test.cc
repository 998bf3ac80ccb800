// SPDX-License-Identifier: Apache-2.0

// Repositories of TUF 1.0 behind the whole service: which files a name takes, what survives a
// failure and a restart, and every attack of
// trust/tuf1/FORMAT.md#attacks-and-the-tests-that-play-them that shows in an answer.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/trust_io/temporary_folder.h"
#include "tests/support/trust_io/tuf_fleet.h"
#include "trust/io/service/folder_fetcher.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Requests = std::vector<std::string>;

std::string DigestOf(const std::string& content) {
  return Sha256Digest(Sha256Of(content)).ToString();
}

BOOST_FIXTURE_TEST_SUITE(TufKindTest, TufFleet)

BOOST_AUTO_TEST_CASE(Pull_NameInTargets_IsPinnedByOneRefresh) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  const Requests first = {"2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"};
  BOOST_TEST(TufAsked() == first, boost::test_tools::per_element());
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(TufAsked().size() == first.size());
}

BOOST_AUTO_TEST_CASE(Pull_NameInADelegatedRole_LoadsItUnderTheCommittedSnapshot) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([](TufPublisher&) {});
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(TufAsked() == Requests{"1.shop.json"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(Forgotten_WhileARoleIsFetched_BeginsAnew) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  const CollectionId fleet = service().Status().repositories.front().id;
  tuf->Before("shop.json", [&] { BOOST_TEST(service().Forget(fleet).has_value()); });
  BOOST_TEST(PullOf(cart) == "cart 1.0");
}

// What is forgotten of one image's repository is its records, of every tag, and nothing of others.
BOOST_AUTO_TEST_CASE(ForgetNames_DropsTheRecordsOfTheNameAlone) {
  const std::string by_digest = std::string(kWebName) + "@" + DigestOf("web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", by_digest, "web 1.0");
    publisher.PublishEdition();
  });
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  BOOST_TEST(PullAndRemember(by_digest) == "web 1.0");
  BOOST_TEST(PullAndRemember(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher["targets"].targets.erase(by_digest);
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"targets", "shop"});
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  BOOST_TEST(PresentOf(web, "web 1.0") == "web 1.0");
  const CollectionId fleet = service().Status().repositories.front().id;
  const auto other = ImageReference::Parse("registry.acme.example/web/other:1.0").value();
  BOOST_TEST(service().ForgetNames(fleet, other).value() == 0);
  const auto any_tag = ImageReference::Parse(std::string(kWebName) + ":9").value();
  BOOST_TEST(service().ForgetNames(fleet, any_tag).value() == 2);
  for (int restarts = 0; restarts < 2; ++restarts) {
    BOOST_TEST(PresentOf(web, "web 1.0") == "digest-mismatch");
    BOOST_TEST(PullOf(web) == "web 2.0");
    BOOST_TEST(PresentOf(cart, "cart 1.0") == "cart 1.0");
    Start();
  }
  BOOST_TEST(service().ForgetNames(fleet, any_tag).value() == 0);
}

BOOST_AUTO_TEST_CASE(ForgetNames_DiskTakesNoWrites_ForgetsNothing) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  const CollectionId fleet = service().Status().repositories.front().id;
  disk().FailAll(ENOSPC);
  BOOST_TEST(!service().ForgetNames(fleet, ImageReference::Parse(web).value()));
  BOOST_TEST(PresentOf(web, "web 1.0") == "web 1.0");
  disk().Heal();
  BOOST_TEST(service().ForgetNames(fleet, ImageReference::Parse(web).value()).value() == 1);
  BOOST_TEST(PresentOf(web, "web 1.0") == "digest-mismatch");
}

BOOST_AUTO_TEST_CASE(ForgetNames_NothingVerified_IsRefused) {
  tuf->SetAway(true);
  const CollectionId fleet{"tuf", kTufUrl, "*"};
  const auto refused = service().ForgetNames(fleet, ImageReference::Parse(web).value());
  BOOST_REQUIRE(!refused);
  BOOST_TEST(CodeOf(refused.error().reason) == "no-trust-data");
}

// The search for each name of `evil` costs an eighth of what one may: withdrawing is not for it to
// make as dear as it has records.
BOOST_AUTO_TEST_CASE(Withdrawn_NamesThatAreDearToSearch_HaveAShareOfTheirOwn) {
  const std::string dear = "registry.acme.example/evil/" + std::string(200, 'a');
  Edit([&](TufPublisher& publisher) {
    publisher.Delegate("targets", "evil", {"registry.acme.example/evil/*"});
    for (int i = 0; i < 20; ++i) publisher.Sign("evil", dear + ":" + std::to_string(i), "web 1.0");
    publisher.PublishEdition({"targets", "evil"});
  });
  for (int i = 0; i < 20; ++i) {
    BOOST_REQUIRE(PullAndRemember(dear + ":" + std::to_string(i)) == "web 1.0");
  }
  BOOST_TEST(PullAndRemember(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    const std::string almost = "registry.acme.example/evil/*" + std::string(100, 'a') + "b";
    publisher["evil"].targets = TufPublisher::Json::object();
    publisher.Delegate("evil", "more", std::vector<std::string>(80, almost));
    publisher["shop"].targets.erase(cart);
    publisher.PublishEdition({"targets", "evil", "more", "shop"});
  });
  Later();
  BOOST_TEST(PullOf(cart) == "withdrawn");
  const std::size_t left = service().Status().repositories.front().records;
  BOOST_TEST(left > 5);
  BOOST_TEST(left < 20);
  // Nobody is let through by one that has not been marked.
  BOOST_TEST(PresentOf(dear + ":19", "web 1.0") != "web 1.0");
}

BOOST_AUTO_TEST_CASE(Pull_NamesOfOneRepository_ShareItsRefresh) {
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(TufAsked().size() == 5);
}

BOOST_AUTO_TEST_CASE(Pull_NameThatNobodyLists_IsNotSigned) {
  BOOST_TEST(PullOf("registry.acme.example/web:9") == "tag-not-signed");
  BOOST_TEST(PullOf("registry.acme.example/other:1.0") == "tag-not-signed");
  BOOST_TEST(PullOf("registry.acme.example/shop/web:1.0") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Pull_DelegatedRoleNamesWhatItIsNotFor_IsNotSigned) {
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("shop", "registry.acme.example/web:2.0", "web 2.0");
    publisher.PublishEdition({"shop"});
  });
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf("registry.acme.example/web:2.0") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Pull_ByTagAndDigest_HasToBeThatTags) {
  BOOST_TEST(PullOf(web + "@" + DigestOf("web 1.0")) == "web 1.0");
  BOOST_TEST(PullOf(web + "@" + DigestOf("web 2.0")) == "digest-mismatch");
}

BOOST_AUTO_TEST_CASE(Pull_ByDigest_NeedsADigestTargetOrATag) {
  const std::string name = kWebName;
  BOOST_TEST(PullOf(name + "@" + DigestOf("web 1.0")) == "web 1.0");
  BOOST_TEST(PullOf(name + "@" + DigestOf("web 2.0")) == "digest-not-signed");
  // The digest of another repository's tag.
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf(name + "@" + DigestOf("cart 1.0")) == "digest-not-signed");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", name + "@" + DigestOf("web 2.0"), "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(name + "@" + DigestOf("web 2.0")) == "web 2.0");
}

BOOST_AUTO_TEST_CASE(PullByDigest_RolesThatMayListATag_AreHadFirst) {
  Edit([&](TufPublisher& publisher) {
    publisher.Delegate("targets", "elsewhere", {"registry.acme.example/elsewhere/*"});
    publisher.Delegate("targets", "cart", {"registry.acme.example/shop/cart:*"});
    publisher.Sign("cart", std::string(kShopName) + ":2.0", "cart 2.0");
    publisher.PublishEdition({"targets", "elsewhere", "cart"});
  });
  const std::string name = kShopName;
  BOOST_TEST(PullOf(name + "@" + DigestOf("cart 2.0")) == "cart 2.0");
  const Requests asked = TufAsked();
  BOOST_REQUIRE(asked.size() == 6);
  BOOST_TEST(asked[4] == "1.shop.json");
  BOOST_TEST(asked[5] == "1.cart.json");
  BOOST_TEST(PullOf(name + "@" + DigestOf("cart 1.0")) == "cart 1.0");
  BOOST_TEST(PullOf(name + "@" + DigestOf("web 1.0")) == "digest-not-signed");
  BOOST_TEST(TufAsked().size() == 6);
}

BOOST_AUTO_TEST_CASE(PullByDigest_WithoutDigestTargets_IsByATag) {
  auto demand = NewDemand();
  demand->digest_target.reset();
  Use(demand);
  Start();
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 1.0")) == "cart 1.0");
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 2.0")) == "digest-not-signed");
}

BOOST_AUTO_TEST_CASE(PullByDigest_RoleThatMayListATagIsWithheld_IsNoAnswer) {
  const std::string signed_in_targets = std::string(kShopName) + ":0.9";
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", signed_in_targets, "cart 2.0");
    publisher.PublishEdition();
    publisher.files.erase("1.shop.json");
  });
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 1.0")) == "no-trust-data");
  // Nor where an earlier role would do: what is withheld may be asked for by others alone.
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 2.0")) == "no-trust-data");
  BOOST_TEST(PullOf(signed_in_targets) == "cart 2.0");
}

BOOST_AUTO_TEST_CASE(PullByDigest_MoreRolesThanASearchMayPass_IsNoAnswer) {
  Edit([&](TufPublisher& publisher) {
    std::vector<std::string> roles = {"targets"};
    for (int i = 0; i < 40; ++i) {
      roles.push_back("r" + std::to_string(i));
      publisher.Delegate("targets", roles.back(),
                         {"registry.acme.example/shop/cart:" + std::to_string(i) + ".*"});
    }
    publisher.PublishEdition(roles);
  });
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 1.0")) == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(PullByDigest_WhereABinMayListATag_NeedsADigestTarget) {
  const std::string by_target = std::string(kWebName) + "@" + DigestOf("web 2.0");
  Edit([&](TufPublisher& publisher) {
    publisher.DelegateBins("targets", 1, "bin");
    for (const char* bin : {"bin-0", "bin-1"}) {
      publisher[bin].keys = publisher["targets"].keys;
      publisher.Sign(bin, by_target, "web 2.0");
    }
    publisher.PublishEdition({"targets", "bin-0", "bin-1"});
  });
  const Decision refused = Pull(std::string(kWebName) + "@" + DigestOf("web 1.0"));
  BOOST_TEST(Said(refused) == "digest-not-signed");
  const std::string said = std::get<Deny>(refused.verdict).found;
  BOOST_TEST(said.find("bins, which are not searched for a digest; a target ") != std::string::npos,
             said);
  BOOST_TEST(PullOf(by_target) == "web 2.0");
}

// The first tags are another role's to say, and the 33rd is not looked at.
BOOST_AUTO_TEST_CASE(PullByDigest_TagsWithoutEnd_AreTriedToALimit) {
  const auto publish = [&](int shadowed, int listed) {
    Edit([&](TufPublisher& publisher) {
      publisher["first"].targets.clear();
      publisher["shop"].targets.clear();
      for (int i = 0; i < listed; ++i) {
        const std::string tag = std::string(kShopName) + ":" + std::to_string(1000 + i);
        publisher.Sign("shop", tag, "cart 1.0");
        if (i < shadowed) publisher.Sign("first", tag, "cart 2.0");
      }
      publisher.PublishEdition({"targets", "first", "shop"});
    });
    Later();
    return PullOf(std::string(kShopName) + "@" + DigestOf("cart 1.0"));
  };
  Edit([](TufPublisher& publisher) {
    publisher.Delegate("targets", "first", {"registry.acme.example/shop/*"});
    auto& roles = publisher["targets"].delegations["roles"];
    std::swap(roles[0], roles[1]);
  });
  BOOST_TEST(publish(31, 32) == "cart 1.0");
  BOOST_TEST(publish(32, 32) == "digest-not-signed");
  BOOST_TEST(publish(32, 33) == "too-many");
  BOOST_TEST(publish(0, 100) == "cart 1.0");
}

BOOST_AUTO_TEST_CASE(Pull_DigestTargetOfAnotherDigest_IsMalformed) {
  const std::string name = kWebName;
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", name + "@" + DigestOf("web 2.0"), "something else");
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(name + "@" + DigestOf("web 2.0")) == "malformed");
}

BOOST_AUTO_TEST_CASE(Pull_EntryWithoutAUsableSha256_IsRefusedAlone) {
  Edit([&](TufPublisher& publisher) {
    auto& targets = publisher["targets"].targets;
    targets[web]["hashes"] = {{"sha256", std::string(64, 'A')}};
    targets["registry.acme.example/web:2.0"] = {{"length", 1}, {"hashes", {{"blake2b-256", "00"}}}};
    publisher.Sign("targets", "registry.acme.example/web:3.0", "web 2.0");
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(web) == "malformed");
  BOOST_TEST(PullOf("registry.acme.example/web:2.0") == "malformed");
  BOOST_TEST(PullOf("registry.acme.example/web:3.0") == "web 2.0");
}

BOOST_AUTO_TEST_CASE(Roles_SearchEndsInAnother_IsRefused) {
  auto demand = NewDemand();
  demand->roles = {"shop"};
  Use(demand);
  Start();
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf(web) == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Signers_HaveToListTheSameDigest) {
  Edit([&](TufPublisher& publisher) {
    publisher.Delegate("targets", "audit",
                       {"registry.acme.example/*", "registry.acme.example/*/*"});
    publisher.Sign("audit", cart, "cart 1.0");
    publisher.Sign("audit", web, "web 2.0");
    publisher.PublishEdition({"targets", "audit"});
  });
  auto demand = NewDemand();
  demand->signers = {"audit"};
  Use(demand);
  Start();
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PullOf(web) == "signers-disagree");
  BOOST_TEST(PullOf("registry.acme.example/web:9") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Templates_OfOtherRules_NameOtherTargets) {
  Edit([](TufPublisher& publisher) {
    publisher.Sign("targets", "images/web:1.0", "web 2.0");
    publisher.PublishEdition();
  });
  Use(NewDemand("images/{path}:{tag}"));
  Start();
  BOOST_TEST(PullOf(web) == "web 2.0");
}

BOOST_AUTO_TEST_CASE(Templates_UnderWhichTwoImagesHaveOneTarget_AreAnError) {
  const auto made = [&](const std::string& pattern) {
    Rule fallback;
    fallback.name = "default";
    fallback.is_default = true;
    return Policy::Create({RuleFor(pattern, NewDemand("images/{path}:{tag}"))}, fallback)
        .has_value();
  };
  BOOST_TEST(made("registry.acme.example/**"));
  BOOST_TEST(!made("**"));
  BOOST_TEST(!made("*/acme/*"));
}

BOOST_AUTO_TEST_CASE(Mirror_Image_IsLookedUpUnderTheNameThatWasPublished) {
  UseMirror();
  BOOST_TEST(PullOf("mirror.example/acme/web:1.0") == "web 1.0");
  BOOST_TEST(PullOf("mirror.example/acme/shop/cart:1.0") == "cart 1.0");
  BOOST_TEST(PullOf("mirror.example/acme/web@" + DigestOf("web 1.0")) == "web 1.0");
  BOOST_TEST(PullOf("mirror.example/acme/other:1.0") == "tag-not-signed");
  BOOST_TEST(PullOf("mirror.example/acme:1.0") == "no-trust-data");
}

// What somebody publishes under the mirror's own name is another image's.
BOOST_AUTO_TEST_CASE(Mirror_TargetOfItsOwnName_DoesNotCount) {
  Edit([](TufPublisher& publisher) {
    publisher.Sign("targets", "mirror.example/acme/web:1.0", "web 2.0");
    publisher.Sign("targets", "mirror.example/acme/more:1.0", "web 2.0");
    publisher.PublishEdition();
  });
  UseMirror();
  BOOST_TEST(PullOf("mirror.example/acme/web:1.0") == "web 1.0");
  BOOST_TEST(PullOf("mirror.example/acme/more:1.0") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Mirror_Records_AreOfTheNameThatWasPublished) {
  UseMirror();
  BOOST_TEST(PullAndRemember("mirror.example/acme/web:1.0") == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf("mirror.example/acme/web:1.0") == "web 2.0");
  BOOST_TEST(PresentOf("mirror.example/acme/web:1.0", "web 1.0") == "web 1.0");
  BOOST_TEST(PresentOf(web, "web 1.0") == "web 1.0");
  BOOST_TEST(PresentOf("mirror.example/acme/other:1.0", "web 1.0") == "tag-not-signed");
  // The same image, mapped to another name.
  UseMirror("registry.acme.example/elsewhere/**");
  BOOST_TEST(PresentOf("mirror.example/acme/web:1.0", "web 1.0") == "tag-not-signed");
}

BOOST_AUTO_TEST_CASE(Root_RotatedByBothKeys_IsFollowed) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher["root"].keys = {SigningKey::Ed25519()};
    publisher.Publish({"root"});
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  // The chain is stored, and begins at the pinned root.
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PullOf(web) == "web 2.0");
}

BOOST_AUTO_TEST_CASE(Root_SignedByTheNewKeysAlone_IsRefusedAndTheOldSetAnswers) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher["root"].keys = {SigningKey::Ed25519()};
    publisher["root"].signers = publisher["root"].keys;
    publisher.Publish({"root"});
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
}

BOOST_AUTO_TEST_CASE(Root_AnotherIsPinned_TheOldChainCountsForNothing) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  const TufPublisher stranger;
  auto demand = NewDemand();
  demand->trust = Pinned(stranger.files.at("1.root.json"));
  Use(demand);
  Start();
  const std::string said = PullOf(web);
  BOOST_TEST((said == "signature" || said == "untrusted-root" || said == "no-trust-data"), said);
}

// A fleet that pins keys, or nobody: a listed ID is a name, and the key's own counts.
struct PinningFleet : TufFleet {
  static constexpr char kListed[] =
      "cafecafecafecafecafecafecafecafecafecafecafecafecafecafecafecafe";

  void Pin(const std::set<std::string>& ids, bool tofu = false) {
    auto trust = std::make_shared<tuf1::TufTrust>();
    for (const std::string& id : ids) trust->pin.key_ids.insert(Sha256FromHex(id).value());
    trust->pin.tofu = tofu;
    auto demand = NewDemand();
    demand->trust = trust;
    Use(demand);
    Start();
  }
  std::string RootKey() {
    return tuf->With(
        [](TufPublisher& publisher) { return TufPublisher::IdOf(publisher["root"].keys.front()); });
  }
  void RotateRoot() {
    Edit([](TufPublisher& publisher) {
      publisher["root"].keys = {SigningKey::Ed25519()};
      publisher.Publish({"root"});
    });
  }
  void Forget() {
    Stop();
    SetDisk(std::make_unique<MemoryDisk>());
  }
};

BOOST_FIXTURE_TEST_CASE(PinByKeyId_WalksFromTheFirstRoot, PinningFleet) {
  Forget();
  Pin({RootKey()});
  BOOST_TEST(PullOf(web) == "web 1.0");
  const Requests asked = {"1.root.json", "2.root.json", "timestamp.json", "2.snapshot.json",
                          "2.targets.json"};
  BOOST_TEST(TufAsked() == asked, boost::test_tools::per_element());
  BOOST_TEST(service().Status().repositories.size() == 1);
  // Its rotation needs nobody on the nodes, and what is stored stands.
  RotateRoot();
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(service().Status().refreshes.trusted_on_first_use == 0);
}

BOOST_FIXTURE_TEST_CASE(PinByKeyId_OfALaterRoot_CountsFromThatRootOn, PinningFleet) {
  const std::string first = RootKey();
  RotateRoot();
  RotateRoot();
  Forget();
  Pin({RootKey()});
  BOOST_TEST(PullOf(web) == "web 1.0");
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
  // The pin is replaced by that of a root before it, which is asked for again.
  tuf->SetAway(false);
  Pin({first});
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
}

BOOST_FIXTURE_TEST_CASE(PinByKeyId_NobodySignedWithIt_IsUntrusted, PinningFleet) {
  Forget();
  Pin({kListed});
  BOOST_TEST(PullOf(web) == "untrusted-root");
  // Neither is a key that is listed, and has not signed, nor a listed ID that is another key's.
  const SigningKey listed = SigningKey::Ed25519();
  Edit([&](TufPublisher& publisher) {
    const SigningKey signs = publisher["root"].keys.front();
    publisher["root"].keys = {signs, listed};
    publisher["root"].signers = {signs};
    publisher.Publish({"root"});
  });
  Pin({TufPublisher::IdOf(listed)});
  BOOST_TEST(PullOf(web) == "untrusted-root");
  BOOST_TEST(PresentOf(web, "web 1.0") != "web 1.0");
}

BOOST_FIXTURE_TEST_CASE(PinByKeyId_TakenOut_TakesItsChainWithIt, PinningFleet) {
  Forget();
  Pin({RootKey()});
  BOOST_TEST(PullOf(web) == "web 1.0");
  tuf->SetAway(true);
  Pin({kListed});
  BOOST_TEST(PullOf(web) != "web 1.0");
  BOOST_TEST(PresentOf(web, "web 1.0") != "web 1.0");
}

BOOST_FIXTURE_TEST_CASE(Tofu_TheFirstRootIsTheAnchor_AndNoOther, PinningFleet) {
  Forget();
  Pin({}, true);
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(service().Status().refreshes.trusted_on_first_use == 1);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(service().Status().refreshes.trusted_on_first_use == 0);
  // Somebody else, with a repository of their own.
  Edit([&](TufPublisher& publisher) {
    TufPublisher other;
    other.Publish({"root"});
    other.Sign("targets", web, "web 2.0");
    for (int edition = 0; edition < 3; ++edition) other.PublishEdition();
    publisher = other;
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
}

BOOST_FIXTURE_TEST_CASE(Tofu_FirstContactThatDoesNotVerifyWhole_IsNoAnchor, PinningFleet) {
  const TufPublisher good = tuf->With([](TufPublisher& publisher) { return publisher; });
  Forget();
  Edit([&](TufPublisher& publisher) {
    publisher = TufPublisher();
    publisher.files.erase("timestamp.json");
  });
  Pin({}, true);
  BOOST_TEST(PullOf(web) != "web 1.0");
  Edit([&](TufPublisher& publisher) { publisher = good; });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
}

BOOST_AUTO_TEST_CASE(Root_TakesAwayTheTargetsKey_ActsEvenIfTheRestFails) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher["targets"].keys = {SigningKey::Ed25519()};
    publisher.Publish({"root"});
    publisher.failures["timestamp.json"] = FetchFailure{FetchFailure::Kind::kNetwork};
  });
  Later();
  BOOST_TEST(PullOf(web) == "unreachable");
  BOOST_TEST(PresentOf(web, "web 1.0") == "unreachable");
  Start();
  BOOST_TEST(PullOf(web) != "web 1.0");
}

// The server plays back what it served before, or parts of it.
BOOST_AUTO_TEST_CASE(Rollback_OlderEdition_IsRefusedAlsoAfterARestart) {
  const TufPublisher old = tuf->With([](TufPublisher& publisher) { return publisher; });
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(web) == "web 2.0");
  Edit([&](TufPublisher& publisher) { publisher = old; });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  Start();
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  const RepositoryStatus status = StatusOf("*");
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST(CodeOf(status.last_failure->error.reason) == "rollback");
}

// The timestamp of the new edition was seen, and nothing else of it: what it says is a floor.
BOOST_AUTO_TEST_CASE(Rollback_InTwoAttempts_TheTimestampOfTheFirstIsAFloor) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  const TufPublisher old = tuf->With([](TufPublisher& publisher) { return publisher; });
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
    publisher.PublishEdition();
    publisher.failures["4.snapshot.json"] = FetchFailure{};
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  Start();
  // Timestamp 3 is newer than the set that answers, and older than what was seen.
  Edit([&](TufPublisher& publisher) {
    publisher = old;
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  const RepositoryStatus status = StatusOf("*");
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST(CodeOf(status.last_failure->error.reason) == "rollback");
  BOOST_TEST(status.last_failure->at == "timestamp");
}

// Snapshot 3 was verified and targets 3 withheld: targets may not fall below what it listed.
BOOST_AUTO_TEST_CASE(Rollback_InTwoAttempts_TheSnapshotOfTheFirstIsAFloor) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.PublishEdition();
    publisher.failures["3.targets.json"] = FetchFailure{};
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  Start();
  // Somebody with the keys of snapshot and timestamp lists the older targets.
  Edit([&](TufPublisher& publisher) {
    publisher.listed["targets"] = {{"version", 2}};
    publisher.Publish({"snapshot", "timestamp"});
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  const RepositoryStatus status = StatusOf("*");
  BOOST_REQUIRE(status.last_failure);
  BOOST_TEST(CodeOf(status.last_failure->error.reason) == "rollback");
  BOOST_TEST(status.last_failure->at == "snapshot");
}

// At first contact there is no set to fall back to, and floors all the same.
BOOST_AUTO_TEST_CASE(Rollback_AfterAFirstContactThatFailed_IsRefused) {
  const TufPublisher old = tuf->With([](TufPublisher& publisher) { return publisher; });
  Edit([&](TufPublisher& publisher) {
    publisher.PublishEdition();
    publisher.failures["3.snapshot.json"] = FetchFailure{};
  });
  BOOST_TEST(PullOf(web) != "web 1.0");
  Start();
  Edit([&](TufPublisher& publisher) { publisher = old; });
  Later();
  BOOST_TEST(PullOf(web) == "rollback");
}

BOOST_AUTO_TEST_CASE(Rollback_OfADelegatedRole_IsRefused) {
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"shop"});
  });
  BOOST_TEST(PullOf(cart) == "cart 2.0");
  Edit([&](TufPublisher& publisher) {
    publisher.listed["shop"] = {{"version", 1}};
    publisher.Publish({"snapshot", "timestamp"});
  });
  Later();
  BOOST_TEST(PullOf(cart) == "cart 2.0");
}

BOOST_AUTO_TEST_CASE(MixAndMatch_DelegatedFileOfAnotherVersion_IsRefused) {
  Edit([&](TufPublisher& publisher) {
    const std::string old = publisher.files["1.shop.json"];
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"shop"});
    publisher.files["2.shop.json"] = old;
  });
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(PullOf(cart) == "rollback");
}

BOOST_AUTO_TEST_CASE(Freeze_ExpiredTimestamp_IsUnavailableAfterItsTime) {
  Edit([](TufPublisher& publisher) {
    publisher["timestamp"].expires = "2026-06-02T00:00:00Z";
    publisher.Publish({"timestamp"});
  });
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  Later(23h);
  BOOST_TEST(PullOf(web) == "web 1.0");
  Later(1h);
  BOOST_TEST(PullOf(web) == "expired");
  // What this node verified itself still vouches for what is there.
  BOOST_TEST(PresentOf(web, "web 1.0") == "web 1.0");
}

BOOST_AUTO_TEST_CASE(Freeze_Grace_IsForTimestampAndSnapshot) {
  Edit([](TufPublisher& publisher) {
    publisher["timestamp"].expires = "2026-06-02T00:00:00Z";
    publisher.Publish({"timestamp"});
  });
  auto demand = NewDemand();
  demand->grace = 2h;
  Use(demand);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
  Later(25h);
  BOOST_TEST(PullOf(web) == "web 1.0");
  Later(2h);
  BOOST_TEST(PullOf(web) == "expired");
}

BOOST_AUTO_TEST_CASE(Freeze_ExpiredDelegatedRole_TouchesItsNamesAlone) {
  Edit([](TufPublisher& publisher) {
    publisher["shop"].expires = "2026-05-01T00:00:00Z";
    publisher.PublishEdition({"shop"});
  });
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(PullOf(cart) == "expired");
}

// A later delegation that would know the name is not asked.
BOOST_AUTO_TEST_CASE(Search_RoleOnTheWayIsWithheld_EndsIt) {
  Edit([&](TufPublisher& publisher) {
    publisher.Delegate("targets", "later", {"registry.acme.example/shop/*"});
    publisher.Sign("later", cart, "cart 2.0");
    publisher.PublishEdition({"targets", "later"});
    publisher.failures["1.shop.json"] = FetchFailure{};
  });
  const std::string said = PullOf(cart);
  BOOST_TEST(said == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(Search_RoleBadlySigned_Denies) {
  Edit([&](TufPublisher& publisher) {
    publisher["shop"].signers = {{SigningKey::Ed25519()}};
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"shop"});
  });
  BOOST_TEST(PullOf(cart) == "signature");
  BOOST_TEST(PullOf(web) == "web 1.0");
}

BOOST_AUTO_TEST_CASE(Search_DelegationThatTheSnapshotDoesNotList_IsNotEmpty) {
  Edit([&](TufPublisher& publisher) {
    publisher.Delegate("targets", "unlisted", {"registry.acme.example/*"}, true);
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(PullOf("registry.acme.example/web:2.0") == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(Search_TheLimitOfRoles_IsTheTrusts) {
  Edit([&](TufPublisher& publisher) {
    std::string above = "targets";
    for (int i = 0; i < 5; ++i) {
      const std::string role = "deep" + std::to_string(i);
      publisher.Delegate(above, role, {"registry.acme.example/deep"});
      above = role;
    }
    publisher["targets"].delegations["roles"].back()["paths"] = {"registry.acme.example/deep:1.0"};
    for (int i = 0; i < 4; ++i) {
      publisher["deep" + std::to_string(i)].delegations["roles"].back()["paths"] = {
          "registry.acme.example/deep:1.0"};
    }
    publisher.Sign(above, "registry.acme.example/deep:1.0", "web 2.0");
    publisher.PublishEdition({"targets", "deep0", "deep1", "deep2", "deep3", "deep4"});
  });
  BOOST_TEST(PullOf("registry.acme.example/deep:1.0") == "web 2.0");
  auto demand = NewDemand();
  auto trust = std::make_shared<tuf1::TufTrust>();
  trust->pin = demand->trust->pin;
  trust->max_delegations = 3;
  demand->trust = trust;
  Use(demand);
  Start();
  BOOST_TEST(PullOf("registry.acme.example/deep:1.0") == "no-trust-data");
}

BOOST_AUTO_TEST_CASE(Search_Bins_LoadTheNamesBinAlone) {
  Edit([&](TufPublisher& publisher) {
    publisher.DelegateBins("shop", 4, "bin");
    const std::string bin = tuf1::Bins{4, "bin"}.RoleOf(cart);
    publisher["shop"].targets = TufPublisher::Json::object();
    publisher[bin].keys = publisher["shop"].keys;
    publisher.Sign(bin, cart, "cart 2.0");
    publisher.PublishEdition({"shop", bin});
  });
  BOOST_TEST(PullOf(cart) == "cart 2.0");
  BOOST_TEST(TufAsked().size() == 6);
  // Which bins are here says nothing of a digest in the others.
  BOOST_TEST(PullOf(std::string(kShopName) + "@" + DigestOf("cart 2.0")) == "no-trust-data");
}

// The publisher removed the file that the committed snapshot lists.
BOOST_AUTO_TEST_CASE(Search_SnapshotHasMovedOn_RefreshesOnceAndTriesAgain) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"shop"});
    publisher.files.erase("1.shop.json");
  });
  BOOST_TEST(PullOf(cart) == "cart 2.0");
}

BOOST_AUTO_TEST_CASE(Refresh_RolesInUse_AreHadAheadOfWhoeverAsks) {
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"shop"});
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([](TufPublisher&) {});
  BOOST_TEST(PullOf(cart) == "cart 2.0");
  BOOST_TEST(TufAsked().empty());
}

// A role that cannot be had touches only its names; they answer from the set before.
BOOST_AUTO_TEST_CASE(Refresh_RoleInUseIsWithheld_TheSetBeforeAnswersForItsNames) {
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition({"targets", "shop"});
    publisher.failures["2.shop.json"] = FetchFailure{};
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  Edit([](TufPublisher& publisher) { publisher.failures.clear(); });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  BOOST_TEST(PullOf(cart) == "cart 2.0");
}

BOOST_AUTO_TEST_CASE(Withdrawn_TagIsTakenOut_IsRefusedAlsoWhereItIsPresent) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  BOOST_TEST(PullAndRemember(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher["targets"].targets.erase(web);
    publisher["shop"].targets.erase(cart);
    publisher.PublishEdition({"targets", "shop"});
  });
  Later();
  BOOST_TEST(PullOf(web) == "withdrawn");
  BOOST_TEST(PresentOf(web, "web 1.0") == "withdrawn");
  BOOST_TEST(PullOf(cart) == "withdrawn");
  BOOST_TEST(PresentOf(cart, "cart 1.0") == "withdrawn");
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PresentOf(web, "web 1.0") == "withdrawn");
}

BOOST_AUTO_TEST_CASE(Present_TagMovedOn_TheRecordVouches) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  BOOST_TEST(PresentOf(web, "web 1.0") == "web 1.0");
  Use(NewDemand(), Present::kCurrent);
  Start();
  BOOST_TEST(PresentOf(web, "web 1.0") == "digest-mismatch");
}

// One repository speaks for many images: what was verified for one vouches for no other.
BOOST_AUTO_TEST_CASE(Present_RecordOfAnotherImageWithThatTag_DoesNotVouch) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  BOOST_TEST(PresentOf("registry.acme.example/other:1.0", "web 1.0") == "tag-not-signed");
  BOOST_TEST(PresentOf("registry.acme.example/other@" + DigestOf("web 1.0"), "web 1.0") ==
             "digest-not-signed");
  BOOST_TEST(PresentOf(cart, "web 1.0") != "web 1.0");
}

BOOST_AUTO_TEST_CASE(Present_RecordUnderAnotherTemplate_DoesNotVouch) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  Edit([](TufPublisher& publisher) {
    publisher.Sign("targets", "images/web:1.0", "web 2.0");
    publisher.PublishEdition();
  });
  Use(NewDemand("images/{path}:{tag}"));
  Start();
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  BOOST_TEST(PresentOf(web, "web 1.0") == "digest-mismatch");
}

BOOST_AUTO_TEST_CASE(Present_KeyOfTheRoleWasTakenAway_TheRecordNoLongerVouches) {
  BOOST_TEST(PullAndRemember(cart) == "cart 1.0");
  Edit([&](TufPublisher& publisher) {
    publisher["shop"].keys = {SigningKey::Ed25519()};
    publisher.Sign("shop", cart, "cart 2.0");
    publisher.PublishEdition({"targets", "shop"});
  });
  Later();
  BOOST_TEST(PullOf(cart) == "cart 2.0");
  BOOST_TEST(PresentOf(cart, "cart 1.0") == "digest-mismatch");
}

// A folder with what a server has, whether it takes the server's place or is imported.
BOOST_AUTO_TEST_CASE(Folder_AnswersAsTheServerDoes) {
  const TemporaryFolder folder;
  for (const auto& [name, bytes] : tuf->With([](TufPublisher& server) { return server.files; })) {
    std::ofstream(folder / name) << bytes;
  }
  tuf->SetAway(true);
  BOOST_TEST(PullOf(web) == "unreachable");
  BOOST_TEST(service().Import({"tuf", kTufUrl, "*"}, folder.path().string()).has_value());
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  Stop();
  SetDisk(std::make_unique<MemoryDisk>());
  SetFetcher("fleet", std::make_shared<FolderFetcher>(folder.path().string()));
  Start();
  BOOST_TEST(PullOf(cart) == "cart 1.0");
}

BOOST_AUTO_TEST_CASE(Present_NeverAsksForARole) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([](TufPublisher&) {});
  BOOST_TEST(PresentOf(cart, "cart 1.0") == "no-trust-data");
  for (const std::string& file : TufAsked()) BOOST_TEST(file.find("shop") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(Restart_ServerIsAway_AnswersFromTheStore) {
  BOOST_TEST(PullAndRemember(web) == "web 1.0");
  BOOST_TEST(PullAndRemember(cart) == "cart 1.0");
  tuf->SetAway(true);
  Start();
  BOOST_TEST(PullOf(web) == "web 1.0");
  BOOST_TEST(PullOf(cart) == "cart 1.0");
  BOOST_TEST(PresentOf(cart, "cart 1.0") == "cart 1.0");
  BOOST_TEST(PullOf("registry.acme.example/web:9") == "tag-not-signed");
}

constexpr MemoryDisk::Crash kCrashes[] = {MemoryDisk::Crash::kKilled, MemoryDisk::Crash::kPowerLost,
                                          MemoryDisk::Crash::kPowerLostNamesOn};

// Whether there was such a step.
bool CrashAt(TufFleet& node, std::uint64_t step, MemoryDisk::Crash crash,
             const std::function<void()>& during) {
  const std::uint64_t last = node.disk().steps() + step;
  node.disk().DieAt(last);
  during();
  const bool killed = node.disk().steps() >= last;
  auto left = node.disk().After(crash);
  node.Stop();
  node.SetDisk(std::move(left));
  return killed;
}

BOOST_AUTO_TEST_CASE(KilledAtAnyStepOfAFirstContact_TheNextStartHeals,
                     *boost::unit_test::label("sequential")) {
  bool killed = true;
  for (std::uint64_t step = 1; killed; ++step) {
    BOOST_TEST_CONTEXT("step " << step) {
      TufFleet node;
      killed = CrashAt(node, step, MemoryDisk::Crash::kPowerLost,
                       [&] { node.PullAndRemember(node.cart); });
      node.Start();
      BOOST_TEST(node.PullOf(node.cart) == "cart 1.0");
    }
  }
}

// A newer root, a set that names something else and one that withdraws: the one before or that one,
// and never what was withdrawn with it.
BOOST_AUTO_TEST_CASE(KilledAtAnyStepOfARefresh_TheSetBeforeOrTheNewOneAnswers,
                     *boost::unit_test::label("sequential")) {
  for (const MemoryDisk::Crash crash : kCrashes) {
    bool killed = true;
    for (std::uint64_t step = 1; killed; ++step) {
      BOOST_TEST_CONTEXT("crash " << static_cast<int>(crash) << " at step " << step) {
        TufFleet node;
        BOOST_TEST(node.PullAndRemember(node.web) == "web 1.0");
        BOOST_TEST(node.PullAndRemember(node.cart) == "cart 1.0");
        node.Edit([&](TufPublisher& publisher) {
          publisher["root"].keys = {SigningKey::Ed25519()};
          publisher.Publish({"root"});
          publisher.Sign("targets", node.web, "web 2.0");
          publisher["shop"].targets.erase(node.cart);
          publisher.PublishEdition({"targets", "shop"});
        });
        node.Later();
        killed = CrashAt(node, step, crash, [&] { node.PullOf(node.web); });
        node.tuf->SetAway(true);
        node.Start();
        const std::string answer = node.PullOf(node.web);
        BOOST_TEST((answer == "web 1.0" || answer == "web 2.0"), answer);
        const std::string present = node.PresentOf(node.cart, "cart 1.0");
        BOOST_TEST(present == (answer == "web 1.0" ? "cart 1.0" : "withdrawn"));
        node.tuf->SetAway(false);
        node.Later();
        BOOST_TEST(node.PullOf(node.web) == "web 2.0");
        BOOST_TEST(node.PresentOf(node.cart, "cart 1.0") == "withdrawn");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(Recovery_KeysRotateAfterAFastForward_VersionsMayFall) {
  Edit([](TufPublisher& publisher) {
    for (const char* role : {"timestamp", "snapshot", "targets"}) {
      publisher[role].version = 9007199254740990;
    }
    publisher.PublishEdition();
  });
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([&](TufPublisher& publisher) {
    for (const char* role : {"timestamp", "snapshot"}) {
      publisher[role].keys = {SigningKey::Ed25519()};
      publisher[role].version = 0;
    }
    publisher["targets"].version = 10;
    publisher.Publish({"root"});
    publisher.Sign("targets", web, "web 2.0");
    publisher.PublishEdition();
  });
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
  Start();
  Later();
  BOOST_TEST(PullOf(web) == "web 2.0");
}

BOOST_AUTO_TEST_CASE(Names_ThatSomebodyMakesUp_AreAskedOnce) {
  BOOST_TEST(PullOf(web) == "web 1.0");
  Edit([](TufPublisher& publisher) { publisher.failures["1.shop.json"] = FetchFailure{}; });
  BOOST_TEST(PullOf(cart) == "no-trust-data");
  const std::size_t asked = TufAsked().size();
  BOOST_TEST(asked > 0);
  BOOST_TEST(PullOf(cart) == "no-trust-data");
  BOOST_TEST(TufAsked().size() == asked);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
