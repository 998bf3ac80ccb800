// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trust/decide/demand.h"
#include "trust/decide/file_request.h"

namespace crivet::trust {

/// MemoryRegistry holds one repository's manifests, blobs and tags, and answers what a kind of
/// trust asks of a registry. It puts signatures where cosign does.
class MemoryRegistry {
 public:
  /// The image that the signatures of tests/data/sigstore are of.
  static Sha256Digest Image();
  static std::string TestData(const std::string& name);
  /// A demand for the keys of these files in tests/data/sigstore/trust.
  static SharedDemand DemandFor(const std::vector<std::string>& key_files);

  void Tag(const std::string& tag, const Sha256Digest& digest) {
    tags_.insert_or_assign(tag, digest);
  }
  void PutBlob(const std::string& bytes);
  Sha256Digest PutManifest(const std::string& json);
  /// A referrer of the image that holds a bundle, listed in the index under the fallback tag.
  void PutBundle(const std::string& bundle, const Sha256Digest& of = Image());
  /// A referrer whose config is of that type, with one layer, listed there too.
  void PutReferrer(const std::string& type, const std::string& layer_type,
                   const std::string& content, const Sha256Digest& of = Image());
  /// The image's own manifest.
  void PutImage() { PutManifest(TestData("image/manifest.json")); }
  void TakeImage() { manifests_.erase(Image()); }
  /// The `.sig` manifest of a case of tests/data/sigstore/legacy, with its payloads.
  void PutLegacy(const std::string& name);
  void Untag(const std::string& tag) { tags_.erase(tag); }
  void HideBlobs() { blobs_.clear(); }

  /// What cannot be asked: all of it, or the tag of that name.
  void GoAway() { away_ = true; }
  void ComeBack() { away_ = false; }
  void FailFor(const std::string& tag) { failing_tag_ = tag; }
  /// Whether another host comes after this one in the registry's order.
  void BeMirrorOf(MemoryRegistry* upstream) { upstream_ = upstream; }

  Fetched Answer(const FileRequest& request);
  std::size_t asked() const { return asked_; }

 private:
  Fetched Own(const RegistryRequest& request);
  void List(const std::string& referrer, const Sha256Digest& of);

  std::map<std::string, Sha256Digest> tags_;
  std::map<Sha256Digest, std::string> manifests_;
  std::map<Sha256Digest, std::string> blobs_;
  std::vector<std::string> referrers_;
  bool away_ = false;
  std::string failing_tag_;
  MemoryRegistry* upstream_ = nullptr;
  std::size_t asked_ = 0;
};

}  // namespace crivet::trust
