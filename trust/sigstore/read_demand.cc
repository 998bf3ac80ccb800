// SPDX-License-Identifier: Apache-2.0
#include "trust/sigstore/read_demand.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/sigstore/sigstore_demand.h"

namespace crivet::trust::sigstore {
namespace {

constexpr char kKeys[] = "keys";
constexpr char kFormats[] = "formats";
constexpr std::size_t kMaxKeys = 16;
// What cosign's users look for and this version does not have. None of it may be passed over:
// each of them asks for more than a good signature.
constexpr std::array kNotYet = {"identities", "log",       "logs",       "scts",
                                "timestamps", "signed_as", "source",     "signed_timestamps",
                                "max_age",    "tag_order", "annotations"};

std::vector<VerificationKey> ReadKeys(KeyReader& keys) {
  std::vector<VerificationKey> read;
  if (!keys.Has(kKeys) && keys.verifies()) {
    keys.Missing(kKeys,
                 "whom to believe: files with a public key each, as \"cosign public-key\" "
                 "prints it");
  }
  if (keys.HasEmptyArray(kKeys)) {
    keys.Wrong(keys.PlaceOf(kKeys), "\"keys\" must not be empty");
  }
  for (const KeyReader::File& file : keys.ReadFiles(kKeys)) {
    auto key = VerificationKey::FromPem(file.content);
    if (!key) {
      keys.Wrong(file.at, fmt::format("\"keys\": {} holds no public key that is accepted: {}",
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

// Of everything that the verdict over a signature depends on, each part with its size, so that no
// two demands run together.
Sha256 FingerprintOf(const SigstoreDemand& demand) {
  std::string all;
  const auto put = [&](std::string_view part) {
    all += std::to_string(part.size()) + ':';
    all.append(part);
  };
  put(demand.takes_bundles ? "bundle" : "");
  put(demand.takes_legacy ? "legacy" : "");
  for (const VerificationKey& key : std::get<KeyDemand>(demand.image.signer.who).keys) {
    put(key.spki());
  }
  return Sha256Of(all);
}

}  // namespace

const std::vector<std::string>& SigstoreRuleKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {kKeys, kFormats};
    all.insert(all.end(), kNotYet.begin(), kNotYet.end());
    return all;
  }();
  return keys;
}

RuleDemand ReadSigstoreDemand(KeyReader& keys) {
  const auto demand = std::make_shared<SigstoreDemand>();
  demand->image.signer.who = KeyDemand{ReadKeys(keys)};
  ReadFormats(keys, *demand);
  for (const char* key : kNotYet) {
    keys.Refuse(key, "is not supported by this version: signatures by \"keys\" are");
  }
  demand->fingerprint = FingerprintOf(*demand);
  return {demand, std::nullopt};
}

}  // namespace crivet::trust::sigstore
