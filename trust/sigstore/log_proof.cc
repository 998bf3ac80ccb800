// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/log_proof.h"

#include <algorithm>
#include <string>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/json.h"
#include "trust/sigstore/checkpoint.h"
#include "trust/sigstore/merkle.h"
#include "trust/sigstore/message_reader.h"

namespace crivet::trust::sigstore {
namespace {

constexpr JsonLimits kBodyLimits{
    .max_bytes = Bundle::kMaxSize, .max_depth = 16, .max_values = 10'000};

tl::unexpected<SignatureError> Bad(std::string detail) {
  return RefuseSignature(SignatureReason::kTransparencyLog, "log entry: " + std::move(detail));
}

std::string_view TextAt(JsonValue value, std::initializer_list<std::string_view> path) {
  std::optional<JsonValue> at = value;
  for (const std::string_view name : path) {
    at = at->Find(name);
    if (!at) return {};
  }
  return at->AsString().value_or(std::string_view());
}

std::optional<JsonValue> At(JsonValue value, std::initializer_list<std::string_view> path) {
  std::optional<JsonValue> at = value;
  for (const std::string_view name : path) {
    at = at->Find(name);
    if (!at) break;
  }
  return at;
}

// The only element of a list.
std::optional<JsonValue> OnlyElement(const std::optional<JsonValue>& list) {
  const auto elements = list ? list->AsArray() : std::nullopt;
  if (!elements || elements->size() != 1) return std::nullopt;
  return *elements->begin();
}

bool IsHash(std::string_view algorithm, std::string_view hex, const CoveredBytes& bytes) {
  constexpr std::pair<std::string_view, HashAlgorithm> kNames[] = {
      {"sha256", HashAlgorithm::kSha256},
      {"sha384", HashAlgorithm::kSha384},
      {"sha512", HashAlgorithm::kSha512}};
  for (const auto& [name, hash] : kNames) {
    if (name != algorithm) continue;
    const auto raw = bytes.Hash(hash);
    return raw && hex == ToHex(AsBytes(*raw));
  }
  return false;
}

// Base64 of PEM, of the very certificate or key that signed.
bool IsSignerPem(std::string_view base64, const LoggedSignature& logged) {
  const auto pem = FromBase64(base64);
  if (!pem) return false;
  if (logged.certificate != nullptr) {
    const auto certificates = CertificateSet::Parse(*pem, 1);
    return certificates && certificates->certificates().front() == *logged.certificate;
  }
  const auto key = VerificationKey::FromPem(*pem);
  return key && logged.key != nullptr && *key == *logged.key;
}

// hashedrekord 0.0.1
bool IsAboutHash(JsonValue spec, const LoggedSignature& logged) {
  return IsHash(TextAt(spec, {"data", "hash", "algorithm"}),
                TextAt(spec, {"data", "hash", "value"}), logged.covered) &&
         FromBase64(TextAt(spec, {"signature", "content"})) == logged.signature &&
         IsSignerPem(TextAt(spec, {"signature", "publicKey", "content"}), logged);
}

// dsse 0.0.1. `envelopeHash` is of a file that nobody has any more.
bool IsAboutEnvelope(JsonValue spec, const LoggedSignature& logged) {
  const auto signature = OnlyElement(spec.Find("signatures"));
  return logged.payload && signature &&
         IsHash(TextAt(spec, {"payloadHash", "algorithm"}), TextAt(spec, {"payloadHash", "value"}),
                *logged.payload) &&
         FromBase64(TextAt(*signature, {"signature"})) == logged.signature &&
         IsSignerPem(TextAt(*signature, {"verifier"}), logged);
}

// intoto 0.0.2, which writes the base64 of the signature's base64.
bool IsAboutAttestation(JsonValue spec, const LoggedSignature& logged) {
  const auto content = spec.Find("content");
  if (!content || !logged.payload) return false;
  const auto signature = OnlyElement(At(*content, {"envelope", "signatures"}));
  if (!signature) return false;
  const auto inner = FromBase64(TextAt(*signature, {"sig"}));
  return inner && FromBase64(*inner) == logged.signature &&
         IsHash(TextAt(*content, {"payloadHash", "algorithm"}),
                TextAt(*content, {"payloadHash", "value"}), *logged.payload) &&
         IsSignerPem(TextAt(*signature, {"publicKey"}), logged);
}

struct KeyDetails {
  VerificationKey::Algorithm algorithm;
  int bits;  // 0: any
  std::string_view name;
  std::string_view data_algorithm;
  HashAlgorithm hash;
};
constexpr KeyDetails kKeyDetails[] = {
    {VerificationKey::Algorithm::kP256, 0, "PKIX_ECDSA_P256_SHA_256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kP384, 0, "PKIX_ECDSA_P384_SHA_384", "SHA2_384",
     HashAlgorithm::kSha384},
    {VerificationKey::Algorithm::kP384, 0, "PKIX_ECDSA_P384_SHA_256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kP521, 0, "PKIX_ECDSA_P521_SHA_512", "SHA2_512",
     HashAlgorithm::kSha512},
    {VerificationKey::Algorithm::kP521, 0, "PKIX_ECDSA_P521_SHA_256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kRsa, 2048, "PKIX_RSA_PKCS1V15_2048_SHA256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kRsa, 3072, "PKIX_RSA_PKCS1V15_3072_SHA256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kRsa, 4096, "PKIX_RSA_PKCS1V15_4096_SHA256", "SHA2_256",
     HashAlgorithm::kSha256},
    {VerificationKey::Algorithm::kEd25519, 0, "PKIX_ED25519", "SHA2_512", HashAlgorithm::kSha512},
    {VerificationKey::Algorithm::kEd25519, 0, "PKIX_ED25519", "SHA2_256", HashAlgorithm::kSha256},
};

bool IsRawHash(std::string_view base64, const std::optional<std::string>& raw) {
  return raw && BytesOf(base64) == *raw;
}

// hashedrekord 0.0.2, of logs of the second kind. For a DSSE envelope too: its bytes are the PAE.
bool IsAboutDigest(JsonValue spec, const LoggedSignature& logged) {
  const auto record = spec.Find("hashedRekordV002");
  if (!record) return false;
  const auto verifier = At(*record, {"signature", "verifier"});
  if (!verifier || BytesOf(TextAt(*record, {"signature", "content"})) != logged.signature) {
    return false;
  }
  const bool certificate = logged.certificate != nullptr;
  const auto raw = certificate ? TextAt(*verifier, {"x509Certificate", "rawBytes"})
                               : TextAt(*verifier, {"publicKey", "rawBytes"});
  const auto key = certificate ? VerificationKey::Of(*logged.certificate)
                               : SignatureResult<VerificationKey>(*logged.key);
  if (!key || BytesOf(raw) != (certificate ? logged.certificate->der() : key->spki())) return false;
  const auto details = TextAt(*verifier, {"keyDetails"});
  const auto algorithm = TextAt(*record, {"data", "algorithm"});
  const auto* known =
      std::find_if(std::begin(kKeyDetails), std::end(kKeyDetails), [&](const KeyDetails& row) {
        return row.name == details && row.data_algorithm == algorithm &&
               row.algorithm == key->algorithm() && (row.bits == 0 || row.bits == key->bits());
      });
  return known != std::end(kKeyDetails) &&
         IsRawHash(TextAt(*record, {"data", "digest"}), logged.covered.Hash(known->hash));
}

enum class Generation : std::uint8_t { kFirst, kSecond };

// Client specification, "entry and bundle": the same signature, signer and content.
SignatureResult<Generation> CheckBody(const LogEntry& entry, const LoggedSignature& logged) {
  const auto document = JsonDocument::Parse(entry.body, kBodyLimits);
  if (!document) return Bad("its body is not JSON");
  const JsonValue root = document->root();
  if (TextAt(root, {"kind"}) != entry.kind || TextAt(root, {"apiVersion"}) != entry.version) {
    return Bad("its body is of another kind than it says");
  }
  const auto spec = root.Find("spec");
  if (!spec) return Bad("its body has no spec");
  bool same = false;
  auto generation = Generation::kFirst;
  if (entry.kind == "hashedrekord" && entry.version == "0.0.1") {
    same = IsAboutHash(*spec, logged);
  } else if (entry.kind == "dsse" && entry.version == "0.0.1") {
    same = IsAboutEnvelope(*spec, logged);
  } else if (entry.kind == "intoto" && entry.version == "0.0.2") {
    same = IsAboutAttestation(*spec, logged);
  } else if (entry.kind == "hashedrekord" && entry.version == "0.0.2") {
    same = IsAboutDigest(*spec, logged);
    generation = Generation::kSecond;
  } else {
    return Bad("a kind of entry that is not known");
  }
  if (!same) return Bad("it is about another signature");
  return generation;
}

// Rekor, SignedEntryTimestamp: the canonical JSON of exactly these four members.
bool IsPromised(const LogEntry& entry, const Log& log) {
  if (!entry.integrated) return false;
  std::string text = R"({"body":")" + ToBase64(AsBytes(entry.body)) + R"(","integratedTime":)";
  text += std::to_string(entry.integrated->time_since_epoch().count());
  text += R"(,"logID":")" + ToHex(AsBytes(entry.log_id)) + R"(","logIndex":)";
  text += std::to_string(entry.index) + "}";
  return log.key.VerifyUsual(entry.promise, text) == SignatureCheck::kGood;
}

SignatureResult<void> CheckProof(const LogEntry::Proof& proof, const LogEntry& entry,
                                 const Log& log, Generation generation) {
  const auto checkpoint = Checkpoint::Verify(proof.checkpoint, log);
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  if (checkpoint->root_hash != proof.root_hash || checkpoint->tree_size != proof.tree_size) {
    return Bad("its checkpoint is of another tree");
  }
  // C2SP tlog-checkpoint: the origin is the log's name.
  if (generation == Generation::kSecond && checkpoint->origin != log.host) {
    return Bad("its checkpoint is of another origin");
  }
  if (!IsIncluded(LeafHash(entry.body), proof.index, proof.tree_size, proof.hashes,
                  proof.root_hash)) {
    return Bad("it is not in the tree");
  }
  return {};
}

}  // namespace

SignatureResult<LogWitness> VerifyLogEntry(const LogEntry& entry, NeedsProof needs,
                                           const TrustedRoot& root, const LoggedSignature& logged) {
  const auto log = std::find_if(root.logs.begin(), root.logs.end(),
                                [&](const Log& it) { return it.id == entry.log_id; });
  if (log == root.logs.end()) return Bad("a log that is not in the trusted root");
  const auto generation = CheckBody(entry, logged);
  if (!generation) return tl::unexpected(generation.error());

  // Outside of its proof, nothing signs the number that a log of the second kind gives an entry.
  const bool numbered_by_proof = *generation == Generation::kSecond && entry.proof;
  LogWitness witness{&*log, numbered_by_proof ? entry.proof->index : entry.index, std::nullopt};
  if (!entry.promise.empty()) {
    // Rekor tiles make no promises: their time is whatever was written.
    if (*generation == Generation::kSecond) return Bad("a promise of a log that makes none");
    if (!IsPromised(entry, *log)) return Bad("the log's promise does not verify");
    witness.time = entry.integrated;
  }
  // Bundles 0.1 came with proofs to a root that nobody signed: such a one proves nothing.
  const bool unsigned_root =
      needs == NeedsProof::kPromiseSuffices && entry.proof && entry.proof->checkpoint.empty();
  if (entry.proof && !unsigned_root) {
    if (auto proof = CheckProof(*entry.proof, entry, *log, *generation); !proof) {
      return tl::unexpected(proof.error());
    }
  } else if (needs == NeedsProof::kProof || *generation == Generation::kSecond) {
    return Bad("no proof that the log has it");
  } else if (entry.promise.empty()) {
    return Bad("neither a promise nor a proof");
  }
  if (witness.time && !log->valid_for.Covers(*witness.time)) {
    return Bad("its time is outside of the time of the log's key");
  }
  return witness;
}

}  // namespace crivet::trust::sigstore
