// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "proxy/gate/gate.h"
#include "proxy/owned_fd.h"
#include "proxy/watch/audit_log.h"
#include "proxy/watch/metrics.h"
#include "runtime/v1/api.grpc.pb.h"
#include "tests/support/proxy/fake_cri.h"
#include "tests/support/proxy/fake_decider.h"
#include "tests/support/proxy/temporary_folder.h"

namespace crivet::proxy {

namespace cri = ::runtime::v1;

/// GateFixture is a gate between a client that talks as kubelet does and a fake runtime.
class GateFixture {
 public:
  struct Settings {
    FakeCri::NativeApi native_api = FakeCri::NativeApi::kServed;
    FakeCri::NativeApi native_containers = FakeCri::NativeApi::kServed;
    std::string runtime_name = {};
    std::string sandbox_image = {};
    std::string snapshotter = "overlayfs";
    int shown_after_polls = 0;
    Config::Gate gate = {};
    FakeDecider::Answering answering = FakeDecider::Answering::kAtOnce;
    /// The socket of another runtime; empty: that of `runtime`.
    std::string upstream = {};
    std::shared_ptr<MessageBudget> budget = std::make_shared<MessageBudget>();
  };

  GateFixture() : GateFixture(Settings()) {}
  explicit GateFixture(Settings settings);
  ~GateFixture();

  /// A gate that begins anew on the same state folder and runtime.
  void RestartGate();

  // What kubelet does. An empty namespace: no sandbox config.
  grpc::Status Pull(const std::string& image, const std::string& pod_namespace = "shop");
  cri::ImageStatusResponse Status(const std::string& image);
  bool IsPresent(const std::string& image) { return Status(image).has_image(); }
  grpc::Status Create(const std::string& image, const std::string& user_specified_image,
                      const std::string& pod_namespace = "shop");
  grpc::Status CreateWithVolume(const std::string& image, const std::string& user_specified_image,
                                const std::string& volume_image,
                                const std::string& volume_user_specified_image);
  /// Of the container that was made last, where no other is named.
  grpc::Status StartCreated(const std::string& id = "");
  grpc::Status RunSandbox(const std::string& pod_namespace = "shop");
  cri::RunPodSandboxRequest SandboxRequest(const std::string& pod_namespace = "shop") const;
  cri::ListImagesResponse List(const std::string& filter = "");
  grpc::Status Remove(const std::string& image);

  /// A connection as the router would make it, for a client of one's own.
  OwnedFd Connect();

  cri::PullImageRequest PullRequest(const std::string& image,
                                    const std::string& pod_namespace = "shop") const;
  cri::CreateContainerRequest CreateRequest(const std::string& image,
                                            const std::string& user_specified_image,
                                            const std::string& pod_namespace = "shop") const;

  /// The answer of the latest successful Pull.
  const std::string& pulled() const { return pulled_; }
  /// The ID that the latest successful Create answered.
  const std::string& created() const { return created_; }
  /// The audit log as it is once everything that was decided is written. Ends the gate.
  std::string AuditText();

  TemporaryFolder folder;
  FakeCri runtime;
  FakeDecider decider;
  Metrics metrics;
  std::unique_ptr<cri::ImageService::Stub> images;
  std::unique_ptr<cri::RuntimeService::Stub> runtime_stub;
  std::atomic<int> translations{0};

 private:
  void StartGate();

  Settings settings_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<Gate> gate_;
  std::shared_ptr<grpc::Channel> channel_;
  std::string pulled_;
  std::string created_;
};

/// Text of `digits` as an image ID or digest.
inline std::string IdOf(char digit) { return "sha256:" + std::string(64, digit); }

}  // namespace crivet::proxy
