// SPDX-License-Identifier: Apache-2.0

// A server that answers each request as the next byte says: honestly, with another file, an older
// one, a piece of one, or a failure. Whatever it does, the refresh ends, and what it commits is an
// edition that the publisher made, never older than what was trusted before.

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/require.h"
#include "tests/support/trust/signing_repository.h"

using namespace crivet::trust;

namespace {

// Three editions of one repository: a tag moves, the root and every other key is rotated.
struct Editions {
  std::vector<SigningRepository> servers;
  std::vector<Sha256Digest> digests{DigestOf("1"), DigestOf("2"), DigestOf("3")};

  Editions() {
    SigningRepository server;
    server.Delegate("targets/releases", {SigningKey::Ecdsa()});
    server.Sign("targets/releases", "1.0", digests[0]);
    server.Publish();
    servers.push_back(server);
    server.Sign("targets/releases", "1.0", digests[1]);
    server.SetKeys("root", {RootKeyFor(server.gun())});
    server.Publish();
    servers.push_back(server);
    server.Sign("targets/releases", "1.0", digests[2]);
    for (const char* role : {"targets", "snapshot", "timestamp", "targets/releases"}) {
      server.SetKeys(role, {SigningKey::Ecdsa()});
    }
    server.SetKeys("root", {RootKeyFor(server.gun())});
    server.Publish();
    servers.push_back(server);
  }

  std::size_t IndexOf(const Sha256Digest& digest) const {
    for (std::size_t i = 0; i < digests.size(); ++i) {
      if (digests[i] == digest) return i;
    }
    Require(false, "the digest was signed by the publisher");
    return 0;
  }
};

// Takes choices from the input; honest once it is used up.
class Choices {
 public:
  Choices(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  std::uint8_t Next() { return at_ < size_ ? bytes_[at_++] : 0; }
  bool empty() const { return at_ == size_; }

 private:
  const std::uint8_t* bytes_;
  std::size_t size_;
  std::size_t at_ = 0;
};

Fetched Serve(const MetadataRequest& request, std::vector<SigningRepository>& servers,
              Choices& choices) {
  const std::uint8_t choice = choices.Next();
  SigningRepository& server = servers[(choice >> 4) % servers.size()];
  switch (choice & 0x0f) {
    case 1:
      return tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}});
    case 2:
      return tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, NetworkCause::kTimeout});
    case 3:
      return tl::unexpected(FetchFailure{FetchFailure::Kind::kTooLarge, {}});
    case 4:
      return std::string();
    case 5: {
      constexpr std::array<const char*, 5> kRoles = {"root", "timestamp", "snapshot", "targets",
                                                     "targets/releases"};
      return server.bytes(kRoles[choices.Next() % kRoles.size()]);
    }
    case 6: {
      Fetched file = server.Fetch(request);
      if (file) file->bytes.resize(file->bytes.size() * choices.Next() / 256);
      return file;
    }
    case 7: {
      Fetched file = server.Fetch(request);
      if (file && !file->bytes.empty()) {
        const std::size_t at = (choices.Next() * 256u + choices.Next()) % file->bytes.size();
        file->bytes[at] = static_cast<char>(choices.Next());
      }
      return file;
    }
    default:
      return server.Fetch(request);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Editions editions;
  static std::vector<SigningRepository> servers = editions.servers;
  static const RoleName releases = RoleName::Parse("targets/releases").value();
  Choices choices(bytes, size);

  std::shared_ptr<const Repository> trusted;
  for (int round = 0; round < 4; ++round) {
    MetadataUpdate::Start start = editions.servers.front().Start();
    start.previous = trusted;
    MetadataUpdate refresh(start);
    int requests = 0;
    while (const auto wanted = refresh.Wanted()) {
      Require(++requests < 200, "a refresh ends");
      Require(wanted->max_bytes <= Limits{}.targets_bytes, "a request is capped");
      refresh.Supply(Serve(*wanted, servers, choices));
    }
    const auto outcome = refresh.Finish();
    for (SigningRepository& server : servers) server.ForgetRequests();
    if (!outcome) {
      const auto& newer = outcome.error().newer_anchors;
      if (newer) {
        Require(trusted != nullptr, "a first contact that fails leaves nothing");
        Require(ChainOf(*newer).size() > trusted->chain().size(), "newer roots are newer");
        trusted = RepositoryOf(newer->set);
      }
      continue;
    }
    const auto after = RepositoryOf(outcome->set)->Lookup(releases, "1.0");
    Require(after.has_value(), "a commit is whole");
    const std::size_t edition = editions.IndexOf(*after);
    if (trusted && trusted->CheckFresh({}, start.now, {})) {
      Require(edition >= editions.IndexOf(*trusted->Lookup(releases, "1.0")), "nothing rolls back");
    }
    trusted = RepositoryOf(outcome->set);
  }
  return 0;
}
