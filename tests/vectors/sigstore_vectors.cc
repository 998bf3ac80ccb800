// SPDX-License-Identifier: Apache-2.0

// Runs the cases of an index of signature vectors, one JSON object a line, against the verification
// of cosign's and notation's signatures: each names its files (relative to the index), the image,
// the policy, the time, and the verdict that is wanted of crivet.
//
//   sigstore_vectors INDEX.jsonl
//
// Prints a line for each case whose verdict or reason is another, and last `N passed, N failed`.
// Exit: 0 if none failed.

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/time.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/parse_envelope.h"
#include "trust/sigstore/image_signature.h"

namespace crivet::trust {
namespace {

using Json = nlohmann::json;

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T, typename E>
T Need(tl::expected<T, E> result) {
  if (!result) throw std::runtime_error("the case itself: " + result.error().detail);
  return *std::move(result);
}

// What a case comes to: nothing for Allow.
using Outcome = std::optional<SignatureError>;

template <typename T>
Outcome OutcomeOf(const SignatureResult<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

// An expression that only says "begins with this" becomes that pattern; any other stands for
// itself, since crivet has no expressions.
sigstore::TextPattern PatternOf(const std::string& expression) {
  std::string literal;
  std::string_view rest = expression;
  if (rest.starts_with('^') && rest.ends_with(".*$")) {
    rest.remove_prefix(1);
    rest.remove_suffix(3);
    bool plain = true;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
      plain = plain && rest[i] != '*';
      literal += rest[i];
    }
    if (plain) return Need(sigstore::TextPattern::Parse(literal + "**"));
  }
  return sigstore::TextPattern::Literally(expression);
}

sigstore::ImageDemand SigstoreDemand(const std::filesystem::path& folder, const Json& policy) {
  sigstore::ImageDemand demand;
  if (policy.contains("trusted_root")) {
    demand.signer.root = Need(
        sigstore::TrustedRoot::Parse(Read(folder / policy.at("trusted_root").get<std::string>())));
  }
  demand.signer.logs = policy.value("tlog", 0U);
  if (policy.at("method") == "key") {
    demand.signer.who = sigstore::KeyDemand{
        {Need(VerificationKey::FromPem(Read(folder / policy.at("key").get<std::string>())))}};
    return demand;
  }
  sigstore::KeylessDemand keyless;
  const auto subject =
      policy.contains("subject_regexp")
          ? PatternOf(policy.at("subject_regexp").get<std::string>())
          : sigstore::TextPattern::Literally(policy.at("subject").get<std::string>());
  keyless.identities.push_back(
      {sigstore::TextPattern::Literally(policy.at("issuer").get<std::string>()), subject});
  keyless.certificate_logs = policy.value("sct", 0U);
  const auto timestamps = policy.at("timestamps").get<std::string>();
  keyless.times = timestamps == "none" ? 0 : 1;
  keyless.signed_times = timestamps == "signed" ? 1 : 0;
  demand.signer.who = keyless;
  return demand;
}

sigstore::WantedImage SigstoreImage(const Json& image) {
  const auto reference = Need(ImageReference::Parse(image.at("reference").get<std::string>()));
  return {.digest = Need(Sha256Digest::Parse(image.at("digest").get<std::string>())),
          .repository = reference.repository(),
          .tag = reference.tag()};
}

// What chains that were accepted leave behind, over all cases: none of it may make another good.
const std::shared_ptr<notation::ChainMemory>& KnownChains() {
  static const auto known = std::make_shared<notation::ChainMemory>();
  return known;
}

notation::ImageDemand NotationDemand(const std::filesystem::path& folder, const Json& policy) {
  notation::ImageDemand demand;
  for (const auto& [name, file] : policy.at("trust_stores").items()) {
    const auto store = Need(CertificateSet::Parse(Read(folder / file.get<std::string>())));
    auto& into = name.starts_with("ca:")    ? demand.authorities
                 : name.starts_with("tsa:") ? demand.timestamp_authorities
                                            : demand.signing_authorities;
    into = store;
  }
  for (const auto& identity : policy.at("trusted_identities")) {
    demand.identities.push_back(
        Need(notation::TrustedIdentity::Parse(identity.get<std::string>())));
  }
  const auto& verification = policy.at("signature_verification");
  if (verification.at("level") == "permissive") {
    demand.ageing = notation::ImageDemand::Ageing::kIgnore;
  }
  if (verification.value("verifyTimestamp", "") == "afterCertExpiry") {
    demand.timestamps = notation::ImageDemand::Timestamps::kAfterExpiry;
  }
  return demand;
}

Outcome RunBundle(const std::filesystem::path& folder, const Json& test) {
  const auto bundle =
      sigstore::Bundle::Parse(Read(folder / test.at("files").at("bundle").get<std::string>()));
  if (!bundle) return bundle.error();
  return OutcomeOf(sigstore::VerifyBundle(*bundle, SigstoreImage(test.at("image")),
                                          SigstoreDemand(folder, test.at("policy"))));
}

Outcome RunSimpleSigning(const std::filesystem::path& folder, const Json& test) {
  const auto manifest =
      oci::Manifest::Parse(Read(folder / test.at("files").at("manifest").get<std::string>()));
  if (!manifest) return manifest.error();
  std::map<std::string, std::string> payloads;
  for (const auto& file : test.at("files").at("payloads")) {
    const auto payload = Read(folder / file.get<std::string>());
    payloads[Sha256Digest(Sha256Of(payload)).ToString()] = payload;
  }
  std::vector<SignatureResult<sigstore::ImageSignature>> signatures;
  for (const auto& layer : sigstore::LegacyLayers(*manifest)) {
    signatures.push_back(sigstore::VerifyLegacy(layer, payloads[layer.digest.ToString()],
                                                SigstoreImage(test.at("image")),
                                                SigstoreDemand(folder, test.at("policy"))));
  }
  return OutcomeOf(sigstore::Choose(std::move(signatures)));
}

Outcome RunNotation(const std::filesystem::path& folder, const Json& test,
                    const std::shared_ptr<notation::ChainMemory>& known) {
  const auto envelope = notation::ParseEnvelope(
      test.at("format").get<std::string>(),
      Read(folder / test.at("files").at("envelope").get<std::string>()), known.get());
  if (!envelope) return envelope.error();
  const auto& image = test.at("image");
  notation::ImageDemand demand = NotationDemand(folder, test.at("policy"));
  demand.known_chains = known;
  return OutcomeOf(notation::VerifyEnvelope(
      *envelope,
      {.digest = Need(Sha256Digest::Parse(image.at("digest").get<std::string>())),
       .size = image.at("size").get<std::uint64_t>(),
       .media_type = image.at("media_type").get<std::string>()},
      demand, Need(ParseRfc3339(test.at("now").get<std::string>()))));
}

Outcome RunNotation(const std::filesystem::path& folder, const Json& test) {
  Outcome alone = RunNotation(folder, test, nullptr);
  const Outcome beside = RunNotation(folder, test, KnownChains());
  const bool same =
      alone.has_value() == beside.has_value() && (!alone || alone->reason == beside->reason);
  if (!same) throw std::runtime_error("what was accepted before changes the answer");
  return alone;
}

// A repository as a tool left it: what a registry answers, without one.
class StoredRepository {
 public:
  explicit StoredRepository(const Json& dump) {
    for (const auto& [digest, manifest] : dump.at("manifests").items()) {
      const auto content = FromBase64(manifest.at("content").get<std::string>());
      manifests_[digest] = {manifest.at("media_type").get<std::string>(), content.value_or("")};
      for (const auto& tag : manifest.at("tags")) tags_[tag.get<std::string>()] = digest;
    }
    for (const auto& [digest, blob] : dump.at("blobs").items()) {
      blobs_[digest] = FromBase64(blob.get<std::string>()).value_or("");
    }
  }

