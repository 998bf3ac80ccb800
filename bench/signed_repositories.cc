// SPDX-License-Identifier: Apache-2.0

// signed_repositories FOLDER COUNT TAGS: what a node has cached. Writes COUNT repositories of TAGS
// signed tags each, named registry.acme.example/shop/<i>, as Docker keeps them: `crivet import`
// takes the folder. The tags are release-<j>.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/trust/signing_repository.h"

namespace {

using crivet::trust::DigestOf;
using crivet::trust::SigningKey;
using crivet::trust::SigningRepository;
namespace fs = std::filesystem;

void Write(const fs::path& folder, long number, long tags) {
  SigningRepository repository("registry.acme.example/shop/" + std::to_string(number));
  repository.Delegate("targets/releases", {SigningKey::Ecdsa()});
  for (long tag = 0; tag < tags; ++tag) {
    const std::string name = "release-" + std::to_string(tag);
    repository.Sign("targets/releases", name, DigestOf(name));
  }
  const auto expires = std::chrono::time_point_cast<std::chrono::seconds>(
      std::chrono::system_clock::now() + std::chrono::hours{24 * 30});
  for (const char* role : {"targets", "targets/releases", "snapshot", "timestamp"}) {
    repository.SetExpiry(role, expires);
  }
  repository.Publish();
  const fs::path metadata = folder / "tuf" / repository.gun() / "metadata";
  for (const char* role : {"root", "targets", "targets/releases", "snapshot", "timestamp"}) {
    const fs::path file = metadata / (std::string(role) + ".json");
    fs::create_directories(file.parent_path());
    std::ofstream(file) << repository.bytes(role);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: signed_repositories FOLDER COUNT TAGS\n", stderr);
    return 64;
  }
  try {
    for (long i = 0; i < std::atol(argv[2]); ++i) Write(argv[1], i, std::atol(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "signed_repositories: %s\n", error.what());
    return 70;
  }
  return 0;
}
