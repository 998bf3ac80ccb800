// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/proxy/fake_containers.h"
#include "trust/base/image_reference.h"

namespace crivet::proxy {

/// FakeCri is a container runtime that behaves as containerd does where the gate looks: a real gRPC
/// server on a unix socket with CRI v1 and containerd's own API over one image store. It looks up
/// shortened IDs, keeps several manifests under one ID, learns of new names by events, and makes
/// containers of the first reference of an ID as it points at that moment. What it was asked is
/// recorded byte for byte.
///
/// Nothing is downloaded: a "registry" says which manifest a tag points to.
class FakeCri {
 public:
  enum class NativeApi { kServed, kMissing };

  struct Options {
    std::string socket;
    NativeApi native_api = NativeApi::kServed;
    /// Of containers and snapshots; served only where the rest is.
    NativeApi native_containers = NativeApi::kServed;
    /// What its Version tells; empty: containerd where it has the native API, else cri-o.
    std::string runtime_name = {};
    /// What its Status tells; empty: nothing.
    std::string sandbox_image;
    std::string snapshotter = "overlayfs";
    /// How often ImageStatus still does not show a name that was made by the native API.
    int shown_after_polls = 0;
  };

  explicit FakeCri(Options options);
  ~FakeCri();

  // ---- The registry ----

  struct Manifest {
    trust::Sha256Digest digest;
    std::string image_id;  ///< `sha256:…` of the configuration
  };
  /// Makes a manifest; the same `content` and `annotation` give the same digest, the same `config`
  /// the same ID.
  Manifest MakeManifest(const std::string& content, const std::string& config,
                        const std::string& annotation = "");
  /// The same for a manifest of any bytes.
  Manifest MakeRawManifest(const std::string& bytes, const std::string& config);
  /// Lets `name` (canonical, with a tag) point to the manifest.
  void Push(const std::string& name, const Manifest& manifest);
  /// Without a registry only what is here can be used.
  void DisconnectRegistry();

  // ---- The image store, as `ctr images` sees it ----

  void Import(const std::string& name, const Manifest& manifest);
  /// Makes a manifest that is known by its SHA-512 alone, and lets the name point to it.
  void ImportBySha512(const std::string& name, const std::string& content,
                      const std::string& config, const std::string& annotation = "");
  /// Points a name elsewhere by the native API; so many look-ups by CRI still find what it was, or
  /// nothing.
  void Move(const std::string& name, const Manifest& manifest, int polls);
  void Untag(const std::string& name);
  /// What a name points to; empty where it is not there.
  std::string TargetOf(const std::string& name) const;
  std::map<std::string, std::string> LabelsOf(const std::string& name) const;
  /// Waits until somebody made the name; false after ten seconds.
  bool WaitForName(const std::string& name) const;
  /// Waits until a call of this name has come in; false after ten seconds.
  bool WaitForCall(const std::string& method) const;

  // ---- What happened ----

  struct Call {
    std::string method;   ///< `PullImage`, `Images.Create`, …
    std::string request;  ///< serialised
    std::multimap<std::string, std::string> metadata;
    bool has_deadline = false;
  };
  std::vector<Call> Calls(const std::string& method) const;
  /// Manifests that containers, and sandboxes, were made from that are still there.
  std::vector<std::string> Ran() const;
  std::vector<std::string> SandboxesRan() const;
  /// Looks at the containers, or changes them, while nobody else does.
  void WithContainers(const std::function<void(FakeContainers&)>& use);

  // ---- What shall happen ----

  /// Runs on the call's thread before a call of this name is answered. `cancelled` tells whether
  /// the caller has gone.
  using Hook = std::function<void(const std::function<bool()>& cancelled)>;
  void OnCall(const std::string& method, Hook hook);

  struct Failure {
    int code = 0;
    std::string message;
    std::string details = {};
    std::map<std::string, std::string> trailers = {};
  };
  /// Ends calls of this name with a failure.
  void Fail(const std::string& method, Failure failure);
  /// Sends these with every answer to a call of this name, before the message.
  void SendInitialMetadata(const std::string& method, std::map<std::string, std::string> metadata);

  void Stop();
  void Start();

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace crivet::proxy