  struct Manifest {
    std::string media_type;
    std::string content;
  };
  const Manifest* ByDigest(const Sha256Digest& digest) const {
    const auto found = manifests_.find(digest.ToString());
    return found == manifests_.end() ? nullptr : &found->second;
  }
  const Manifest* ByTag(const std::string& tag) const {
    const auto digest = tags_.find(tag);
    return digest == tags_.end() ? nullptr : &manifests_.at(digest->second);
  }
  const std::string& Blob(const Sha256Digest& digest) const {
    static const std::string none;
    const auto found = blobs_.find(digest.ToString());
    return found == blobs_.end() ? none : found->second;
  }
  // The manifests that the fallback index lists.
  std::vector<oci::Manifest> Referrers(const Sha256Digest& image) const {
    std::vector<oci::Manifest> referrers;
    const auto* index = ByTag("sha256-" + ToHex(image.bytes()));
    if (index == nullptr) return referrers;
    for (const auto& descriptor : Need(oci::Index::Parse(index->content)).manifests) {
      const auto* manifest = ByDigest(descriptor.digest);
      if (manifest == nullptr) continue;
      auto parsed = oci::Manifest::Parse(manifest->content);
      if (parsed) referrers.push_back(*std::move(parsed));
    }
    return referrers;
  }

