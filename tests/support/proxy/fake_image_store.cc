// SPDX-License-Identifier: Apache-2.0
#include "tests/support/proxy/fake_image_store.h"

#include <set>

#include "trust/base/bytes.h"
#include "trust/base/image_reference.h"

namespace crivet::proxy {
namespace {

std::string DigestText(const std::string& bytes) {
  return "sha256:" + trust::ToHex(trust::Sha256Of(bytes));
}

std::string ConfigText(const std::string& config) {
  if (config.starts_with("{")) return config;
  return R"({"name":")" + config + R"(","rootfs":{"type":"layers","diff_ids":[")" +
         DigestText("layer of " + config) + R"("]}})";
}

std::string ManifestText(const std::string& content, const std::string& config,
                         const std::string& annotation) {
  std::string text = R"({"config":{"digest":")" + DigestText(ConfigText(config)) +
                     R"("},"content":")" + content + "\"";
  if (!annotation.empty()) text += R"(,"annotations":{")" + annotation + R"(":"yes"})";
  return text + "}";
}

}  // namespace

std::string FakeImageStore::AddManifest(const std::string& content, const std::string& config,
                                        const std::string& annotation) {
  return AddRawManifest(ManifestText(content, config, annotation), config);
}

std::string FakeImageStore::AddBySha512(const std::string& content, const std::string& config,
                                        const std::string& annotation) {
  const std::string bytes = ManifestText(content, config, annotation);
  const std::string digest = "sha512:" + trust::ToHex(trust::Sha512Of(bytes));
  ids_[digest] = DigestText(ConfigText(config));
  blobs_[digest] = bytes;
  blobs_[ids_[digest]] = ConfigText(config);
  return digest;
}

std::string FakeImageStore::AddRawManifest(const std::string& bytes, const std::string& config) {
  const std::string digest = DigestText(bytes);
  ids_[digest] = DigestText(ConfigText(config));
  blobs_[digest] = bytes;
  blobs_[ids_[digest]] = ConfigText(config);
  return digest;
}

const std::string* FakeImageStore::Blob(const std::string& digest) const {
  const auto found = blobs_.find(digest);
  return found == blobs_.end() ? nullptr : &found->second;
}

std::optional<std::string> FakeImageStore::Pull(const std::string& text, std::string& id) {
  const auto reference = trust::ImageReference::Parse(text);
  if (!reference) return "invalid reference format";
  const std::string name = reference->Canonical();
  std::string target;
  if (reference->digest()) {
    target = reference->digest()->ToString();
    if (!registry_up_ || !ids_.contains(target)) return name + ": not found";
  } else {
    const auto found = registry_.find(name);
    if (!registry_up_ || found == registry_.end()) return name + ": not found";
    target = found->second;
  }
  id = IdOf(target);
  const std::map<std::string, std::string> managed = {{"io.cri-containerd.image", "managed"}};
  const auto digest = trust::Sha256Digest::Parse(target);
  for (const std::string& made : {name, reference->PinnedTo(*digest), id}) {
    names[made] = Name{.target = target, .labels = managed};
  }
  return std::nullopt;
}

std::string FakeImageStore::Resolve(const std::string& text) {
  std::set<std::string> ids;
  for (const auto& [name, entry] : names) {
    if (!entry.shown().empty()) ids.insert(IdOf(entry.shown()));
  }
  if (trust::IsImageId(text)) {
    // Names with tag and digest cannot be asked for: the tag is dropped.
    for (auto& [name, entry] : names) {
      const auto reference = trust::ImageReference::Parse(name);
      const bool both = reference && reference->tag() && reference->digest();
      if (both && entry.hidden_polls > 0 && IdOf(entry.target) == text) --entry.hidden_polls;
    }
    return ids.contains(text) ? text : "";
  }
  if (const auto reference = trust::ImageReference::Parse(text)) {
    const auto found = names.find(reference->Canonical());
    if (found != names.end()) {
      const std::string shown = found->second.shown();
      if (found->second.hidden_polls > 0) --found->second.hidden_polls;
      if (!shown.empty()) return IdOf(shown);
    }
  }
  if (text.empty()) return "";
  for (const auto& id : ids) {
    if (id.starts_with(text) || id.substr(7).starts_with(text)) return id;
  }
  return "";
}

std::string FakeImageStore::ChainOf(const std::string& target) const {
  // In the order in which they stand in the text: every other digest in there is a name's.
  const std::string& config = blobs_.at(IdOf(target));
  std::string chain;
  for (auto at = config.find("\"sha256:"); at != std::string::npos;
       at = config.find("\"sha256:", at + 1)) {
    const std::string layer = config.substr(at + 1, 7 + 64);
    chain = chain.empty() ? layer : DigestText(chain + " " + layer);
  }
  return chain;
}

std::vector<std::string> FakeImageStore::NamesOf(const std::string& id) const {
  std::vector<std::string> kinds[3];
  for (const auto& [name, entry] : names) {
    if (entry.shown().empty() || IdOf(entry.shown()) != id || name == id) continue;
    const auto reference = trust::ImageReference::Parse(name);
    const bool digest = name.find('@') != std::string::npos;
    const bool both = digest && reference && reference->tag();
    kinds[both ? 0 : digest ? 2 : 1].push_back(name);
  }
  kinds[0].insert(kinds[0].end(), kinds[1].begin(), kinds[1].end());
  kinds[0].insert(kinds[0].end(), kinds[2].begin(), kinds[2].end());
  return kinds[0];
}

std::string FakeImageStore::TargetToRun(const std::string& id) const {
  const auto of_id = NamesOf(id);
  return of_id.empty() ? "" : names.at(of_id.front()).target;
}

void FakeImageStore::Import(const std::string& name, const std::string& target) {
  names[name] = Name{.target = target};
  names[IdOf(target)] = Name{.target = target};
}

void FakeImageStore::Move(const std::string& name, const std::string& target, int polls) {
  Name& moved = names[name];
  moved.before = moved.target;
  moved.hidden_polls = polls;
  moved.target = target;
  names[IdOf(target)] = Name{.target = target};
}

void FakeImageStore::Untag(const std::string& name) {
  const auto found = names.find(name);
  if (found == names.end()) return;
  const std::string id = IdOf(found->second.target);
  names.erase(found);
  if (NamesOf(id).empty()) names.erase(id);
}

void FakeImageStore::RemoveId(const std::string& id) {
  std::erase_if(names, [&](const auto& entry) { return IdOf(entry.second.target) == id; });
}

}  // namespace crivet::proxy
