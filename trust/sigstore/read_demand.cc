// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/read_demand.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/decide/image_pattern.h"
#include "trust/registry_bound/signature_place.h"
#include "trust/sigstore/identity.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/trusted_root.h"

namespace crivet::trust::sigstore {
namespace {

constexpr char kKeys[] = "keys";
constexpr char kIdentities[] = "identities";
constexpr char kFormats[] = "formats";
constexpr char kLog[] = "log";
constexpr char kLogs[] = "logs";
constexpr char kScts[] = "scts";
constexpr char kTimestamps[] = "timestamps";
constexpr char kSignedTimestamps[] = "signed_timestamps";
constexpr char kTrustedRoot[] = "trusted_root";
constexpr char kTuf[] = "tuf";
constexpr char kTarget[] = "target";
constexpr char kTrustedRootTarget[] = "trusted_root.json";
constexpr std::size_t kMaxKeys = 16;
constexpr std::size_t kMaxIdentities = 64;
constexpr std::int64_t kMostWitnesses = 8;
constexpr char kSource[] = "source";

std::vector<VerificationKey> ReadKeys(KeyReader& keys) {
  std::vector<VerificationKey> read;
  if (!keys.Has(kKeys) && keys.verifies()) {
    keys.Missing(kKeys,
                 "whom to believe: files with a public key each, as \"cosign public-key\" "
                 "prints it; or \"identities\", for keyless signatures");
  }
  if (keys.HasEmptyArray(kKeys)) {
    keys.Wrong(keys.PlaceOf(kKeys), "\"keys\" must not be empty");
  }
  for (const KeyReader::File& file : keys.ReadFiles(kKeys)) {
    auto key = VerificationKey::FromPem(file.content);
    if (!key) {
      keys.WrongFile(file, fmt::format("\"keys\": {} holds no public key that is accepted: {}",
                                       file.path, key.error().detail));
    } else if (read.size() == kMaxKeys) {
      keys.Wrong(file.at, fmt::format("\"keys\" has more than {} keys", kMaxKeys));
      break;
    } else {
      read.push_back(*std::move(key));
    }
  }
  return read;
}

// A text of an identity, with `*` and `**` (TextPattern).
std::optional<TextPattern> ReadPattern(KeyReader& identity, const std::string& key) {
  const auto text = identity.String(key);
  if (!text) {
    if (!identity.Has(key)) identity.Missing(key, "who has to have signed, as Fulcio tells it");
    return std::nullopt;
  }
  auto pattern = TextPattern::Parse(text->value);
  if (!pattern) {
    identity.Wrong(text->at, fmt::format("\"{}\" is no pattern: {}", key, pattern.error().detail));
    return std::nullopt;
  }
  if (text->value.starts_with('*')) {
    identity.Warn(text->at,
                  fmt::format("\"{}\" begins with a wildcard: whoever can have an identity that "
                              "ends so is believed",
                              key));
  }
  return *std::move(pattern);
}

std::vector<WantedIdentity> ReadIdentities(KeyReader& keys) {
  std::vector<WantedIdentity> read;
  if (keys.HasEmptyArray(kIdentities)) {
    keys.Wrong(keys.PlaceOf(kIdentities), "\"identities\" must not be empty");
  }
  for (const auto& identity : keys.Tables(kIdentities)) {
    auto issuer = ReadPattern(*identity, "issuer");
    auto subject = ReadPattern(*identity, "subject");
    identity->Finish();
    if (read.size() == kMaxIdentities) {
      keys.Wrong(identity->place(),
                 fmt::format("\"identities\" has more than {} entries", kMaxIdentities));
      break;
    }
    if (issuer && subject) read.push_back({*std::move(issuer), *std::move(subject)});
  }
  return read;
}

std::size_t ReadCount(KeyReader& keys, const char* key, std::int64_t least, std::size_t otherwise) {
  const auto count = keys.Integer(key, least, kMostWitnesses);
  return count ? static_cast<std::size_t>(*count) : otherwise;
}

// How many logs have to have a signature.
std::size_t ReadLogs(KeyReader& keys, bool by_identity) {
  bool wanted = by_identity;
  if (const auto log = keys.String(kLog)) {
    wanted = log->value == "require";
    if (!wanted && log->value != "off") {
      keys.Wrong(log->at, "\"log\" is \"off\" or \"require\"");
    }
  }
  if (!wanted) {
    keys.Refuse(kLogs, "has no meaning where \"log\" is \"off\"");
    return 0;
  }
  return ReadCount(keys, kLogs, 1, 1);
}

void ReadWhoSigns(KeyReader& keys, SignerDemand& signer) {
  const bool by_identity = keys.Has(kIdentities);
  signer.logs = ReadLogs(keys, by_identity);
  if (by_identity) {
    keys.Refuse(kKeys,
                "stands beside \"identities\": a rule wants one or the other; both are "
                "two trusts under any_of");
    KeylessDemand keyless;
    keyless.identities = ReadIdentities(keys);
    keyless.certificate_logs = ReadCount(keys, kScts, 0, keyless.certificate_logs);
    keyless.times = ReadCount(keys, kTimestamps, 1, keyless.times);
    keyless.signed_times = ReadCount(keys, kSignedTimestamps, 0, keyless.signed_times);
    signer.who = std::move(keyless);
    return;
  }
  for (const char* key : {kScts, kTimestamps, kSignedTimestamps}) {
    keys.Refuse(key, "is about certificates: it has a meaning with \"identities\" alone");
  }
  signer.who = KeyDemand{ReadKeys(keys)};
}

void ReadFormats(KeyReader& keys, SigstoreDemand& demand) {
  if (keys.HasEmptyArray(kFormats)) {
    keys.Wrong(keys.PlaceOf(kFormats), "\"formats\" must not be empty");
  }
  if (!keys.Has(kFormats)) return;
  demand.takes_bundles = false;
  demand.takes_legacy = false;
  const auto is_form = [](const std::string& text) -> std::string {
    return text == "bundle" || text == "legacy"
               ? ""
               : "\"formats\" holds \"bundle\", \"legacy\" or both";
  };
  for (const KeyReader::Text& text : keys.EachChecked(kFormats, is_form)) {
    (text.value == "bundle" ? demand.takes_bundles : demand.takes_legacy) = true;
  }
}

// trust/registry_bound/RULES.md#order-of-tags
void WarnOfTimesAnew(KeyReader& keys, const SigstoreDemand& demand) {
  if (std::holds_alternative<KeylessDemand>(demand.image.signer.who)) return;
  constexpr char kAnew[] =
      "is no bound against an attacker where keys sign: whoever has an old signature can log it "
      "again, and it counts from then. Keyless signatures have no such gap";
  if (demand.max_age.count() > 0) {
    keys.Warn(keys.PlaceOf(registry_bound::kMaxAge),
              fmt::format("\"{}\" {}", registry_bound::kMaxAge, kAnew));
  }
  if (demand.tag_order == registry_bound::TagOrder::kRefuse) {
    keys.Warn(keys.PlaceOf(registry_bound::kTagOrder),
              fmt::format("\"{}\" {}", registry_bound::kTagOrder, kAnew));
  }
}

void ReadTimes(KeyReader& keys, SigstoreDemand& demand) {
  demand.tag_order = registry_bound::ReadTagOrder(keys);
  demand.max_age = registry_bound::ReadMaxAge(keys);
  const bool proves_times = demand.image.signer.logs > 0 ||
                            std::holds_alternative<KeylessDemand>(demand.image.signer.who);
  if (proves_times) return WarnOfTimesAnew(keys, demand);
  keys.Refuse(registry_bound::kMaxAge,
              "has no meaning where \"log\" is \"off\": nothing proves when a key signed");
  if (demand.tag_order == registry_bound::TagOrder::kRefuse) {
    keys.Warn(keys.PlaceOf(registry_bound::kTagOrder),
              "\"tag_order\" refuses nothing where \"log\" is \"off\": no time is proven then");
  }
}

std::string ReadSource(KeyReader& keys) {
  const auto source = keys.String(kSource);
  if (!source || source->value.empty()) return {};
  if (registry_bound::IsRepository(source->value)) return source->value;
  keys.Wrong(source->at, fmt::format("\"{}\" is the full name of a repository, such as "
                                     "\"registry.acme.example/signatures\", without a tag",
                                     kSource));
  return {};
}

// trust/RULES.md#mirrors
std::optional<ImagePattern> ReadSignedAs(KeyReader& keys, const SigstoreDemand& demand) {
  const auto text = keys.String(kSignedAs);
  if (!text) return std::nullopt;
  auto pattern = ImagePattern::ParseMapping(text->value);
  if (!pattern) {
    keys.Wrong(text->at, fmt::format("\"{}\": {}", kSignedAs, pattern.error().detail));
    return std::nullopt;
  }
  if (!demand.takes_legacy) {
    keys.Warn(text->at, fmt::format("\"{}\" changes nothing: a bundle bears no name", kSignedAs));
  }
  return *std::move(pattern);
}

// Of everything that the verdict over a signature depends on, each part with its size, so that no
// two demands run together.
Sha256 FingerprintOf(const SigstoreDemand& demand, const SigstoreTrust* trust) {
  std::string all;
  const auto put = [&](std::string_view part) {
    all += std::to_string(part.size()) + ':';
    all.append(part);
  };
  const auto count = [&](std::size_t number) { put(std::to_string(number)); };
  put(demand.takes_bundles ? "bundle" : "");
  put(demand.takes_legacy ? "legacy" : "");
  count(demand.image.signer.logs);
  put(demand.tag_order == registry_bound::TagOrder::kRefuse ? "in order" : "");
  put(std::to_string(demand.max_age.count()));
  put(demand.image.annotations.Written());
  if (const auto* by_key = std::get_if<KeyDemand>(&demand.image.signer.who)) {
    put("keys");
    for (const VerificationKey& key : by_key->keys) put(key.spki());
  } else {
    const auto& keyless = std::get<KeylessDemand>(demand.image.signer.who);
    put("identities");
    for (const std::size_t number :
         {keyless.certificate_logs, keyless.times, keyless.signed_times}) {
      count(number);
    }
    for (const WantedIdentity& identity : keyless.identities) {
      put(identity.issuer.text());
      put(identity.subject.text());
    }
  }
  if (demand.NeedsRoot() && trust != nullptr) {
    put(ToHex(trust->sha256));
    // How long such a root counts is for who publishes it to say, whatever stands in it.
    put(trust->from ? trust->from->trust : "");
    put(trust->from ? trust->from->target : "");
  }
  return Sha256Of(all);
}

// `trusted_root = { tuf = "LABEL", target = "trusted_root.json" }`
SharedDemand ReadRootFromTuf(KeyReader& keys) {
  const auto table = keys.Table(kTrustedRoot);
  if (!table) return nullptr;
  RootFromTuf from{.trust = {}, .target = kTrustedRootTarget};
  if (!table->Has(kTuf)) {
    table->Missing(kTuf, "the label of the [trust.*] of kind = \"tuf\" that has it");
  }
  if (const auto label = table->String(kTuf)) from.trust = label->value;
  if (const auto target = table->String(kTarget)) from.target = target->value;
  table->Finish();
  if (from.trust.empty()) return nullptr;
  const auto trust = std::make_shared<SigstoreTrust>();
  trust->from = std::move(from);
  return trust;
}

// What a trusted root has to hold for that demand; empty: it does.
std::string LackOf(const SigstoreDemand& demand) {
  const TrustedRoot& root = demand.image.signer.root;
  if (root.logs.empty() && root.certificate_authorities.empty()) {
    return "identities and logs hang from a trusted root, and there is none";
  }
  if (demand.image.signer.logs > root.logs.size()) {
    return "\"log\" wants more transparency logs than the trusted root knows";
  }
  const auto* keyless = std::get_if<KeylessDemand>(&demand.image.signer.who);
  if (keyless == nullptr) return "";
  if (root.certificate_authorities.empty()) return "the trusted root has no certificate authority";
  if (keyless->certificate_logs > root.certificate_logs.size()) {
    return "\"scts\" wants more certificate transparency logs than the trusted root knows";
  }
  if (keyless->signed_times > 0 && root.timestamp_authorities.empty()) {
    return "\"signed_timestamps\" wants a timestamp authority, and the trusted root has none";
  }
  return "";
}

}  // namespace

const std::vector<std::string>& SigstoreRuleKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {kKeys,
                                    kIdentities,
                                    kFormats,
                                    kLog,
                                    kLogs,
                                    kScts,
                                    kTimestamps,
                                    kSignedTimestamps,
                                    registry_bound::kAnnotations,
                                    registry_bound::kTagOrder,
                                    registry_bound::kMaxAge,
                                    kSource,
                                    kSignedAs};
    return all;
  }();
  return keys;
}

