// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace crivet::proxy {

/// FakeImageStore is what a fake runtime holds: names that point to manifests, manifests that have
/// an image ID, and a registry to pull from. It answers as containerd's stores do. Not thread-safe.
class FakeImageStore {
 public:
  struct Name {
    std::string target;
    std::map<std::string, std::string> labels = {};
    /// How often a look-up by CRI still misses the name: CRI learns of it by an event.
    int hidden_polls = 0;
    /// What the name points to for CRI until then; empty: nothing.
    std::string before = {};
    const std::string& shown() const { return hidden_polls == 0 ? target : before; }
  };

  /// Adds a manifest to the world; returns its digest. Its ID is the digest of its configuration:
  /// `config` as it is where that is a JSON object, else one of a single layer that `config` names.
  std::string AddManifest(const std::string& content, const std::string& config,
                          const std::string& annotation);
  /// The same for a manifest of any bytes.
  std::string AddRawManifest(const std::string& bytes, const std::string& config);
  /// The same, known by its SHA-512 alone.
  std::string AddBySha512(const std::string& content, const std::string& config,
                          const std::string& annotation);
  const std::string* Blob(const std::string& digest) const;

  void Push(const std::string& name, const std::string& target) { registry_[name] = target; }
  void DisconnectRegistry() { registry_up_ = false; }

  /// Pulls as CRI does: by tag or digest, recording the name, its digest and the ID. An error text,
  /// or nothing and `id`.
  std::optional<std::string> Pull(const std::string& text, std::string& id);

  /// The ID that a text means, empty where it means none. As in containerd: a whole digest is an
  /// ID, then comes the name, then the beginning of an ID.
  std::string Resolve(const std::string& text);

  const std::string& IdOf(const std::string& target) const { return ids_.at(target); }
  /// The chain ID of the layers of a target's configuration.
  std::string ChainOf(const std::string& target) const;
  /// Names of an ID in containerd's order: with tag and digest, tags, digests, each kind sorted.
  std::vector<std::string> NamesOf(const std::string& id) const;
  /// What containerd mounts for an ID: the target of the first of its names.
  std::string TargetToRun(const std::string& id) const;
  void RemoveId(const std::string& id);

  /// Names a manifest behind CRI's back. CRI gives it the name of its ID as well.
  void Import(const std::string& name, const std::string& target);
  /// Points a name elsewhere; so many look-ups by CRI still find what it was, or nothing.
  void Move(const std::string& name, const std::string& target, int polls);
  /// Removes a name; with the last one goes that of the ID.
  void Untag(const std::string& name);

  std::map<std::string, Name> names;

 private:
  std::map<std::string, std::string> registry_;  // name -> target
  bool registry_up_ = true;
  std::map<std::string, std::string> ids_;    // target -> image ID
  std::map<std::string, std::string> blobs_;  // digest -> manifest
};

}  // namespace crivet::proxy
