// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/signature_folder.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <vector>

#include "tests/support/trust_io/temporary_folder.h"
#include "trust/base/bytes.h"
#include "trust/oci/manifest.h"

namespace crivet::trust {
namespace {

namespace fs = std::filesystem;

const Sha256Digest kImage(Sha256Of("the image"));

/// An OCI layout in a folder of its own.
struct Layout {
  fs::path folder;
  std::string manifests = {};

  Sha256Digest Blob(const std::string& content) const {
    const Sha256Digest digest(Sha256Of(content));
    fs::create_directories(folder / "blobs/sha256");
    std::ofstream(folder / "blobs/sha256" / ToHex(digest.bytes())) << content;
    return digest;
  }
  // With a tag where `name` is not empty.
  void List(const Sha256Digest& digest, const std::string& name = "",
            const std::string& type = "application/vnd.oci.image.manifest.v1+json") {
    manifests +=
        std::string(manifests.empty() ? "" : ",") + R"({"mediaType":")" + type + R"(","digest":")" +
        digest.ToString() + R"(","size":1)" +
        (name.empty() ? ""
                      : R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + "\"}") +
        "}";
    std::ofstream(folder / "index.json") << Index();
  }
  std::string Index() const { return R"({"schemaVersion":2,"manifests":[)" + manifests + "]}"; }
  // A manifest about the image with that layer.
  std::string Referrer(const Sha256Digest& layer) const {
    return R"({"schemaVersion":2,"artifactType":"a/b","config":{"mediaType":"a/b","digest":")" +
           layer.ToString() + R"(","size":2},"layers":[{"mediaType":"a/b","digest":")" +
           layer.ToString() + R"(","size":2}],"subject":{"mediaType":"m","digest":")" +
           kImage.ToString() + R"(","size":9}})";
  }
};

FileRequest Asking(RegistryRequest::What what, std::optional<Sha256Digest> digest,
                   std::string tag = "") {
  FileRequest request;
  request.max_bytes = 1024 * 1024;
  request.registry = RegistryRequest{.what = what,
                                     .repository = "registry.example/shop/web",
                                     .tag = std::move(tag),
                                     .digest = digest};
  return request;
}

std::string Said(SignatureFolder& folder, const FileRequest& request) {
  const auto answer = folder.Answer(request);
  if (!answer) return "nothing";
  BOOST_TEST(!answer->registry->upstream);
  BOOST_TEST(answer->registry->host_number == 0U);
  return answer->bytes;
}

using What = RegistryRequest::What;

BOOST_AUTO_TEST_SUITE(SignatureFolderTest)

BOOST_AUTO_TEST_CASE(Layouts_BelowTheFolder_AnswerReferrersManifestsAndBlobs) {
  const TemporaryFolder at;
  Layout layout{fs::path(at.path()) / "shop"};
  const Sha256Digest layer = layout.Blob("{}");
  const Sha256Digest referrer = layout.Blob(layout.Referrer(layer));
  layout.List(referrer);
  SignatureFolder folder(at.path());
  const std::string referrers = Said(folder, Asking(What::kReferrers, kImage));
  BOOST_TEST(referrers.find(referrer.ToString()) != std::string::npos);
  BOOST_TEST(referrers.find("\"artifactType\":\"a/b\"") != std::string::npos);
  BOOST_TEST(Said(folder, Asking(What::kManifest, referrer)) == layout.Referrer(layer));
  BOOST_TEST(Said(folder, Asking(What::kBlob, layer)) == "{}");
}

// What is good of it stays in memory, a string a signature.
BOOST_AUTO_TEST_CASE(AnAnswer_TakesNoMoreThanItsFile) {
  const TemporaryFolder at;
  Layout layout{at.path()};
  const Sha256Digest layer = layout.Blob(std::string(1000, ' '));
  layout.List(layout.Blob(layout.Referrer(layer)));
  SignatureFolder folder(at.path());
  FileRequest request = Asking(What::kBlob, layer);
  request.max_bytes = 1000;
  const auto answer = folder.Answer(request);
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->bytes.size() == 1000U);
  BOOST_TEST(answer->bytes.capacity() < 2000U);
  request.max_bytes = 1024 * 1024;
  BOOST_TEST(folder.Answer(request)->bytes.capacity() < 2000U);
  request.max_bytes = 999;
  BOOST_TEST(!folder.Answer(request));
}

