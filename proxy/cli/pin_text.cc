// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/pin_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "trust/base/limits.h"
#include "trust/signed/envelope.h"
#include "trust/signed/signature_threshold.h"
#include "trust/tuf/metadata.h"

namespace crivet::proxy::cli {
namespace {

void DescribeKey(const trust::PublicKey& key, bool signed_it, const trust::Gun& gun,
                 trust::TimePoint now, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  key {} ({}){}", key.canonical_id().ToString(), NameOf(key.type()),
                              signed_it ? ", signed it" : ""));
  if (key.id() != key.canonical_id()) {
    lines.push_back(fmt::format("    in this root.json it is {}", key.id().ToString()));
  }
  for (const trust::Certificate& certificate : key.certificates()) {
    lines.push_back(
        fmt::format("    certificate of {}, issued by {}, {} {}", certificate.subject(),
                    certificate.subject() == certificate.issuer() ? "itself" : certificate.issuer(),
                    certificate.not_after() <= now ? "EXPIRED" : "valid until",
                    trust::FormatRfc3339(certificate.not_after())));
  }
  if (!key.certificates().empty()) {
    const std::string& name = key.certificates().front().common_name();
    lines.push_back(fmt::format(
        "    it names \"{}\"{}", name,
        trust::CommonNameMatches(name, gun) ? "" : fmt::format(", which is NOT {}", gun.text())));
  }
}

}  // namespace

trust::Result<PinText> DescribeRoot(const std::string& root_json, const Collection& collection,
                                    const std::string& repository, trust::TimePoint now) {
  const trust::Limits limits;
  const auto envelope = trust::Envelope::Parse(root_json, limits.root_bytes, limits);
  if (!envelope) return tl::unexpected(envelope.error());
  const auto root = trust::Root::Parse(envelope->content(), limits);
  if (!root) return tl::unexpected(root.error());
  const trust::AuthorizedKeys& keys = root->KeysOf(trust::RoleName::Root());
  const auto signers = trust::VerifySignatures(*envelope, keys);
  if (!signers) return tl::unexpected(signers.error());

  PinText text;
  const trust::Gun& gun = collection.id.gun;
  text.who.push_back(fmt::format("root of {} at {}", gun.text(), collection.id.url));
  text.who.push_back(fmt::format("  version {}, {} {}, {} of {} keys must sign", root->version(),
                                 root->expires() <= now ? "EXPIRED" : "expires",
                                 trust::FormatRfc3339(root->expires()), keys.threshold,
                                 keys.CountListed()));
  if (!keys.unusable.empty()) {
    text.who.push_back(
        fmt::format("  {} of them of a kind that crivet cannot use", keys.unusable.size()));
  }
  std::string ids;
  for (const auto& [id, key] : keys.keys) {
    const bool signed_it = signers->contains(id);
    DescribeKey(key, signed_it, gun, now, text.who);
    // Only a key that signed can match a pin.
    if (signed_it)
      ids += fmt::format("{}\"{}\"", ids.empty() ? "" : ", ", key.canonical_id().ToString());
  }
  text.who.emplace_back(
      "Nobody has vouched for it yet: compare the key with what the publisher tells you by another "
      "way (\"notary key list\" prints it), then paste the rule.");

  text.rule = {"[[rule]]", fmt::format("images = [\"{}\"]", repository), "action = \"verify\"",
               fmt::format("trust  = \"{}\"", collection.trust)};
  if (gun.text() != repository) text.rule.push_back(fmt::format("gun    = \"{}\"", gun.text()));
  text.rule.push_back(fmt::format("root   = {{ key_ids = [{}] }}", ids));
  return text;
}

}  // namespace crivet::proxy::cli
