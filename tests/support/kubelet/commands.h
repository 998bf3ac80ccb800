// SPDX-License-Identifier: Apache-2.0

// The commands of kubelet_client, one function each. They return the exit code.
#pragma once

#include <string>
#include <vector>

#include "tests/support/kubelet/kubelet.h"

namespace crivet::test {

constexpr int kFailed = 1;
constexpr int kAbsent = 3;
constexpr int kUsage = 64;

// What the command line may say; each command reads its part.
struct Flags {
  std::string socket;
  int deadline_ms = 120'000;
  std::vector<std::string> metadata;
  std::string record;
  bool json = false;
  bool user_specified = true;
  bool ready = false;
  bool verbose = false;
  Pod pod;
  Container container;
  std::string image;
  std::string id;
  std::string method;
  std::string message;
  int count = 1;
};

using Command = int (*)(CriClient&, const Flags&);

int Run(CriClient& client, const Flags& flags);
int RunPod(CriClient& client, const Flags& flags);
int StopPod(CriClient& client, const Flags& flags);
int Start(CriClient& client, const Flags& flags);
int Logs(CriClient& client, const Flags& flags);
int Version(CriClient& client, const Flags& flags);
int Status(CriClient& client, const Flags& flags);
int FsInfo(CriClient& client, const Flags& flags);
int Pull(CriClient& client, const Flags& flags);
int ImageStatus(CriClient& client, const Flags& flags);
int Images(CriClient& client, const Flags& flags);
int RemoveImage(CriClient& client, const Flags& flags);
int Create(CriClient& client, const Flags& flags);
int StopContainer(CriClient& client, const Flags& flags);
int RemoveContainer(CriClient& client, const Flags& flags);
int ContainerStatus(CriClient& client, const Flags& flags);
int Containers(CriClient& client, const Flags& flags);
int Pods(CriClient& client, const Flags& flags);
int Exec(CriClient& client, const Flags& flags);
int Events(CriClient& client, const Flags& flags);
int Load(CriClient& client, const Flags& flags);
int Raw(CriClient& client, const Flags& flags);
int CallAny(CriClient& client, const Flags& flags);

// Prints what kubelet would show of a failure; kFailed.
int Report(const Flags& flags, const Failure& failure);
int Report(const Flags& flags, const std::string& method, const grpc::Status& status);

}  // namespace crivet::test
