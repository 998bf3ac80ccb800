// SPDX-License-Identifier: Apache-2.0

// What goes where a repository has more signatures than a node keeps, and what does not.

#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "trust/base/limits.h"
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

// Whose signatures begin with that letter; of a rule that wants the tag in them, with that after
// it.
struct SignedBy final : SignatureDemand {
  explicit SignedBy(char the_letter, bool wants_the_tag = false)
      : letter(the_letter), wants_tag(wants_the_tag) {
    fingerprint = Sha256Of(std::string(1, letter) + (wants_tag ? " with the tag" : ""));
  }
  SignatureResult<VerifiedSignature> Verify(const SignatureBytes& signature,
                                            const WantedImage& image,
                                            TimePoint /*at*/) const override {
    const std::string& bytes = signature.bytes();
    const bool is_for_tag = !wants_tag || !image.tag || bytes.find(*image.tag, 1) == 1;
    if (bytes[0] == letter && is_for_tag) return VerifiedSignature{std::string(1, letter), {}};
    return RefuseSignature(SignatureReason::kSignature, "is not its");
  }
  const char letter;
  const bool wants_tag;
};

// A repository whose images two rules or more read, each with a key of its own.
struct SharedRepository {
  explicit SharedRepository(const std::vector<SharedDemand>& demands) : whom{demands, kId.name} {}

  void Comes(const Sha256Digest& image, const std::string& bytes) {
    set = set->With({SignatureOf(image, bytes, kNow + std::chrono::seconds(++seconds))}, whom);
  }
  bool IsPresent(const Sha256Digest& image, const Demand& demand, std::chrono::hours later = {}) {
    const auto reference = ImageReference::Parse(kId.name + "@" + image.ToString()).value();
    const TimePoint now = kNow + std::chrono::seconds(seconds) + later;
    const Judgement judgement =
        set->Current({.reference = reference, .demand = demand, .now = now, .local = &image});
    return std::holds_alternative<Allow>(judgement.verdict);
  }
  void Pull(const Sha256Digest& image, const Demand& demand) {
    const auto reference = ImageReference::Parse(kId.name + "@" + image.ToString()).value();
    set->Current(
        {.reference = reference, .demand = demand, .now = kNow + std::chrono::seconds(seconds)});
  }
  // As after a start: the same files, and nothing is known of what they were good for.
  void Restart() {
    std::vector<StoredSignature> stored;
    for (const StoredFile& file : set->Files(nullptr)) {
      stored.push_back(StoredSignature::Of(file.name, file.bytes.value()).value());
    }
    set = SignatureSet(kId, sigstore::Dialect())
              .WithStored(std::move(stored), kNow + std::chrono::seconds(seconds));
  }

  const EvidenceFor whom;
  std::shared_ptr<const SignatureSet> set = SetOf({});
  int seconds = 0;
};

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

// The other rule's signer signs the same image anew, as often as he likes.
BOOST_AUTO_TEST_CASE(OneRulesSigner_PushesOutNoSignatureThatAnotherRuleNeeds) {
  const auto a = std::make_shared<SignedBy>('a');
  const auto b = std::make_shared<SignedBy>('b');
  SharedRepository repository({a, b});
  repository.Comes(Image(0), "a");
  for (int i = 0; i < 20; ++i) {
    if (i == 10) repository.Restart();
    repository.Comes(Image(0), "b" + std::to_string(i));
    BOOST_TEST(repository.IsPresent(Image(0), *b));
  }
  BOOST_TEST(repository.IsPresent(Image(0), *a));
  BOOST_TEST(repository.set->Files(nullptr).size() == 1 + SignatureSet::kMaxOfImage);
}

BOOST_AUTO_TEST_CASE(MoreRulesThanAnImageHasPlaces_EachKeepsItsSignature) {
  std::vector<SharedDemand> demands;
  for (const char letter : std::string("abcdefghi")) {
    demands.push_back(std::make_shared<SignedBy>(letter));
  }
  SharedRepository repository(demands);
  for (const char letter : std::string("abcdefghi")) {
    repository.Comes(Image(0), std::string(1, letter));
  }
  for (const SharedDemand& demand : demands) BOOST_TEST(repository.IsPresent(Image(0), *demand));
}

