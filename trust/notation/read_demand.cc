// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/read_demand.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/notation/notation_demand.h"
#include "trust/signed/certificate_usage.h"

namespace crivet::trust::notation {
namespace {

constexpr char kIdentities[] = "identities";
constexpr char kCa[] = "ca";
constexpr char kSigningAuthority[] = "signing_authority";
constexpr char kTsa[] = "tsa";
constexpr char kVerifyTimestamp[] = "verify_timestamp";
constexpr char kRevocation[] = "revocation";
constexpr char kCrlFiles[] = "crl_files";
constexpr std::size_t kMaxIdentities = 64;
constexpr std::size_t kMaxLists = 64;

// Each part with its size, so that no two texts run together.
void Put(std::string& all, std::string_view part) {
  all += std::to_string(part.size()) + ':';
  all.append(part);
}

// The certificates of all files that a store names (trust/notation/FORMAT.md#stores).
CertificateSet ReadStore(KeyReader& keys, const char* key) {
  std::vector<Certificate> all;
  if (keys.HasEmptyArray(key)) {
    keys.Wrong(keys.PlaceOf(key), fmt::format("\"{}\" must not be empty", key));
  }
  for (const KeyReader::File& file : keys.ReadFiles(key)) {
    const auto read = CertificateSet::Parse(file.content);
    if (!read) {
      keys.WrongFile(file, fmt::format("\"{}\": {} holds no certificates: {}", key, file.path,
                                       read.error().detail));
      continue;
    }
    for (const Certificate& certificate : read->certificates()) {
      if (!certificate.is_ca() && !IsSelfIssued(certificate)) {
        keys.WrongFile(file,
                       fmt::format("\"{}\": {} is about {}, which is no authority: name those "
                                   "that it hangs from here, and itself in a rule's "
                                   "identities",
                                   key, file.path, certificate.subject()));
      }
      all.push_back(certificate);
    }
  }
  if (all.size() > CertificateSet::kMaxCertificates) {
    keys.Wrong(keys.PlaceOf(key), fmt::format("\"{}\" has more than {} certificates", key,
                                              CertificateSet::kMaxCertificates));
  }
  return CertificateSet(std::move(all));
}

std::vector<RevocationList> ReadLists(KeyReader& keys) {
  std::vector<RevocationList> lists;
  if (!keys.Has(kCrlFiles)) {
    keys.Missing(kCrlFiles, "files with the revocation list of each authority, PEM or DER");
  }
  if (keys.HasEmptyArray(kCrlFiles)) {
    keys.Wrong(keys.PlaceOf(kCrlFiles), "\"crl_files\" must not be empty");
  }
  for (const KeyReader::File& file : keys.ReadFiles(kCrlFiles)) {
    auto list = RevocationList::Parse(file.content);
    if (!list) {
      keys.WrongFile(
          file, fmt::format("\"crl_files\": {} is not used: {}", file.path, list.error().detail));
    } else if (lists.size() == kMaxLists) {
      keys.Wrong(file.at, fmt::format("\"crl_files\" has more than {} files", kMaxLists));
      break;
    } else {
      lists.push_back(*std::move(list));
    }
  }
  return lists;
}

void ReadRevocation(KeyReader& keys, ImageDemand& stores) {
  const auto revocation = keys.String(kRevocation);
  const bool by_lists = revocation && revocation->value == "crl";
  if (revocation && !by_lists && revocation->value != "off") {
    keys.Wrong(revocation->at, "\"revocation\" is \"off\" or \"crl\"");
    return;
  }
  if (by_lists) {
    stores.revocations = ReadLists(keys);
  } else {
    keys.Refuse(kCrlFiles, "has no meaning unless revocation = \"crl\"");
  }
}

void ReadTimestamps(KeyReader& keys, ImageDemand& stores) {
  stores.timestamp_authorities = ReadStore(keys, kTsa);
  if (!keys.Has(kTsa)) {
    keys.Refuse(kVerifyTimestamp, "has no meaning without \"tsa\": no timestamp is believed");
    return;
  }
  const auto when = keys.String(kVerifyTimestamp);
  if (!when || when->value == "always") return;
  if (when->value == "after-cert-expiry") {
    stores.timestamps = ImageDemand::Timestamps::kAfterExpiry;
  } else {
    keys.Wrong(when->at, "\"verify_timestamp\" is \"always\" or \"after-cert-expiry\"");
  }
}

std::string FingerprintOf(const ImageDemand& stores) {
  std::string all;
  for (const CertificateSet* store :
       {&stores.authorities, &stores.signing_authorities, &stores.timestamp_authorities}) {
    Put(all, std::to_string(store->certificates().size()));
    for (const Certificate& certificate : store->certificates()) {
      Put(all, ToHex(certificate.sha256()));
    }
  }
  Put(all, stores.timestamps == ImageDemand::Timestamps::kAlways ? "always" : "after-cert-expiry");
  Put(all, stores.revocations ? "crl" : "off");
  if (!stores.revocations) return all;
  for (const RevocationList& list : *stores.revocations) Put(all, ToHex(list.sha256()));
  return all;
}

}  // namespace

const std::vector<std::string>& NotationRuleKeys() {
  static const std::vector<std::string> keys = {kIdentities, registry_bound::kAnnotations,
                                                registry_bound::kTagOrder, registry_bound::kMaxAge};
  return keys;
}

RuleDemand ReadNotationDemand(KeyReader& keys) {
  const auto demand = std::make_shared<NotationDemand>();
  std::string all;
  if (!keys.Has(kIdentities) && keys.verifies()) {
    keys.Missing(kIdentities,
                 "whom to believe: \"x509.subject: C=..., ST=..., O=...\", attributes of the "
                 "signer's certificate");
  }
  if (keys.HasEmptyArray(kIdentities)) {
    keys.Wrong(keys.PlaceOf(kIdentities), "\"identities\" must not be empty");
  }
  if (const auto identities = keys.Strings(kIdentities)) {
    for (const KeyReader::Text& text : *identities) {
      auto identity = TrustedIdentity::Parse(text.value);
      if (!identity) {
        keys.Wrong(text.at, fmt::format("\"identities\": {}", identity.error().detail));
        continue;
      }
      if (demand->wanted.identities.size() == kMaxIdentities) {
        keys.Wrong(text.at, fmt::format("\"identities\" has more than {} entries", kMaxIdentities));
        break;
      }
      if (text.value == "*") {
        keys.Warn(text.at,
                  "\"*\" believes everybody who has a certificate of any authority of the stores");
      }
      demand->wanted.identities.push_back(*std::move(identity));
      Put(all, text.value);
    }
  }
  demand->annotations = registry_bound::ReadAnnotations(keys);
  Put(all, demand->annotations.Written());
  demand->tag_order = registry_bound::ReadTagOrder(keys);
  Put(all, demand->tag_order == registry_bound::TagOrder::kRefuse ? "in order" : "");
  demand->max_age = registry_bound::ReadMaxAge(keys);
  Put(all, std::to_string(demand->max_age.count()));
  demand->fingerprint = Sha256Of(all);
  return {demand, std::nullopt};
}

const std::vector<std::string>& NotationTrustKeys() {
  static const std::vector<std::string> keys = {kCa,         kSigningAuthority, kTsa,
                                                kRevocation, kCrlFiles,         kVerifyTimestamp};
  return keys;
}

SharedDemand ReadNotationTrust(KeyReader& keys) {
  const auto trust = std::make_shared<NotationTrust>();
  trust->stores.authorities = ReadStore(keys, kCa);
  trust->stores.signing_authorities = ReadStore(keys, kSigningAuthority);
  if (!keys.Has(kCa) && !keys.Has(kSigningAuthority)) {
    keys.Missing(kCa,
                 "files with the certificates of authorities that signers' own hang from; or "
                 "\"signing_authority\"");
  }
  ReadTimestamps(keys, trust->stores);
  ReadRevocation(keys, trust->stores);
  trust->fingerprint = FingerprintOf(trust->stores);
  trust->stores.known_chains = std::make_shared<ChainMemory>();
  return trust;
}

SharedDemand DemandUnder(const SharedDemand& trust, const SharedDemand& rule) {
  const auto& own = static_cast<const NotationTrust&>(*trust);
  const NotationDemand& read = AsNotation(*rule);
  auto demand = std::make_shared<NotationDemand>();
  demand->wanted = own.stores;
  demand->wanted.identities = read.wanted.identities;
  demand->annotations = read.annotations;
  demand->tag_order = read.tag_order;
  demand->max_age = read.max_age;
  std::string all;
  Put(all, own.fingerprint);
  Put(all, ToHex(read.fingerprint));
  demand->fingerprint = Sha256Of(all);
  return demand;
}

std::string WrongForStores(const Demand& demand) {
  const NotationDemand& own = AsNotation(demand);
  if (own.max_age.count() == 0 || own.ProvesTimes()) return "";
  return "\"max_age\" wants to know when a signature was made, which nobody proves: its [trust.*] "
         "has neither \"tsa\" nor \"signing_authority\"";
}

}  // namespace crivet::trust::notation
