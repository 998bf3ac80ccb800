// SPDX-License-Identifier: Apache-2.0

// Writes two editions of a small repository of TUF 1.0 with throw-away keys: DIR/1 and DIR/2, each
// with what a server has then. The first lists `web` in `targets` and `team/web` through a
// delegation; in the second the timestamp key has been rotated.

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/trust/tuf_publisher.h"

namespace {

void Write(const std::filesystem::path& folder, const crivet::trust::TufPublisher& publisher) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : publisher.files) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const std::filesystem::path folder = argv[1];
  crivet::trust::TufPublisher publisher;
  publisher.Sign("targets", "web", "the image");
  publisher.Delegate("targets", "../team", {"team/*"});
  publisher.Sign("../team", "team/web", "the image of the team");
  publisher.PublishEdition({"targets", "../team"});
  Write(folder / "1", publisher);
  publisher["timestamp"].keys = {crivet::trust::SigningKey::Ed25519()};
  publisher.Publish({"root"});
  publisher.PublishEdition();
  Write(folder / "2", publisher);
}