 private:
  std::map<std::string, Manifest> manifests_;
  std::map<std::string, std::string> tags_;
  std::map<std::string, std::string> blobs_;
};

Outcome RunStoredSigstore(const std::filesystem::path& folder, const Json& test,
                          const StoredRepository& repository) {
  const auto image = SigstoreImage(test.at("image"));
  const auto demand = SigstoreDemand(folder, test.at("policy"));
  std::vector<SignatureResult<sigstore::ImageSignature>> signatures;
  for (const auto& referrer : repository.Referrers(image.digest)) {
    for (const auto& layer : sigstore::BundleLayers(referrer, image.digest)) {
      const auto bundle = sigstore::Bundle::Parse(repository.Blob(layer.digest));
      signatures.push_back(bundle ? sigstore::VerifyBundle(*bundle, image, demand)
                                  : tl::unexpected(bundle.error()));
    }
  }
  const auto* legacy = repository.ByTag("sha256-" + ToHex(image.digest.bytes()) + ".sig");
  if (legacy != nullptr) {
    for (const auto& layer : sigstore::LegacyLayers(Need(oci::Manifest::Parse(legacy->content)))) {
      signatures.push_back(
          sigstore::VerifyLegacy(layer, repository.Blob(layer.digest), image, demand));
    }
  }
  return OutcomeOf(sigstore::Choose(std::move(signatures)));
}

Outcome RunRegistry(const std::filesystem::path& folder, const Json& test) {
  const StoredRepository repository(
      Json::parse(Read(folder / test.at("files").at("registry").get<std::string>())));
  if (test.at("policy").contains("method")) return RunStoredSigstore(folder, test, repository);
  const auto digest = Need(Sha256Digest::Parse(test.at("image").at("digest").get<std::string>()));
  const auto* manifest = repository.ByDigest(digest);
  if (manifest == nullptr) throw std::runtime_error("the case itself: its image is not there");
  std::vector<SignatureResult<notation::ImageSignature>> signatures;
  for (const auto& referrer : repository.Referrers(digest)) {
    for (const auto& layer : notation::EnvelopeLayers(referrer, digest)) {
      const auto envelope =
          notation::ParseEnvelope(layer.media_type, repository.Blob(layer.digest));
      if (!envelope) {
        signatures.push_back(tl::unexpected(envelope.error()));
        continue;
      }
      signatures.push_back(notation::VerifyEnvelope(
          *envelope,
          {.digest = digest, .size = manifest->content.size(), .media_type = manifest->media_type},
          NotationDemand(folder, test.at("policy")),
          Need(ParseRfc3339(test.at("now").get<std::string>()))));
    }
  }
  return OutcomeOf(notation::Choose(std::move(signatures)));
}

Outcome Run(const std::filesystem::path& folder, const Json& test) {
  const auto kind = test.at("kind").get<std::string>();
  if (kind == "bundle") return RunBundle(folder, test);
  if (kind == "simple-signing") return RunSimpleSigning(folder, test);
  if (kind == "notation") return RunNotation(folder, test);
  if (kind == "registry") return RunRegistry(folder, test);
  throw std::runtime_error("a kind of case that is not known");
}

// What is wrong with a case; empty where nothing is.
std::string Judge(const std::filesystem::path& folder, const Json& test) {
  const auto outcome = Run(folder, test);
  const std::string verdict = outcome ? "deny" : "allow";
  const auto reason = outcome ? std::string(CodeOf(outcome->reason)) : std::string();
  const auto wanted = test.value("crivet", test.value("expected", ""));
  const auto wanted_reason = test.value("crivet_reason", "");
  if (verdict == wanted && (wanted_reason.empty() || wanted_reason == reason)) return {};
  return fmt::format("{} {}{}, wanted {} {}", verdict, reason,
                     outcome ? " (" + outcome->detail + ")" : "", wanted, wanted_reason);
}

int RunAll(const char* path) {
  std::ifstream in(path);
  if (!in) {
    fmt::print(stderr, "sigstore_vectors: cannot read {}\n", path);
    return 2;
  }
  const auto folder = std::filesystem::path(path).parent_path();
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    std::string name = "a line that is not JSON";
    std::string wrong;
    try {
      const auto test = Json::parse(line);
      name = test.at("name").get<std::string>();
      wrong = Judge(folder, test);
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    (wrong.empty() ? passed : failed) += 1;
    if (!wrong.empty()) fmt::print("{}: {}\n", name, wrong);
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace crivet::trust

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: sigstore_vectors INDEX.jsonl\n");
    return 64;
  }
  return crivet::trust::RunAll(argv[1]);
}
