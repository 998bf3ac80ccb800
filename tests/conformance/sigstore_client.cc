// SPDX-License-Identifier: Apache-2.0

// A verifier of sigstore bundles with the command line that the conformance suite drives, over the
// reader and the checks of the daemon:
//
//   sigstore_client verify-bundle --bundle B --trusted-root R
//       (--certificate-identity S --certificate-oidc-issuer I | --key PEM) FILE_OR_sha256:DIGEST
//
// What the suite verifies are files and attestations about them, where the daemon wants an image's
// signature: the signer, the logs and the times are judged by the same code, what was signed here.
// `--staging` needs a `--trusted-root`: none is built in. Of an Ed25519 key a signature over a file
// needs the file. Exit: 0, or 1 where anything was refused.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "trust/base/bytes.h"
#include "trust/signed/json.h"
#include "trust/sigstore/bundle.h"
#include "trust/sigstore/signer.h"

namespace crivet::trust::sigstore {
namespace {

constexpr JsonLimits kStatement{
    .max_bytes = 16 * 1024 * 1024, .max_depth = 64, .max_values = 500'000};

/// What was signed: a file, or only its digest.
struct Artifact {
  std::optional<std::string> bytes;
  Sha256 sha256{};

  /// Whether a statement's subject with these digests is it.
  bool Is(JsonValue digests) const {
    const auto names = [&](const char* name, const std::string& hex) {
      const auto found = digests.Find(name);
      return found && found->AsString() == hex;
    };
    return names("sha256", ToHex(sha256)) ||
           (bytes && names("sha512", ToHex(AsBytes(HashOf(HashAlgorithm::kSha512, *bytes)))));
  }
};

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

tl::unexpected<SignatureError> Wrong(const std::string& what) {
  return RefuseSignature(SignatureReason::kMalformed, what);
}

using Options = std::map<std::string, std::string>;

SignatureResult<SignerDemand> DemandOf(const Options& options) {
  const auto text_of = [&](const char* name) -> std::optional<std::string> {
    const auto found = options.find(name);
    return found == options.end() ? std::nullopt : std::optional(found->second);
  };
  SignerDemand demand;
  demand.logs = 1;
  const auto root_path = text_of("--trusted-root");
  const auto root_file = root_path ? ReadFile(*root_path) : std::nullopt;
  if (!root_file) return Wrong("no --trusted-root that can be read");
  const auto root = TrustedRoot::Parse(*root_file);
  if (!root) return tl::unexpected(root.error());
  demand.root = *root;
  const auto issuer = text_of("--certificate-oidc-issuer");
  const auto subject = text_of("--certificate-identity");
  if (const auto key_path = text_of("--key")) {
    if (issuer || subject) return Wrong("a key and an identity: one of them signs");
    const auto pem = ReadFile(*key_path);
    if (!pem) return Wrong("the key cannot be read");
    const auto key = VerificationKey::FromPem(*pem);
    if (!key) return tl::unexpected(key.error());
    demand.who = KeyDemand{{*key}};
    return demand;
  }
  if (!issuer || !subject) return Wrong("neither a key nor an identity");
  KeylessDemand keyless;
  keyless.identities.push_back({TextPattern::Literally(*issuer), TextPattern::Literally(*subject)});
  demand.who = std::move(keyless);
  return demand;
}

// in-toto statement, of a version that is known: one of its subjects has the digest.
SignatureResult<void> CheckStatement(const Envelope& envelope, const Artifact& artifact) {
  if (envelope.payload_type != "application/vnd.in-toto+json") return Wrong("no in-toto statement");
  const auto document = JsonDocument::Parse(envelope.payload, kStatement);
  if (!document) return tl::unexpected(document.error());
  const auto type = document->root().Find("_type");
  const auto named = type ? type->AsString() : std::nullopt;
  if (named != "https://in-toto.io/Statement/v1" && named != "https://in-toto.io/Statement/v0.1") {
    return Wrong("a statement of no version that is known");
  }
  const auto subjects = document->root().Find("subject");
  const auto list = subjects ? subjects->AsArray() : std::nullopt;
  if (!list) return Wrong("a statement without subjects");
  for (const JsonValue subject : *list) {
    const auto digests = subject.Find("digest");
    if (digests && artifact.Is(*digests)) return {};
  }
  return RefuseSignature(SignatureReason::kDigestMismatch, "the statement is about something else");
}

SignatureResult<void> Verify(const Bundle& bundle, const Artifact& artifact,
                             const SignerDemand& demand) {
  SignatureToCheck signature;
  signature.certificate = std::get_if<Certificate>(&bundle.material);
  signature.log_entries = &bundle.log_entries;
  signature.timestamps = &bundle.timestamps;
  if (bundle.version == Bundle::Version::k01) signature.needs_proof = NeedsProof::kPromiseSuffices;
  const auto* envelope = std::get_if<Envelope>(&bundle.content);
  std::string encoded;
  if (envelope != nullptr) {
    encoded = envelope->Signed();
    signature.signature = envelope->signature;
    signature.covered = encoded;
    signature.payload = envelope->payload;
  } else {
    const auto& message = std::get<MessageSignature>(bundle.content);
    if (!message.digest.empty() && ToHex(AsBytes(message.digest)) != ToHex(artifact.sha256)) {
      return RefuseSignature(SignatureReason::kDigestMismatch, "the bundle names another digest");
    }
    signature.signature = message.signature;
    signature.covered =
        artifact.bytes ? CoveredBytes(*artifact.bytes) : CoveredBytes::OfSha256(artifact.sha256);
  }
  const auto signer = VerifySigner(signature, demand);
  if (!signer) return tl::unexpected(signer.error());
  if (envelope != nullptr) return CheckStatement(*envelope, artifact);
  return {};
}

SignatureResult<void> Run(int argc, char** argv) {
  Options options;
  std::string what;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--staging") continue;
    if (word.starts_with("--")) {
      if (i + 1 == argc) return Wrong("an option without a value");
      options[std::string(word)] = argv[++i];
    } else {
      what = word;
    }
  }
  if (argc < 2 || std::string_view(argv[1]) != "verify-bundle") {
    return Wrong("the one command is verify-bundle");
  }
  constexpr std::string_view kSha256 = "sha256:";
  Artifact artifact;
  if (what.starts_with(kSha256)) {
    const auto digest = Sha256Digest::Parse(what);
    if (!digest) return Wrong("not a SHA-256 in lower-case hex");
    artifact.sha256 = digest->bytes();
  } else {
    artifact.bytes = ReadFile(what);
    if (!artifact.bytes) return Wrong("the file cannot be read");
    artifact.sha256 = Sha256Of(*artifact.bytes);
  }
  const auto demand = DemandOf(options);
  if (!demand) return tl::unexpected(demand.error());
  const auto json = ReadFile(options["--bundle"]);
  if (!json) return Wrong("the bundle cannot be read");
  const auto bundle = Bundle::Parse(*json);
  if (!bundle) return tl::unexpected(bundle.error());
  return Verify(*bundle, artifact, *demand);
}

}  // namespace
}  // namespace crivet::trust::sigstore

int main(int argc, char** argv) {
  const auto done = crivet::trust::sigstore::Run(argc, argv);
  if (done) return 0;
  std::fprintf(stderr, "refused: %s (%s)\n", done.error().detail.c_str(),
               std::string(crivet::trust::CodeOf(done.error().reason)).c_str());
  return 1;
}