RuleDemand ReadSigstoreDemand(KeyReader& keys) {
  const auto demand = std::make_shared<SigstoreDemand>();
  ReadWhoSigns(keys, demand->image.signer);
  ReadFormats(keys, *demand);
  demand->image.annotations = registry_bound::ReadAnnotations(keys);
  ReadTimes(keys, *demand);
  demand->source = ReadSource(keys);
  std::optional<ImagePattern> signed_as = ReadSignedAs(keys, *demand);
  demand->fingerprint = FingerprintOf(*demand, nullptr);
  return {demand, std::move(signed_as)};
}

const std::vector<std::string>& SigstoreTrustKeys() {
  static const std::vector<std::string> keys = {kTrustedRoot};
  return keys;
}

SharedDemand ReadSigstoreTrust(KeyReader& keys) {
  if (keys.IsTable(kTrustedRoot)) return ReadRootFromTuf(keys);
  const auto file = keys.ReadFile(kTrustedRoot);
  if (!file) return nullptr;
  auto root = TrustedRoot::Parse(file->content);
  if (!root) {
    keys.WrongFile(*file, fmt::format("\"{}\": {} is no trusted_root.json of sigstore: {}",
                                      kTrustedRoot, file->path, root.error().detail));
    return nullptr;
  }
  const auto trust = std::make_shared<SigstoreTrust>();
  trust->root = *std::move(root);
  trust->sha256 = Sha256Of(file->content);
  return trust;
}

