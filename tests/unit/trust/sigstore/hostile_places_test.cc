// SPDX-License-Identifier: Apache-2.0

// What somebody who may push beside an image, or a registry itself, puts into the places of
// signatures so that the good one is not found, or so that there seems to be none.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/trust/memory_registry.h"
#include "trust/oci/manifest.h"
#include "trust/registry_bound/signature_search.h"
#include "trust/sigstore/sigstore_kind.h"

namespace crivet::trust::sigstore {
namespace {

using What = RegistryRequest::What;
using Override = std::function<std::optional<Fetched>(const RegistryRequest&)>;

const std::string kRepository = "127.0.0.1:5055/acme/web";
const CollectionId kId{"sigstore", "registry", kRepository};

struct Hostile {
  MemoryRegistry registry;
  /// What it answers in place of the registry.
  Override instead;
  std::vector<RegistryRequest> asked;

  /// `good`, or the code of the reason.
  std::string Pull() {
    RefreshStart start{.id = kId, .previous = SigstoreKind().Empty(kId)};
    start.demands = {MemoryRegistry::DemandFor({"key-p256.pub"})};
    start.asked = AskedName{
        ImageReference::Parse(kRepository + "@" + MemoryRegistry::Image().ToString()).value()};
    const auto refresh = SigstoreKind().Begin(std::move(start));
    asked.clear();
    while (const auto wanted = refresh->Wanted()) {
      asked.push_back(*wanted->registry);
      std::optional<Fetched> other = instead ? instead(*wanted->registry) : std::nullopt;
      refresh->Supply(other ? *std::move(other) : registry.Answer(*wanted));
    }
    const RefreshOutcome outcome = refresh->Finish();
    return outcome ? "good" : std::string(CodeOf(outcome.error().error.reason));
  }
};

Fetched Says(std::string body, std::size_t host, bool upstream, std::string next_page = {}) {
  RegistryAnswer answer;
  answer.host_number = host;
  answer.upstream = upstream;
  answer.next_page = std::move(next_page);
  return FetchedFile(std::move(body), std::move(answer));
}

BOOST_FIXTURE_TEST_SUITE(HostilePlacesTest, Hostile)

BOOST_AUTO_TEST_CASE(APagedMirror_CausesOneQuestionToTheHostBehindIt) {
  instead = [](const RegistryRequest& request) -> std::optional<Fetched> {
    if (request.what != What::kReferrers) return std::nullopt;
    if (request.skip_hosts > 0) return Says(R"({"manifests":[]})", 1, true);
    const std::size_t page = request.page.empty() ? 1 : std::stoul(request.page);
    return Says(R"({"manifests":[]})", 0, false, page < 5 ? std::to_string(page + 1) : "");
  };
  BOOST_TEST(Pull() == "unsigned");
  BOOST_TEST(std::count_if(asked.begin(), asked.end(), [](const RegistryRequest& each) {
               return each.what == What::kReferrers && each.skip_hosts == 1;
             }) == 1);
}

// Whoever may push can make an index, or the manifest of the older form, larger than anybody reads.
BOOST_AUTO_TEST_CASE(APlaceThatIsTooLargeToRead_IsNotUnsigned) {
  const std::string descriptor =
      R"({"mediaType":"x","size":1,"digest":")" + MemoryRegistry::Image().ToString() + R"("})";
  const auto many = [&](std::string text, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? "," : "") + descriptor;
    return text + "]}";
  };
  const auto says = [this](const std::string& tag, Fetched answer) {
    instead = [=](const RegistryRequest& request) -> std::optional<Fetched> {
      const bool meant = tag == "referrers" ? request.what == What::kReferrers
                                            : request.what == What::kManifest && request.tag == tag;
      return meant ? std::optional(answer) : std::nullopt;
    };
    return Pull();
  };
  const std::string image = "sha256-" + ToHex(MemoryRegistry::Image().bytes());
  const std::string manifest = R"({"config":{},"layers":[)";
  const std::string index = R"({"manifests":[)";
  const auto too_large = tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge});
  for (const std::string& place : {std::string("referrers"), image, image + ".sig"}) {
    BOOST_TEST_CONTEXT(place) {
      const bool legacy = place.ends_with(".sig");
      const std::size_t most = legacy ? oci::Manifest::kMaxLayers : oci::Index::kMaxManifests;
      const std::string begin = legacy ? manifest : index;
      BOOST_TEST(says(place, too_large) == "too-many");
      BOOST_TEST(says(place, Says(many(begin, most + 1), 0, true)) == "too-many");
      BOOST_TEST(says(place, Says(many(begin, 1), 0, true)) != "too-many");
      BOOST_TEST(says(place, Says("<html>", 0, true)) == "unsigned");
      registry.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
      if (place != image) BOOST_TEST(says(place, too_large) == "good");
      registry = MemoryRegistry();
    }
  }
}

