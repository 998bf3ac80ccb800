// SPDX-License-Identifier: Apache-2.0

// What goes where a repository has more signatures than a node keeps, and what does not.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "trust/registry_bound/signature_set.h"
#include "trust/sigstore/sigstore_dialect.h"

namespace crivet::trust::registry_bound {
namespace {

const CollectionId kId{"sigstore", "registry", "registry.example/shop/web"};
constexpr TimePoint kNow{std::chrono::seconds{1'790'000'000}};

Sha256Digest Image(std::size_t number) {
  return Sha256Digest(Sha256Of("image " + std::to_string(number)));
}

StoredSignature SignatureOf(const Sha256Digest& image, std::string bytes, TimePoint verified) {
  return {image, verified, sigstore::BundleBytes(std::move(bytes))};
}

// So many images, the one with the highest number verified last.
std::vector<StoredSignature> Signatures(std::size_t images, std::size_t bytes_each = 8) {
  std::vector<StoredSignature> all;
  for (std::size_t i = 0; i < images; ++i) {
    std::string text = std::to_string(i);
    text.resize(bytes_each, ' ');
    all.push_back(SignatureOf(Image(i), std::move(text), kNow + std::chrono::seconds(i)));
  }
  return all;
}

std::shared_ptr<const SignatureSet> SetOf(std::vector<StoredSignature> signatures) {
  return SignatureSet(kId, sigstore::Dialect()).With(std::move(signatures));
}

// As the hourly look does, and ImageStatus.
void AskAboutWhatIsHere(const SignatureSet& set, const Sha256Digest& image) {
  const auto reference = ImageReference::Parse(kId.name + "@" + image.ToString()).value();
  const auto demand = MemoryRegistry::DemandFor({"key-p256.pub"});
  set.Current({.reference = reference, .demand = *demand, .now = kNow, .local = &image});
}

// For whom memory runs out the first time.
struct Failing final : SignatureDemand {
  mutable int verified = 0;
  SignatureResult<VerifiedSignature> Verify(const SignatureBytes& /*signature*/,
                                            const WantedImage& /*image*/,
                                            TimePoint /*at*/) const override {
    if (++verified == 1) return RefuseSignature(SignatureReason::kSignature, "does not verify");
    return VerifiedSignature{"somebody", {}};
  }
};

BOOST_AUTO_TEST_SUITE(EvidenceCapsTest)

BOOST_AUTO_TEST_CASE(BeyondTheCap_WhatIsHereStays_AndWhatJustCame) {
  const auto full = SetOf(Signatures(SignatureSet::kMaxImages));
  AskAboutWhatIsHere(*full, Image(0));
  const auto one_more = full->With({SignatureOf(Image(9999), "new", kNow)});
  BOOST_TEST(one_more->Knows(Image(0)));
  BOOST_TEST(one_more->Knows(Image(9999)));
  BOOST_TEST(!one_more->Knows(Image(1)));
  BOOST_TEST(one_more->Knows(Image(2)));
  BOOST_TEST(full->Knows(Image(1)));
}

// Whoever has a key that a rule names signs images without end, and runs a pod of each.
BOOST_AUTO_TEST_CASE(WhoFillsTheStore_PushesNothingOutThatIsHere) {
  auto set = SetOf(Signatures(100));
  for (std::size_t round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < 100; ++i) AskAboutWhatIsHere(*set, Image(i));
    std::vector<StoredSignature> made_up;
    for (std::size_t i = 0; i < SignatureSet::kMaxImages - 100; ++i) {
      const std::size_t number = 10'000 + round * SignatureSet::kMaxImages + i;
      made_up.push_back(SignatureOf(Image(number), std::to_string(number), kNow));
    }
    set = set->With(std::move(made_up));
  }
  for (std::size_t i = 0; i < 100; ++i) BOOST_TEST(set->Knows(Image(i)));
}

BOOST_AUTO_TEST_CASE(BeyondTheBytes_TheSameGoFirst) {
  constexpr std::size_t kEach = std::size_t{3} * 1024 * 1024;
  const auto full = SetOf(Signatures(21, kEach));
  AskAboutWhatIsHere(*full, Image(0));
  BOOST_TEST(full->resident_bytes() <= SignatureSet::kMaxBytes);
  const auto one_more = full->With({SignatureOf(Image(21), std::string(kEach, '.'), kNow)});
  BOOST_TEST(one_more->resident_bytes() <= SignatureSet::kMaxBytes);
  BOOST_TEST(one_more->Knows(Image(0)));
  BOOST_TEST(!one_more->Knows(Image(1)));
  BOOST_TEST(one_more->Knows(Image(21)));
}

BOOST_AUTO_TEST_CASE(FourOfAnImage_AndTheNewestAreKept) {
  auto set = SetOf({});
  for (int i = 0; i < 6; ++i) {
    set = set->With({SignatureOf(Image(0), std::to_string(i), kNow + std::chrono::seconds(i))});
  }
  const auto files = set->Files(nullptr);
  BOOST_TEST(files.size() == SignatureSet::kMaxOfImage);
  for (const StoredFile& file : files) {
    BOOST_TEST(file.bytes.value() >= "2");
  }
}

BOOST_AUTO_TEST_CASE(AsItsBytesGo_ASetTakesLess) {
  const auto before = SetOf(Signatures(1));
  const auto more = before->With(Signatures(2));
  BOOST_TEST(more->resident_bytes() == 2 * before->resident_bytes());
  BOOST_TEST(SetOf(Signatures(SignatureSet::kMaxImages + 1))->resident_bytes() <=
             SignatureSet::kMaxImages * before->resident_bytes());
}

BOOST_AUTO_TEST_CASE(WhatALibraryFailedOver_IsNotRefusedForGood) {
  const auto set = SetOf(Signatures(1));
  const Failing demand;
  const WantedImage image{.digest = Image(0), .repository = kId.name, .tag = std::nullopt};
  const auto good = [&](int seconds) {
    return set->GoodOne(image, demand, {kNow + std::chrono::seconds{seconds}, std::nullopt})
        .has_value();
  };
  BOOST_TEST(!good(0));
  BOOST_TEST(!good(59));
  BOOST_TEST(demand.verified == 1);
  BOOST_TEST(good(60));
  BOOST_TEST(good(100'000));
  BOOST_TEST(demand.verified == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::registry_bound