BOOST_AUTO_TEST_CASE(ATag_IsAnswered_ButNeverWhichDigestAnImagesTagIs) {
  const TemporaryFolder at;
  Layout layout{at.path()};
  const Sha256Digest manifest = layout.Blob(R"({"schemaVersion":2,"layers":[]})");
  layout.List(manifest, "sha256-aa.sig");
  SignatureFolder folder(at.path());
  BOOST_TEST(Said(folder, Asking(What::kManifest, {}, "sha256-aa.sig")) ==
             R"({"schemaVersion":2,"layers":[]})");
  BOOST_TEST(Said(folder, Asking(What::kManifest, {}, "sha256-bb.sig")) == "nothing");
  BOOST_TEST(Said(folder, Asking(What::kResolve, {}, "sha256-aa.sig")) == "nothing");
}

BOOST_AUTO_TEST_CASE(WhatAnIndexUnderATagLists_IsAReferrer) {
  const TemporaryFolder at;
  Layout layout{at.path()};
  const Sha256Digest referrer = layout.Blob(layout.Referrer(layout.Blob("{}")));
  Layout inner{at.path()};
  const std::string type = "application/vnd.oci.image.index.v1+json";
  inner.manifests = R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
                    referrer.ToString() + R"(","size":1})";
  layout.List(layout.Blob(inner.Index()), "sha256-aa", type);
  SignatureFolder folder(at.path());
  BOOST_TEST(Said(folder, Asking(What::kReferrers, kImage)).find(referrer.ToString()) !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(AFileOfOneSignature_IsAReferrerOfTheImageInItsName) {
  const TemporaryFolder at;
  const auto write = [&](const std::string& ending, const std::string& content) {
    std::ofstream(fs::path(at.path()) / ("sha256-" + ToHex(kImage.bytes()) + ending)) << content;
  };
  const std::string signature = R"({"mediaType":"application/a.b+json;version=0.3"})";
  write(".bundle.json", signature);
  SignatureFolder folder(at.path());
  const auto referrers = oci::Index::Parse(Said(folder, Asking(What::kReferrers, kImage)));
  BOOST_REQUIRE(referrers);
  BOOST_REQUIRE(referrers->manifests.size() == 1U);
  BOOST_TEST(referrers->manifests.front().artifact_type == "application/a.b+json;version=0.3");
  const Sha256Digest digest = referrers->manifests.front().digest;
  const std::string text = Said(folder, Asking(What::kManifest, digest));
  BOOST_TEST((Sha256Digest(Sha256Of(text)) == digest));
  const auto manifest = oci::Manifest::Parse(text);
  BOOST_REQUIRE(manifest);
  BOOST_TEST((manifest->subject == kImage));
  BOOST_REQUIRE(manifest->layers.size() == 1U);
  BOOST_TEST(Said(folder, Asking(What::kBlob, manifest->layers.front().digest)) == signature);
  BOOST_TEST((folder.Images() == std::vector<Sha256Digest>{kImage}));
  // One that comes later, and what says nothing of itself or by its name.
  write(".2.json", R"({"mediaType":"application/c"})");
  write(".3.json", "{}");
  write(".4.json", R"({"mediaType":"a\"b"})");
  write("json", signature);
  write(".jws", signature);
  std::ofstream(fs::path(at.path()) / "sha256-12.json") << signature;
  const auto later = oci::Index::Parse(Said(folder, Asking(What::kReferrers, kImage)));
  BOOST_TEST(later.value().manifests.size() == 2U);
  // Changed since it was read: nobody gets other bytes under its digest.
  std::ofstream(fs::path(at.path()) / ("sha256-" + ToHex(kImage.bytes()) + ".bundle.json")) << "x";
  BOOST_TEST(Said(folder, Asking(What::kBlob, manifest->layers.front().digest)) == "nothing");
}

