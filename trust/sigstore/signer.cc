// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/signer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/signed/certificate_path.h"
#include "trust/signed/certificate_usage.h"
#include "trust/signed/timestamp_token.h"
#include "trust/sigstore/certificate_log.h"

namespace crivet::trust::sigstore {
namespace {

// ECDSA keys sign with the hash of their curve's size, or with SHA-256: cosign 3 does the first
// with keys that it is given, its own verifier expects the second.
SignatureResult<void> CheckSignature(const VerificationKey& key,
                                     const SignatureToCheck& signature) {
  using Algorithm = VerificationKey::Algorithm;
  std::vector<std::pair<SignatureScheme, HashAlgorithm>> ways;
  switch (key.algorithm()) {
    case Algorithm::kP256:
      ways = {{SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256}};
      break;
    case Algorithm::kP384:
      ways = {{SignatureScheme::kEcdsaDer, HashAlgorithm::kSha384},
              {SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256}};
      break;
    case Algorithm::kP521:
      ways = {{SignatureScheme::kEcdsaDer, HashAlgorithm::kSha512},
              {SignatureScheme::kEcdsaDer, HashAlgorithm::kSha256}};
      break;
    case Algorithm::kRsa:
      ways = {{SignatureScheme::kRsaPkcs1, HashAlgorithm::kSha256}};
      break;
    case Algorithm::kEd25519:
      ways = {{SignatureScheme::kEd25519, HashAlgorithm::kSha256}};
      break;
  }
  for (const auto& [scheme, hash] : ways) {
    switch (signature.covered.CheckBy(key, scheme, hash, signature.signature)) {
      case SignatureCheck::kGood:
        return {};
      case SignatureCheck::kBad:
      case SignatureCheck::kLibraryFailure:
        break;
    }
  }
  return RefuseSignature(SignatureReason::kSignature, "the signature does not verify with the key");
}

// Client specification, "transparency log entry": each has to verify, and none stands there twice.
SignatureResult<std::vector<LogWitness>> CheckEntries(const SignatureToCheck& signature,
                                                      const VerificationKey& key,
                                                      const TrustedRoot& root) {
  const LoggedSignature logged{.signature = signature.signature,
                               .covered = signature.covered,
                               .payload = signature.payload,
                               .certificate = signature.certificate,
                               .key = signature.certificate == nullptr ? &key : nullptr};
  std::vector<LogWitness> witnesses;
  for (const LogEntry& entry : *signature.log_entries) {
    auto witness = VerifyLogEntry(entry, signature.needs_proof, root, logged);
    if (!witness) return tl::unexpected(witness.error());
    for (const LogWitness& earlier : witnesses) {
      if (earlier.log == witness->log && earlier.index == witness->index) {
        return RefuseSignature(SignatureReason::kTransparencyLog, "the same log entry twice");
      }
    }
    witnesses.push_back(*witness);
  }
  return witnesses;
}

SignatureResult<void> CountLogs(const std::vector<LogWitness>& witnesses, std::size_t wanted) {
  std::set<const Log*> logs;
  for (const LogWitness& witness : witnesses) logs.insert(witness.log);
  if (logs.size() < wanted) {
    return RefuseSignature(SignatureReason::kTransparencyLog,
                           "the signature is in " + std::to_string(logs.size()) +
                               " transparency logs, not " + std::to_string(wanted));
  }
  return {};
}

// What somebody who is trusted says of when it was signed.
struct TrustedTime {
  TimePoint time;
  const void* who;  ///< the authority or log, by which they are told apart
};

// Of a timestamp of any authority that counted at its time.
std::optional<TrustedTime> TimeOf(const std::string& token, std::string_view signature,
                                  const TrustedRoot& root) {
  for (const Authority& authority : root.timestamp_authorities) {
    const auto timestamp = VerifyTimestamp(token, signature, authority.Known(), authority.Anchor());
    if (!timestamp || !authority.valid_for.Covers(timestamp->time)) continue;
    // An authority that is given with its own certificate is that certificate alone.
    const Certificate& first = authority.chain.front();
    if (!first.is_ca() && first != timestamp->signer) continue;
    return TrustedTime{timestamp->time, &authority};
  }
  return std::nullopt;
}

// Damaged timestamps, and those of strangers, count as if they were not there.
std::vector<TrustedTime> CheckTimestamps(const SignatureToCheck& signature,
                                         const TrustedRoot& root) {
  std::vector<TrustedTime> times;
  for (const std::string& response : *signature.timestamps) {
    const auto token = TokenOf(response);
    if (!token) continue;
    if (const auto time = TimeOf(*token, signature.signature, root)) times.push_back(*time);
  }
  return times;
}

// How many say so: one who says it twice is one.
std::size_t CountWho(const std::vector<TrustedTime>& times) {
  std::set<const void*> who;
  for (const TrustedTime& time : times) who.insert(time.who);
  return who.size();
}

// RFC 5280 4.2.1.12 along the path: whoever names purposes has to name this one. The leaf has to.
SignatureResult<void> CheckCodeSigning(const std::vector<Certificate>& path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto usage = UsageOf(path[i]);
    if (!usage) return tl::unexpected(usage.error());
    const bool leaf = i == 0;
    const bool allowed = usage->extended ? usage->extended->Has(kCodeSigning) ||
                                               (!leaf && usage->extended->Has(kAnyPurpose))
                                         : !leaf;
    if (!allowed) {
      return RefuseSignature(SignatureReason::kUntrustedRoot,
                             "the certificate is not made for signing code");
    }
  }
  return {};
}

// The path at one time, under any authority that counted at that time.
SignatureResult<std::vector<Certificate>> PathAt(const Certificate& leaf, TimePoint time,
                                                 const TrustedRoot& root) {
  if (time < leaf.not_before() || leaf.not_after() < time) {
    return RefuseSignature(
        SignatureReason::kTimestamp,
        "the certificate was not valid when it signed, at " + FormatRfc3339(time));
  }
  SignatureError last{
      SignatureReason::kUntrustedRoot,
      "no certificate authority of the trusted root counted at " + FormatRfc3339(time)};
  for (const Authority& authority : root.certificate_authorities) {
    if (!authority.valid_for.Covers(time)) continue;
    auto path = FindPath(leaf, authority.Known(), authority.Anchor(), time);
    if (path) return path;
    last = path.error();
  }
  return tl::unexpected(last);
}

// Every trusted time has to lie within every certificate's life: one that does not contradicts the
// others.
SignatureResult<Signer> CheckKeyless(const SignatureToCheck& signature, const KeylessDemand& demand,
                                     const TrustedRoot& root) {
  const Certificate& leaf = *signature.certificate;
  const auto key = VerificationKey::Of(leaf);
  if (!key) return tl::unexpected(key.error());
  const auto witnesses = CheckEntries(signature, *key, root);
  if (!witnesses) return tl::unexpected(witnesses.error());
  auto said = CheckTimestamps(signature, root);
  if (CountWho(said) < demand.signed_times) {
    return RefuseSignature(SignatureReason::kTimestamp,
                           "no timestamp of an authority of the trusted root");
  }
  for (const LogWitness& witness : *witnesses) {
    if (witness.time) said.push_back({*witness.time, witness.log});
  }
  if (CountWho(said) < demand.times || said.empty()) {
    return RefuseSignature(SignatureReason::kTimestamp,
                           "nobody who is trusted says when it was signed");
  }
  std::vector<TimePoint> times;
  times.reserve(said.size());
  for (const TrustedTime& time : said) times.push_back(time.time);
  std::sort(times.begin(), times.end());
  for (const LogWitness& witness : *witnesses) {
    for (const TimePoint time : times) {
      if (!witness.log->valid_for.Covers(time)) {
        return RefuseSignature(SignatureReason::kTransparencyLog,
                               "the log's key did not count at " + FormatRfc3339(time));
      }
    }
  }
  for (const TimePoint time : times) {
    const auto path = PathAt(leaf, time, root);
    if (!path) return tl::unexpected(path.error());
    if (auto purpose = CheckCodeSigning(*path); !purpose) return tl::unexpected(purpose.error());
    if (path->size() < 2)
      return RefuseSignature(SignatureReason::kUntrustedRoot, "the certificate is an authority's");
    const auto logged = CountLogged(leaf, (*path)[1], root.certificate_logs);
    if (!logged) return tl::unexpected(logged.error());
    if (*logged < demand.certificate_logs) {
      return RefuseSignature(
          SignatureReason::kUntrustedRoot,
          "the certificate is not in a certificate transparency log of the trusted root");
    }
  }
  if (auto verified = CheckSignature(*key, signature); !verified) {
    return tl::unexpected(verified.error());
  }
  const auto identity = Identity::Of(leaf);
  if (!identity) return tl::unexpected(identity.error());
  const bool wanted = std::any_of(demand.identities.begin(), demand.identities.end(),
                                  [&](const auto& it) { return it.Accepts(*identity); });
  if (!wanted) {
    return RefuseSignature(
        SignatureReason::kIdentity,
        "signed by " + identity->subject + " (" + identity->issuer + "), which is not wanted");
  }
  return Signer{identity->subject + " (" + identity->issuer + ")", std::move(times)};
}

// An entry whose time its log does not say is of the times that others prove, or of any: the log
// has to count at each.
SignatureResult<void> CheckUndated(const std::vector<LogWitness>& witnesses,
                                   const std::vector<TrustedTime>& proven) {
  for (const LogWitness& witness : witnesses) {
    if (witness.time) continue;
    const ValidFor& period = witness.log->valid_for;
    if (proven.empty() && (!period.start || period.end)) {
      return RefuseSignature(SignatureReason::kTransparencyLog,
                             period.start ? "the log's key has ended, and nobody who is trusted "
                                            "says that the signature was made before"
                                          : "the log's key counts at no time: it has no start");
    }
    for (const TrustedTime& each : proven) {
      if (period.Covers(each.time)) continue;
      return RefuseSignature(SignatureReason::kTransparencyLog,
                             "the log's key did not count at " + FormatRfc3339(each.time));
    }
  }
  return {};
}

SignatureResult<Signer> CheckKeys(const SignatureToCheck& signature, const KeyDemand& demand,
                                  const TrustedRoot& root, std::size_t logs) {
  for (const VerificationKey& key : demand.keys) {
    if (!CheckSignature(key, signature)) continue;
    Signer signer{"key:" + ToHex(key.spki_sha256()), {}};
    if (logs == 0) return signer;
    const auto witnesses = CheckEntries(signature, key, root);
    if (!witnesses) return tl::unexpected(witnesses.error());
    if (auto counted = CountLogs(*witnesses, logs); !counted) {
      return tl::unexpected(counted.error());
    }
    auto proven = CheckTimestamps(signature, root);
    for (const LogWitness& witness : *witnesses) {
      if (witness.time) proven.push_back({*witness.time, witness.log});
    }
    if (auto dated = CheckUndated(*witnesses, proven); !dated) {
      return tl::unexpected(dated.error());
    }
    for (const LogWitness& witness : *witnesses) {
      if (witness.time) signer.times.push_back(*witness.time);
    }
    std::sort(signer.times.begin(), signer.times.end());
    return signer;
  }
  return RefuseSignature(SignatureReason::kSignature,
                         "the signature verifies with none of the keys");
}

}  // namespace

SignatureResult<Signer> VerifySigner(const SignatureToCheck& signature,
                                     const SignerDemand& demand) {
  if (const auto* keys = std::get_if<KeyDemand>(&demand.who)) {
    if (signature.certificate != nullptr) {
      return RefuseSignature(SignatureReason::kIdentity,
                             "signed with a certificate, and a key is wanted");
    }
    return CheckKeys(signature, *keys, demand.root, demand.logs);
  }
  if (signature.certificate == nullptr) {
    return RefuseSignature(SignatureReason::kIdentity,
                           "signed with a key, and an identity is wanted");
  }
  // The logs are counted first: a signature that none has is told as that.
  std::set<std::string> named;
  for (const LogEntry& entry : *signature.log_entries) named.insert(entry.log_id);
  if (named.size() < demand.logs) {
    return RefuseSignature(SignatureReason::kTransparencyLog,
                           "the signature is in no transparency log");
  }
  return CheckKeyless(signature, std::get<KeylessDemand>(demand.who), demand.root);
}

}  // namespace crivet::trust::sigstore
