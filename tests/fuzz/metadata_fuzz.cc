// SPDX-License-Identifier: Apache-2.0

// A file of each role as its first byte says, read as every role would read it; and a refresh that
// gets it in place of the honest one. What is accepted as a shape has one canonical form that reads
// the same; and nothing is trusted that the honest publisher did not sign.

#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "tests/support/trust/notary_rule.h"
#include "trust/notary/metadata_update.h"
#include "trust/signed/envelope.h"
#include "trust/signed/signature_threshold.h"
#include "trust/tuf/metadata.h"

using namespace crivet::trust;

namespace {

constexpr std::array<const char*, 5> kRoles = {"root", "timestamp", "snapshot", "targets",
                                               "targets/releases"};
const Limits kLimits;

std::string ReadFile(const std::string& name) {
  std::ifstream in(std::string(CRIVET_TEST_DATA) + "/notary/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What Debian's notary published (tests/data/notary).
struct Honest {
  std::map<std::string, std::string> files;
  MetadataUpdate::Start start;
  Sha256Digest digest;

  Honest()
      : start{.id = NotaryCollection("https://notary.acme.example", "docker.io/acme/web")},
        digest(Sha256{}) {
    for (const char* role : kRoles) {
      const std::string name = role == kRoles[4] ? "releases" : role;
      files[role] = ReadFile(name + ".json");
      Require(!files[role].empty(), "the honest files are there");
    }
    const auto envelope = Envelope::Parse(files["root"], kLimits.root_bytes, kLimits);
    const auto root = Root::Parse(envelope->content(), kLimits);
    RootPin pin;
    for (const auto& [id, key] : root->KeysOf(RoleName::Root()).keys) pin.key_ids.push_back(id);
    start.pins = {std::move(pin)};
    start.roles = {RoleName::Parse("targets/releases").value(), RoleName::Targets()};
    start.now = ParseRfc3339("2026-11-24T12:00:00Z").value();
    const auto outcome = Run("", "");
    Require(outcome.has_value(), "the honest files are accepted");
    digest =
        static_cast<const Repository&>(*outcome->set).Lookup(RoleName::Targets(), "2.1").value();
  }

  RefreshOutcome Run(const std::string& role, std::string_view file) const {
    MetadataUpdate refresh(start);
    for (int requests = 0; const auto wanted = refresh.Wanted(); ++requests) {
      Require(requests < 100, "a refresh ends");
      const std::string asked = RoleOf(wanted->file);
      const auto honest = files.find(asked);
      if (asked == role) {
        refresh.Supply(std::string(file));
      } else if (honest == files.end()) {
        refresh.Supply(tl::unexpected(FetchFailure{}));
      } else {
        refresh.Supply(honest->second);
      }
    }
    return refresh.Finish();
  }

  static std::string RoleOf(const std::string& file) { return file.substr(0, file.find('.')); }
};

// Reads the object under `signed` as a role does, and says what it came to.
std::string ReadAs(const std::string& role, JsonValue content) {
  const auto summary = [](const auto& read) {
    if (!read) return CodeOf(read.error().reason) == "malformed" ? std::string("malformed") : "?";
    return std::to_string(read->version()) + FormatRfc3339(read->expires());
  };
  if (role == "root") return summary(Root::Parse(content, kLimits));
  if (role == "timestamp") return summary(Timestamp::Parse(content, kLimits));
  if (role == "snapshot") return summary(Snapshot::Parse(content, kLimits));
  const auto name = RoleName::Parse(role).value();
  const auto targets = Targets::Parse(content, name, Sha256{}, kLimits);
  std::string read = summary(targets);
  if (targets) read += "/" + std::to_string(targets->size());
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Honest honest;
  if (size == 0) return 0;
  const std::string role = kRoles[bytes[0] % kRoles.size()];
  const std::string_view file(reinterpret_cast<const char*>(bytes) + 1, size - 1);

  const auto outcome = honest.Run(role, file);
  if (outcome) {
    const auto& repository = static_cast<const Repository&>(*outcome->set);
    Require(repository.Lookup(RoleName::Targets(), "2.1") == honest.digest,
            "only what is signed is trusted");
    Require(repository.floors().size() == kRoles.size(), "a commit is whole");
  } else {
    Require(!outcome.error().newer_anchors, "a first contact that fails leaves nothing");
  }

  const auto envelope = Envelope::Parse(file, 1 << 20, kLimits);
  if (!envelope) {
    Require(envelope.error().reason == Reason::kMalformed, "a refusal has its reason");
    return 0;
  }
  // Control characters stand raw in canonical JSON, which no JSON text may hold.
  const std::string canonical = envelope->signed_bytes().bytes();
  for (const char c : canonical) {
    if (static_cast<unsigned char>(c) < 0x20) return 0;
  }
  const std::string again_text = R"({"signed":)" + canonical + R"(,"signatures":[]})";
  const auto again = Envelope::Parse(again_text, 2 << 20, kLimits);
  Require(again.has_value(), "the canonical form is accepted");
  Require(again->signed_bytes().bytes() == canonical, "the canonical form is stable");
  Require(!VerifySignatures(*again, AuthorizedKeys{}), "no signature is no signature");
  for (const char* each : kRoles) {
    Require(ReadAs(each, envelope->content()) == ReadAs(each, again->content()),
            "both forms mean the same");
  }
  return 0;
}