// As notation's envelopes lie, which do not say what they are.
BOOST_AUTO_TEST_CASE(ALooseFileOfAKind_IsAReferrer_AndTheImagesOwnManifestIsItself) {
  const TemporaryFolder at;
  const std::string image = R"({"mediaType":"application/vnd.oci.image.manifest.v1+json"})";
  const Sha256Digest digest(Sha256Of(image));
  const auto write = [&](const std::string& ending, const std::string& content) {
    std::ofstream(fs::path(at.path()) / ("sha256-" + ToHex(digest.bytes()) + ending)) << content;
  };
  write(".word", "not JSON");
  write(".other", "not JSON either");
  write(".json", image);
  SignatureFolder folder(at.path(), {{".word", "application/word", "text/word"}});
  const auto referrers = oci::Index::Parse(Said(folder, Asking(What::kReferrers, digest)));
  BOOST_REQUIRE(referrers);
  BOOST_REQUIRE_EQUAL(referrers->manifests.size(), 1U);
  BOOST_TEST(referrers->manifests.front().artifact_type == "application/word");
  const auto manifest = oci::Manifest::Parse(
      Said(folder, Asking(What::kManifest, referrers->manifests.front().digest)));
  BOOST_REQUIRE(manifest);
  BOOST_TEST(manifest->artifact_type == "application/word");
  BOOST_REQUIRE_EQUAL(manifest->layers.size(), 1U);
  BOOST_TEST(manifest->layers.front().media_type == "text/word");
  BOOST_TEST(Said(folder, Asking(What::kBlob, manifest->layers.front().digest)) == "not JSON");
  BOOST_TEST(Said(folder, Asking(What::kManifest, digest)) == image);
  BOOST_TEST((folder.Images() == std::vector<Sha256Digest>{digest}));
  // Under another image's name it is no manifest of that.
  std::ofstream(fs::path(at.path()) / ("sha256-" + ToHex(kImage.bytes()) + ".json")) << image;
  BOOST_TEST(Said(folder, Asking(What::kManifest, kImage)) == "nothing");
}

BOOST_AUTO_TEST_CASE(Images_AreThoseOfManifestsAndOfTags) {
  const TemporaryFolder at;
  Layout layout{at.path()};
  layout.List(layout.Blob(layout.Referrer(layout.Blob("{}"))));
  BOOST_TEST((SignatureFolder(at.path()).Images() == std::vector<Sha256Digest>{kImage}));
  const Sha256Digest other(Sha256Of("other"));
  Layout legacy{fs::path(at.path()) / "legacy"};
  legacy.List(legacy.Blob(R"({"schemaVersion":2,"layers":[]})"),
              "sha256-" + ToHex(other.bytes()) + ".sig");
  Layout none{fs::path(at.path()) / "none"};
  none.List(none.Blob(R"({"schemaVersion":2,"layers":[]})"), "sha256-12.sig");
  const auto images = SignatureFolder(at.path()).Images();
  BOOST_TEST(images.size() == 2U);
  BOOST_TEST(std::count(images.begin(), images.end(), other) == 1);
  BOOST_TEST(SignatureFolder("").Images().empty());
}

// The registry is asked then, and has them.
BOOST_AUTO_TEST_CASE(WhatIsDamagedMissingOrTooLarge_IsNoAnswer) {
  const TemporaryFolder at;
  Layout layout{at.path()};
  const Sha256Digest layer = layout.Blob("{}");
  layout.List(layout.Blob(layout.Referrer(layer)));
  SignatureFolder folder(at.path());
  BOOST_TEST(Said(folder, Asking(What::kReferrers, Sha256Digest(Sha256Of("x")))) == "nothing");
  FileRequest small = Asking(What::kBlob, layer);
  small.max_bytes = 1;
  BOOST_TEST(Said(folder, small) == "nothing");
  std::ofstream(fs::path(at.path()) / "blobs/sha256" / ToHex(layer.bytes())) << "[]";
  BOOST_TEST(Said(folder, Asking(What::kBlob, layer)) == "nothing");
  SignatureFolder none("");
  BOOST_TEST(Said(none, Asking(What::kBlob, layer)) == "nothing");
  SignatureFolder nowhere("/nowhere/at/all");
  BOOST_TEST(Said(nowhere, Asking(What::kBlob, layer)) == "nothing");
}

BOOST_AUTO_TEST_CASE(WhatIsBroughtLater_IsFound) {
  const TemporaryFolder at;
  SignatureFolder folder(at.path());
  BOOST_TEST(Said(folder, Asking(What::kReferrers, kImage)) == "nothing");
  Layout layout{fs::path(at.path()) / "later"};
  layout.List(layout.Blob(layout.Referrer(layout.Blob("{}"))));
  BOOST_TEST(Said(folder, Asking(What::kReferrers, kImage)) != "nothing");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