// A signer who binds the tag signs one image once for each of them.
BOOST_AUTO_TEST_CASE(OfOneDemand_WhatWasUsedLastIsKept) {
  const auto demand = std::make_shared<SignedBy>('a', true);
  SharedRepository repository({demand});
  const auto holds = [&](const std::string& tag) {
    const auto reference = ImageReference::Parse(kId.name + ":" + tag).value();
    const Sha256Digest image = Image(0);
    const Judgement judgement = repository.set->Current({.reference = reference,
                                                         .demand = *demand,
                                                         .now = kNow,
                                                         .local = &image,
                                                         .name_here = NameHere::kIsThis});
    return std::holds_alternative<Allow>(judgement.verdict);
  };
  for (const char* tag : {"1.0", "1.1", "1.2", "1.3"}) {
    repository.Comes(Image(0), "a" + std::string(tag));
  }
  BOOST_TEST(holds("1.0"));
  repository.Comes(Image(0), "a1.4");
  BOOST_TEST(holds("1.0"));
  BOOST_TEST(!holds("1.1"));
  BOOST_TEST(holds("1.4"));
}

// What its rule no longer reads is kept only where there is room.
BOOST_AUTO_TEST_CASE(WhatNoRuleNeedsAnyMore_TakesNoPlaceFromWhatOneNeeds) {
  const auto b = std::make_shared<SignedBy>('b');
  SharedRepository repository({b});
  for (int i = 0; i < 10; ++i) repository.Comes(Image(0), "gone" + std::to_string(i));
  BOOST_TEST(repository.set->Files(nullptr).size() == SignatureSet::kMaxOfImage);
  for (int i = 0; i < 4; ++i) repository.Comes(Image(0), "b" + std::to_string(i));
  const auto files = repository.set->Files(nullptr);
  BOOST_TEST(files.size() == SignatureSet::kMaxOfImage);
  for (const StoredFile& file : files) BOOST_TEST(file.bytes->front() == 'b');
}

// Whoever signs for one rule makes large signatures of many images, and runs a pod of each.
BOOST_AUTO_TEST_CASE(OneRulesSigner_PushesOutNoImageOfAnotherRule) {
  constexpr std::size_t kEach = std::size_t{3} * 1024 * 1024;
  const auto a = std::make_shared<SignedBy>('a');
  const auto b = std::make_shared<SignedBy>('b');
  SharedRepository repository({a, b});
  for (std::size_t i = 0; i < 10; ++i) {
    repository.Comes(Image(i), "a");
    // He has signed some of these too.
    if (i % 2 == 0) repository.Comes(Image(i), "b");
    repository.IsPresent(Image(i), *a);
    repository.IsPresent(Image(i), *b);
  }
  for (std::size_t i = 100; i < 150; ++i) {
    repository.Comes(Image(i), "b" + std::string(kEach, '.'));
    BOOST_TEST(repository.IsPresent(Image(i), *b));
    BOOST_TEST(repository.set->resident_bytes() <= SignatureSet::kMaxBytes);
  }
  for (std::size_t i = 0; i < 10; ++i) BOOST_TEST(repository.IsPresent(Image(i), *a));
}