Result<void> CheckTrustedRoot(std::string_view bytes) {
  const auto root = TrustedRoot::Parse(bytes);
  if (!root) {
    return Fail(Reason::kMalformed, "no trusted_root.json of sigstore: " + root.error().detail);
  }
  if (root->certificate_authorities.empty()) {
    return Fail(Reason::kMalformed, "a trusted_root.json without a certificate authority");
  }
  return {};
}

Result<SharedDemand> WithRoot(const SigstoreTrust& trust, const PublishedFile& file) {
  if (auto checked = CheckTrustedRoot(*file.bytes); !checked) {
    return tl::unexpected(checked.error());
  }
  auto with = std::make_shared<SigstoreTrust>();
  with->root = TrustedRoot::Parse(*file.bytes).value();
  with->sha256 = file.sha256;
  with->from = trust.from;
  if (with->from) with->from->until = file.until;
  return SharedDemand(std::move(with));
}

SharedDemand DemandUnder(const SharedDemand& trust, const SharedDemand& rule) {
  const SigstoreDemand& read = AsSigstore(*rule);
  if (!read.NeedsRoot()) return rule;
  const auto& own = static_cast<const SigstoreTrust&>(*trust);
  auto demand = std::make_shared<SigstoreDemand>();
  demand->image = read.image;
  demand->image.signer.root = own.root;
  demand->takes_bundles = read.takes_bundles;
  demand->takes_legacy = read.takes_legacy;
  demand->tag_order = read.tag_order;
  demand->max_age = read.max_age;
  demand->root_from = own.from;
  demand->source = read.source;
  demand->fingerprint = FingerprintOf(*demand, &own);
  return demand;
}

std::string WrongForRoot(const Demand& rule) {
  const SigstoreDemand& demand = AsSigstore(rule);
  if (!demand.NeedsRoot() || demand.root_from) return "";
  const std::string lack = LackOf(demand);
  if (lack.empty()) return "";
  return lack + ": its [trust.*] says which file that is, as trusted_root";
}

}  // namespace crivet::trust::sigstore
