// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust/memory_registry.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "trust/base/bytes.h"
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::trust {
namespace {

constexpr char kBundle[] = "application/vnd.dev.sigstore.bundle.v0.3+json";

std::string DescriptorOf(const std::string& media_type, const std::string& bytes) {
  return R"({"mediaType":")" + media_type + R"(","size":)" + std::to_string(bytes.size()) +
         R"(,"digest":")" + Sha256Digest(Sha256Of(bytes)).ToString() + R"("})";
}

Fetched None() { return tl::unexpected(FetchFailure{}); }
Fetched Away() {
  return tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kUnreachable});
}

}  // namespace

Sha256Digest MemoryRegistry::Image() {
  return Sha256Digest::Parse(
             "sha256:e56b2ef46e84bb64db37730c51e79010ddd9a0b33511de275d3b5a53849051e4")
      .value();
}

std::string MemoryRegistry::TestData(const std::string& name) {
  std::ifstream in(std::string(CRIVET_TEST_DATA) + "/sigstore/" + name, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

SharedDemand MemoryRegistry::DemandFor(const std::vector<std::string>& key_files) {
  auto demand = std::make_shared<sigstore::SigstoreDemand>();
  sigstore::KeyDemand keys;
  std::string all;
  for (const std::string& file : key_files) {
    keys.keys.push_back(VerificationKey::FromPem(TestData("trust/" + file)).value());
    all += file;
  }
  demand->image.signer.who = keys;
  demand->fingerprint = Sha256Of(all);
  return demand;
}

void MemoryRegistry::PutBlob(const std::string& bytes) {
  blobs_[Sha256Digest(Sha256Of(bytes))] = bytes;
}

Sha256Digest MemoryRegistry::PutManifest(const std::string& json) {
  const Sha256Digest digest(Sha256Of(json));
  manifests_[digest] = json;
  return digest;
}

void MemoryRegistry::PutBundle(const std::string& bundle, const Sha256Digest& of) {
  PutBlob(bundle);
  const std::string referrer =
      R"({"artifactType":")" + std::string(kBundle) +
      R"(","config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[)" +
      DescriptorOf(kBundle, bundle) + R"(],"subject":{"mediaType":"x","size":1,"digest":")" +
      of.ToString() + R"("}})";
  List(referrer, of);
}

void MemoryRegistry::PutReferrer(const std::string& type, const std::string& layer_type,
                                 const std::string& content, const Sha256Digest& of) {
  PutBlob(content);
  List(R"({"config":{"mediaType":")" + type + R"("},"layers":[)" +
           DescriptorOf(layer_type, content) +
           R"(],"subject":{"mediaType":"x","size":1,"digest":")" + of.ToString() + R"("}})",
       of);
}

void MemoryRegistry::List(const std::string& referrer, const Sha256Digest& of) {
  PutManifest(referrer);
  referrers_.push_back(DescriptorOf("application/vnd.oci.image.manifest.v1+json", referrer));
  std::string index = R"({"manifests":[)";
  for (std::size_t i = 0; i < referrers_.size(); ++i) index += (i > 0 ? "," : "") + referrers_[i];
  Tag("sha256-" + ToHex(of.bytes()), PutManifest(index + "]}"));
}

void MemoryRegistry::PutLegacy(const std::string& name) {
  const std::string folder = "legacy/" + name + "/";
  Tag("sha256-" + ToHex(Image().bytes()) + ".sig", PutManifest(TestData(folder + "manifest.json")));
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(CRIVET_TEST_DATA) + "/sigstore/" + folder)) {
    PutBlob(TestData(folder + file.path().filename().string()));
  }
}

Fetched MemoryRegistry::Own(const RegistryRequest& request) {
  using What = RegistryRequest::What;
  if (away_ || (!failing_tag_.empty() && request.tag == failing_tag_)) return Away();
  RegistryAnswer answer;
  answer.upstream = true;
  if (request.what == What::kReferrers) return None();
  std::optional<Sha256Digest> digest = request.digest;
  if (!digest) {
    const auto tag = tags_.find(request.tag);
    if (tag == tags_.end()) return None();
    digest = tag->second;
  }
  answer.digest = digest;
  if (request.what == What::kResolve) return FetchedFile("", answer);
  const auto& held = request.what == What::kBlob ? blobs_ : manifests_;
  const auto found = held.find(*digest);
  return found == held.end() ? None() : Fetched(FetchedFile(found->second, answer));
}

Fetched MemoryRegistry::Answer(const FileRequest& request) {
  ++asked_;
  if (!request.registry) return None();
  if (upstream_ == nullptr) return Own(*request.registry);
  if (request.registry->skip_hosts == 0) {
    Fetched own = Own(*request.registry);
    if (own) {
      own->registry->upstream = false;
      return own;
    }
  }
  Fetched from_upstream = upstream_->Own(*request.registry);
  if (from_upstream && from_upstream->registry) from_upstream->registry->host_number = 1;
  return from_upstream;
}

}  // namespace crivet::trust