// Also where it is older, and of the rule that has more.
BOOST_AUTO_TEST_CASE(WhatIsHere_StaysWhileAnythingElseCanGo) {
  constexpr std::size_t kEach = std::size_t{3} * 1024 * 1024;
  const auto a = std::make_shared<SignedBy>('a');
  const auto b = std::make_shared<SignedBy>('b');
  SharedRepository repository({a, b});
  for (std::size_t i = 0; i < 15; ++i) {
    repository.Comes(Image(i), "a" + std::string(kEach, '.'));
    repository.IsPresent(Image(i), *a);
  }
  for (std::size_t i = 100; i < 106; ++i) {
    repository.Comes(Image(i), "b" + std::string(kEach, '.'));
    repository.IsPresent(Image(i), *b);
  }
  // The others are here no more; somebody asks for them all the same.
  const std::chrono::hours later = EvidenceUse::kCountsAsHere;
  for (std::size_t i = 0; i < 15; ++i) repository.IsPresent(Image(i), *a, later);
  repository.seconds += static_cast<int>(std::chrono::seconds(later).count());
  for (std::size_t i = 100; i < 106; ++i) repository.Pull(Image(i), *b);
  for (std::size_t i = 200; i < 206; ++i) {
    repository.Comes(Image(i), "b" + std::string(kEach, '.'));
  }
  for (std::size_t i = 0; i < 15; ++i) BOOST_TEST(repository.set->Knows(Image(i)));
  for (std::size_t i = 100; i < 106; ++i) BOOST_TEST(!repository.set->Knows(Image(i)));
}

// Whose images one rule accepts, tag after tag of them, pushes out no record of another rule's.
BOOST_AUTO_TEST_CASE(RecordsWithoutEndOfOneRule_PushOutNoneOfAnothers) {
  const auto a = std::make_shared<SignedBy>('a');
  const auto b = std::make_shared<SignedBy>('b');
  SharedRepository repository({a, b});
  repository.Comes(Image(0), "a");
  repository.Comes(Image(1), "b");
  BOOST_TEST(repository.IsPresent(Image(0), *a));
  BOOST_TEST(repository.IsPresent(Image(1), *b));
  const auto record_of = [](const std::string& tag, std::size_t image) {
    VerifiedRecord record{tag, Image(image), {}, {}, {}, kNow};
    record.vouching["signature"] = {std::string(1, image == 0 ? 'a' : 'b')};
    return record;
  };
  constexpr std::size_t kMost = Limits{}.records;
  Records records;
  for (std::size_t i = 0; i < kMost; ++i) {
    records.push_back(record_of("tag-" + std::to_string(i), i < 10 ? 0 : 1));
  }
  const Records full = repository.set->RecordsAfter(records);
  BOOST_TEST(full.size() < kMost);
  for (std::size_t i = 0; i < 10; ++i) BOOST_CHECK(full[i] == records[i]);
  BOOST_CHECK(full.back() == records.back());
}

// As they are once each was asked about: with what is remembered of that.
BOOST_AUTO_TEST_CASE(WhatASetSaysItTakes_IsAboutWhatItTakes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  BOOST_TEST_MESSAGE("sanitizers have an allocator of their own");
#else
  constexpr std::size_t kImages = 2000;
  for (const std::size_t bytes_each : {std::size_t{100}, std::size_t{4000}}) {
    const SignedBy demand('a');
    std::vector<StoredSignature> signatures = Signatures(kImages, bytes_each);
    for (StoredSignature& one : signatures) {
      one = SignatureOf(one.image, 'a' + one.signature.bytes(), one.first_verified);
    }
    const std::size_t before = mallinfo2().uordblks;
    auto set = SignatureSet(kId, sigstore::Dialect()).With(signatures);
    for (std::size_t i = 0; i < kImages; ++i) {
      const auto reference = ImageReference::Parse(kId.name + "@" + Image(i).ToString()).value();
      const Sha256Digest image = Image(i);
      set->Current({.reference = reference, .demand = demand, .now = kNow, .local = &image});
    }
    const auto takes = static_cast<double>(mallinfo2().uordblks - before);
    const auto says = static_cast<double>(set->resident_bytes());
    BOOST_TEST_MESSAGE(kImages << " signatures of " << bytes_each << " bytes take "
                               << takes / kImages << " each, and are said to take "
                               << says / kImages);
    BOOST_TEST(says > takes * 0.8);
    BOOST_TEST(says < takes * 1.25);
  }
#endif
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
