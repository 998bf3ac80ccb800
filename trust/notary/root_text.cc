// SPDX-License-Identifier: Apache-2.0
#include "trust/notary/root_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "trust/base/limits.h"
#include "trust/signed/envelope.h"
#include "trust/signed/signature_threshold.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

void DescribeKey(const PublicKey& key, bool signed_it, const std::string& name_of_collection,
                 TimePoint now, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  key {} ({}){}", key.canonical_id().ToString(), NameOf(key.type()),
                              signed_it ? ", signed it" : ""));
  if (key.id() != key.canonical_id()) {
    lines.push_back(fmt::format("    in this root.json it is {}", key.id().ToString()));
  }
  for (const Certificate& certificate : key.certificates()) {
    lines.push_back(
        fmt::format("    certificate of {}, issued by {}, {} {}", certificate.subject(),
                    certificate.subject() == certificate.issuer() ? "itself" : certificate.issuer(),
                    certificate.not_after() <= now ? "EXPIRED" : "valid until",
                    FormatRfc3339(certificate.not_after())));
  }
  if (!key.certificates().empty()) {
    const std::string& name = key.certificates().front().common_name();
    const bool matches = CommonNameMatches(name, name_of_collection);
    lines.push_back(fmt::format("    it names \"{}\"{}", name,
                                matches ? "" : ", which is NOT " + name_of_collection));
  }
}

}  // namespace

Result<AnchorText> DescribeRoot(const std::string& root_json, const CollectionId& id,
                                const std::string& image, const std::string& trust, TimePoint now) {
  const Limits limits;
  const auto envelope = Envelope::Parse(root_json, limits.root_bytes, limits);
  if (!envelope) return tl::unexpected(envelope.error());
  const auto root = Root::Parse(envelope->content(), limits);
  if (!root) return tl::unexpected(root.error());
  const AuthorizedKeys& keys = root->KeysOf(RoleName::Root());
  const auto signers = VerifySignatures(*envelope, keys);
  if (!signers) return tl::unexpected(signers.error());

  AnchorText text;
  text.who.push_back(fmt::format("root of {} at {}", id.name, id.url));
  text.who.push_back(fmt::format("  version {}, {} {}, {} of {} keys must sign", root->version(),
                                 root->expires() <= now ? "EXPIRED" : "expires",
                                 FormatRfc3339(root->expires()), keys.threshold,
                                 keys.CountListed()));
  if (!keys.unusable.empty()) {
    text.who.push_back(
        fmt::format("  {} of them of a kind that crivet cannot use", keys.unusable.size()));
  }
  std::string ids;
  for (const auto& [key_id, key] : keys.keys) {
    const bool signed_it = signers->contains(key_id);
    DescribeKey(key, signed_it, id.name, now, text.who);
    // Only a key that signed can match a pin.
    if (signed_it)
      ids += fmt::format("{}\"{}\"", ids.empty() ? "" : ", ", key.canonical_id().ToString());
  }
  text.who.emplace_back(
      "Nobody has vouched for it yet: compare the key with what the publisher tells you by another "
      "way (\"notary key list\" prints it), then paste the rule.");

  text.rule = {"[[rule]]", fmt::format("images = [\"{}\"]", image), "action = \"verify\"",
               fmt::format("trust  = \"{}\"", trust)};
  if (id.name != image) text.rule.push_back(fmt::format("gun    = \"{}\"", id.name));
  text.rule.push_back(fmt::format("root   = {{ key_ids = [{}] }}", ids));
  return text;
}

}  // namespace crivet::trust
