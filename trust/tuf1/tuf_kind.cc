// SPDX-License-Identifier: Apache-2.0
#include "trust/tuf1/tuf_kind.h"

#include <utility>

#include "trust/tuf/read_gun.h"
#include "trust/tuf1/read_demand.h"
#include "trust/tuf1/stored_repository.h"
#include "trust/tuf1/tuf_demand.h"
#include "trust/tuf1/tuf_refresh.h"

namespace crivet::trust {
namespace {

// One repository speaks for every image that its rules match.
constexpr std::string_view kCollection = "*";
constexpr std::string_view kFirstRoot = "1.root.json";

class Tuf final : public Kind {
 public:
  std::string_view name() const override { return "tuf"; }

  const std::vector<std::string>& rule_keys() const override { return tuf1::TufRuleKeys(); }
  std::string_view signed_as_key() const override { return kGunKey; }
  RuleDemand ReadDemand(KeyReader& keys) const override { return tuf1::ReadTufDemand(keys); }
  const std::vector<std::string>& trust_keys() const override { return tuf1::TufTrustKeys(); }
  SharedDemand ReadTrust(KeyReader& keys) const override { return tuf1::ReadTufTrust(keys); }
  SharedDemand Under(const SharedDemand& trust, SharedDemand rule) const override {
    auto demand = std::make_shared<tuf1::TufDemand>(tuf1::AsTuf(*rule).target);
    demand->digest_target = tuf1::AsTuf(*rule).digest_target;
    demand->roles = tuf1::AsTuf(*rule).roles;
    demand->signers = tuf1::AsTuf(*rule).signers;
    demand->grace = tuf1::AsTuf(*rule).grace;
    demand->trust = std::static_pointer_cast<const tuf1::TufTrust>(trust);
    return demand;
  }
  std::string WrongFor(const Demand& demand,
                       const std::vector<ImagePattern>& images) const override {
    return tuf1::WrongForImages(demand, images);
  }
  bool IsOfOneRepository() const override { return false; }

  std::string_view files_url_key() const override { return tuf1::kTargetsUrl; }
  std::string FilesBeside(const std::string& url) const override {
    const std::size_t host = url.find("://") + 3;
    const std::size_t last = url.rfind('/');
    return (last < host ? url : url.substr(0, last)) + "/targets";
  }
  std::optional<std::string> CollectionOfFiles() const override { return std::string(kCollection); }
  Result<SharedDemand> DemandOfFile(const SharedDemand& trust,
                                    const WantedFile& file) const override {
    if (std::string wrong = tuf1::TargetFile::WrongName(file.name); !wrong.empty()) {
      return Fail(Reason::kMalformed, "the name of a target that is read " + wrong);
    }
    return tuf1::DemandOfTarget(trust, {file.name, std::string(file.reader), file.check});
  }

  std::optional<std::string> CollectionFor(std::string_view /*signed_as*/) const override {
    return std::string(kCollection);
  }
  bool MayHold(const std::string& /*name*/, const ImagePattern& /*images*/) const override {
    return true;
  }
  std::optional<std::string> ParseName(std::string_view text) const override {
    return text == kCollection ? std::optional(std::string(text)) : std::nullopt;
  }

  bool MayBeFolder() const override { return true; }
  std::string_view file_of_folders() const override { return kFirstRoot; }
  std::optional<std::string> NameOfFolder(std::string_view /*place*/) const override {
    return std::string(kCollection);
  }

  Asks asks() const override { return Asks::kNamesToo; }
  std::unique_ptr<Refresh> Begin(RefreshStart start) const override {
    if (start.source == RefreshStart::Source::kStore) {
      return std::make_unique<tuf1::StoredRepository>(std::move(start));
    }
    return std::make_unique<tuf1::TufRefresh>(std::move(start));
  }
  bool IsAnchorFile(std::string_view stored_as) const override {
    return tuf1::IsStoredAnchor(stored_as);
  }
  FileRequest AnchorRequest(const CollectionId& /*id*/, const Limits& /*limits*/) const override {
    FileRequest request;
    request.path = "/" + std::string(kFirstRoot);
    request.file_names = {std::string(kFirstRoot)};
    request.max_bytes = tuf1::Caps{}.root_bytes;
    return request;
  }

  Result<AnchorText> DescribeAnchor(std::string file, const CollectionId& id,
                                    const std::string& image, const std::string& trust,
                                    TimePoint /*now*/) const override {
    const auto root = tuf1::ReadFirstRoot(std::move(file), {});
    if (!root) return tl::unexpected(root.error());
    AnchorText text;
    text.who.push_back("root version 1 of " + id.url + ", sha256 " + ToHex(root->sha256));
    std::string key_ids;
    for (const auto& [name, key] : root->content->KeysOf(tuf1::kRoot).keys) {
      if (!root->signers.contains(key.spki_sha256())) continue;
      text.who.push_back("root key " + ToHex(key.id()) + ", sha256 of its SubjectPublicKeyInfo " +
                         ToHex(key.spki_sha256()));
      key_ids += (key_ids.empty() ? "\"" : ", \"") + ToHex(key.id()) + "\"";
    }
    text.rule = {"# [trust." + trust + "] has the root: save " + id.url + "/1.root.json, compare",
                 "# its sha256 with the publisher's, and write there",
                 "#   root = { root_file = \"/etc/crivet/" + trust + ".root.json\" }",
                 "# or, where the publisher tells its keys,",
                 "#   root = { key_ids = [" + key_ids + "] }",
                 "# which is weaker: any one of them vouches for a first root, however many",
                 "# the publisher's own threshold asks for",
                 "images = [\"" + image + "\"]",
                 "action = \"verify\"",
                 "trust = \"" + trust + "\""};
    return text;
  }
  std::string NobodySigns(const Evidence& /*judged*/) const override { return ""; }
  std::string HowToSign(std::string_view image) const override {
    return "add the target " + std::string(image) + " to a role and publish its files";
  }
};

}  // namespace

const Kind& TufKind() {
  static const Tuf kind;
  return kind;
}

}  // namespace crivet::trust