// A node-wide scanner adds a report a day, for years.
BOOST_AUTO_TEST_CASE(ManyReferrersOfOtherKinds_HideNoSignature) {
  registry.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
  const std::string image = "sha256-" + ToHex(MemoryRegistry::Image().bytes());
  FileRequest tag;
  tag.registry = RegistryRequest{.what = What::kManifest, .repository = kRepository, .tag = image};
  std::string index = registry.Answer(tag)->bytes;
  std::string reports;
  for (int i = 0; i < 4000; ++i) {
    reports += R"({"artifactType":"application/vnd.example.report","mediaType":"x","size":1,)"
               R"("digest":"sha256:)" +
               ToHex(Sha256Of(std::to_string(i))) + R"("},)";
  }
  index.insert(index.find('[') + 1, reports);
  registry.Tag(image, registry.PutManifest(index));
  BOOST_TEST(Pull() == "good");
}

BOOST_AUTO_TEST_CASE(WorthlessBundles_HowManyEver_HideNoOtherPlace) {
  for (int i = 0; i < 40; ++i) registry.PutBundle("{\"" + std::to_string(i) + "\":1}");
  registry.PutLegacy("ss-key-good");
  BOOST_TEST(Pull() == "good");
  // The same as referrers and under the fallback tag, each with its own.
  const std::string image = "sha256-" + ToHex(MemoryRegistry::Image().bytes());
  FileRequest tag;
  tag.registry = RegistryRequest{.what = What::kManifest, .repository = kRepository, .tag = image};
  const std::string index = registry.Answer(tag)->bytes;
  for (int i = 100; i < 140; ++i) registry.PutBundle("{\"" + std::to_string(i) + "\":1}");
  instead = [&](const RegistryRequest& request) -> std::optional<Fetched> {
    if (request.what != What::kReferrers) return std::nullopt;
    return Says(index, 0, true);
  };
  BOOST_TEST(Pull() == "good");
}

BOOST_AUTO_TEST_CASE(OneReferrerOfManyLayers_HidesNoOther) {
  std::string layers;
  for (int i = 0; i < 40; ++i) {
    const std::string bytes = "{\"" + std::to_string(i) + "\":1}";
    registry.PutBlob(bytes);
    layers +=
        (i > 0 ? "," : "") +
        (R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","size":1,"digest":")" +
         Sha256Digest(Sha256Of(bytes)).ToString() + R"("})");
  }
  const std::string referrer = R"({"config":{},"layers":[)" + layers +
                               R"(],"subject":{"mediaType":"x","size":1,"digest":")" +
                               MemoryRegistry::Image().ToString() + R"("}})";
  const std::string index = R"({"manifests":[{"mediaType":"x","size":1,"digest":")" +
                            registry.PutManifest(referrer).ToString() + R"("}]})";
  instead = [&](const RegistryRequest& request) -> std::optional<Fetched> {
    if (request.what != What::kReferrers) return std::nullopt;
    return Says(index, 0, true);
  };
  registry.PutBundle(MemoryRegistry::TestData("bundles/key-p256-good.json"));
  BOOST_TEST(Pull() == "good");
}

// Each of them would be hashed several times, and the pull waits.
BOOST_AUTO_TEST_CASE(AThousandLayersOfOneLargePayload_AreNotAllVerified_AndHideNoSmallOne) {
  const std::string large(1024 * 1024, ' ');
  registry.PutLegacy("ss-key-good");
  const std::string tag = "sha256-" + ToHex(MemoryRegistry::Image().bytes()) + ".sig";
  FileRequest request;
  request.registry =
      RegistryRequest{.what = What::kManifest, .repository = kRepository, .tag = tag};
  std::string manifest = registry.Answer(request)->bytes;
  std::string layers;
  for (int i = 0; i < 990; ++i) {
    layers += R"({"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":1048576,)"
              R"("annotations":{"dev.cosignproject.cosign/signature":")" +
              ToBase64(AsBytes("signature " + std::to_string(i))) + R"("},"digest":")" +
              Sha256Digest(Sha256Of(large)).ToString() + R"("},)";
  }
  registry.PutBlob(large);
  const std::size_t place = manifest.find('[', manifest.find("\"layers\"")) + 1;
  registry.Tag(tag, registry.PutManifest(manifest.insert(place, layers)));
  BOOST_TEST(Pull() == "good");
  layers.back() = ']';
  registry.Tag(tag, registry.PutManifest(R"({"config":{},"layers":[)" + layers + "}"));
  BOOST_TEST(Pull() == "too-many");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
