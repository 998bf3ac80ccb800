// SPDX-License-Identifier: Apache-2.0

// Methods by their full path: bytes as they are, or JSON by the descriptions in api/.
#include <google/protobuf/util/json_util.h>

#include <iostream>

#include "containerd/services/content/v1/content.pb.h"
#include "containerd/services/images/v1/images.pb.h"
#include "tests/support/kubelet/commands.h"

namespace crivet::test {
namespace {

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string ToHex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type) {
  auto* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

// "/runtime.v1.ImageService/PullImage" -> its description in our .proto files, or null. The
// messages of v1alpha2 are those of v1.
const google::protobuf::MethodDescriptor* FindMethod(std::string path) {
  const std::string old = "/runtime.v1alpha2.";
  if (path.starts_with(old)) {
    path = "/runtime.v1." + path.substr(old.size());
  }
  const size_t slash = path.rfind('/');
  if (path.empty() || slash == 0 || slash == std::string::npos) {
    return nullptr;
  }
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      path.substr(1, slash - 1) + "." + path.substr(slash + 1));
}

}  // namespace

int Raw(CriClient& client, const Flags& flags) {
  const auto answer = client.CallRaw(flags.method, FromHex(flags.message));
  if (!answer) {
    return Report(flags, flags.method, answer.error());
  }
  for (const std::string& message : *answer) {
    std::cout << ToHex(message) << "\n";
  }
  return 0;
}

int CallAny(CriClient& client, const Flags& flags) {
  // Keeps the linker from leaving out the files that are only found by name.
  containerd::services::images::v1::Image::descriptor();
  containerd::services::content::v1::Info::descriptor();
  const auto* method = FindMethod(flags.method);
  if (method == nullptr) {
    std::cerr << "no such method in api/: " << flags.method << "\n";
    return kUsage;
  }
  const auto request = NewMessage(method->input_type());
  const auto parsed = google::protobuf::util::JsonStringToMessage(flags.message, request.get());
  if (!parsed.ok()) {
    std::cerr << parsed.ToString() << "\n";
    return kUsage;
  }
  const auto answer = client.CallRaw(flags.method, request->SerializeAsString());
  if (!answer) {
    return Report(flags, flags.method, answer.error());
  }
  for (const std::string& bytes : *answer) {
    const auto response = NewMessage(method->output_type());
    response->ParseFromString(bytes);
    std::cout << ToJson(*response) << "\n";
  }
  return 0;
}

}  // namespace crivet::test
