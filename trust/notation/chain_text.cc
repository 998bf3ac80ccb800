// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/chain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "trust/base/bytes.h"
#include "trust/base/quoted.h"
#include "trust/notation/image_signature.h"
#include "trust/notation/notation_dialect.h"
#include "trust/notation/parse_envelope.h"
#include "trust/notation/trusted_identity.h"
#include "trust/signed/certificate_usage.h"

namespace crivet::trust::notation {
namespace {

constexpr std::size_t kMostShown = 8;

void DescribeCertificate(const Certificate& certificate, std::string_view what, TimePoint now,
                         std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  {} {}", what, Quoted(certificate.subject())));
  lines.push_back(fmt::format("    SHA-256 {}", ToHex(certificate.sha256())));
  lines.push_back(fmt::format("    valid from {}, {} {}", FormatRfc3339(certificate.not_before()),
                              certificate.not_after() < now ? "ENDED" : "until",
                              FormatRfc3339(certificate.not_after())));
}

void DescribeEnvelope(const Envelope& envelope, TimePoint now, std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < envelope.chain.size(); ++i) {
    const bool last = i + 1 == envelope.chain.size();
    DescribeCertificate(envelope.chain[i],
                        i == 0 ? "signer"
                        : last ? "root"
                               : "issuer",
                        now, lines);
  }
  const bool of_authority = envelope.scheme == SigningScheme::kSigningAuthority;
  lines.push_back(fmt::format(
      "  scheme notary.x509{}, {}, signed at {} {}{}", of_authority ? ".signingAuthority" : "",
      envelope.timestamp.empty() ? "no timestamp" : "timestamped",
      FormatRfc3339(envelope.signing_time),
      of_authority ? "as the authority says" : "as the signer says",
      envelope.expiry ? ", expires " + FormatRfc3339(*envelope.expiry) : std::string()));
}

// Whether its parts go together: the chain, the signature, the image. Whose it is stays open.
SignatureResult<void> HoldsTogether(const LaidEnvelope& laid, const Envelope& envelope,
                                    const Sha256Digest& image, TimePoint now) {
  if (envelope.chain.empty()) {
    return RefuseSignature(SignatureReason::kUntrustedRoot, "it has no certificates");
  }
  ImageDemand demand;
  const CertificateSet root({envelope.chain.back()});
  demand.authorities = root;
  demand.signing_authorities = root;
  demand.identities = {*TrustedIdentity::Parse("*")};
  demand.ageing = ImageDemand::Ageing::kIgnore;
  const auto verified = VerifyEnvelope(
      envelope, {.digest = image, .size = laid.image.size, .media_type = laid.image.media_type},
      demand, now);
  if (!verified) return tl::unexpected(verified.error());
  return {};
}

// RFC 4514 2.4.
std::string Escaped(std::string_view value) {
  constexpr std::string_view kSpecial = "\"+,;<>=\\";
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const bool at_end = i == 0 || i + 1 == value.size();
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      text += fmt::format("\\{:02x}", static_cast<unsigned>(c));
      continue;
    }
    if (kSpecial.find(c) != std::string_view::npos || (at_end && c == ' ') ||
        (i == 0 && c == '#')) {
      text += '\\';
    }
    text += c;
  }
  return text;
}

// The identity that accepts this subject; empty where none does but anybody's.
std::string IdentityOf(const Certificate& leaf) {
  const auto subject = SubjectOf(leaf);
  if (!subject) return {};
  std::string text = "x509.subject:";
  for (const NameAttribute& attribute : *subject) {
    const bool twice = std::count_if(subject->begin(), subject->end(), [&](const auto& other) {
                         return other.type == attribute.type;
                       }) > 1;
    if (twice) continue;
    text += fmt::format("{} {}={}", text.back() == ':' ? "" : ",", attribute.type,
                        Escaped(attribute.value));
  }
  const auto identity = TrustedIdentity::Parse(text);
  return identity && identity->Accepts(*subject) ? text : std::string();
}

// TOML's basic string.
std::string InToml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// What the signatures that hold together would have a rule believe.
struct Believed {
  std::set<std::string> identities;
  std::vector<Certificate> roots;
  std::vector<Certificate> authority_roots;
};

void Believe(const Envelope& envelope, Believed& all, std::vector<std::string>& lines) {
  const std::string identity = IdentityOf(envelope.chain.front());
  if (identity.empty()) {
    lines.emplace_back(
        "  its subject has not C, ST and O once each: only identities = [\"*\"] would accept it");
    return;
  }
  all.identities.insert(identity);
  auto& roots = envelope.scheme == SigningScheme::kX509 ? all.roots : all.authority_roots;
  const Certificate& root = envelope.chain.back();
  if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
}

void WriteStore(const char* key, const std::vector<Certificate>& roots, const std::string& trust,
                std::vector<std::string>& lines) {
  if (roots.empty()) return;
  const std::string file = fmt::format("/etc/crivet/{}-{}.pem", trust, key);
  lines.push_back(fmt::format("{} = [\"{}\"]", key, file));
  lines.push_back(fmt::format("# Into {}, once somebody else has told you the same:", file));
  for (const Certificate& root : roots) {
    lines.push_back(fmt::format("# {}, SHA-256 {}", Quoted(root.subject()), ToHex(root.sha256())));
    const std::string pem = CertificateSet({root}).ToPem();
    for (std::size_t at = 0; at < pem.size();) {
      const std::size_t end = pem.find('\n', at);
      lines.push_back("# " + pem.substr(at, end - at));
      at = end + 1;
    }
  }
}

void WriteRule(const Believed& all, const std::string& repository, const std::string& trust,
               AnchorText& text) {
  WriteStore("ca", all.roots, trust, text.trust);
  WriteStore("signing_authority", all.authority_roots, trust, text.trust);
  std::string identities;
  for (const std::string& identity : all.identities) {
    identities += (identities.empty() ? "" : ", ") + InToml(identity);
  }
  text.rule = {"[[rule]]", fmt::format("images     = [\"{}\"]", repository),
               "action     = \"verify\"", fmt::format("trust      = \"{}\"", trust),
               fmt::format("identities = [{}]", identities)};
}

}  // namespace

Result<AnchorText> DescribeSigners(const std::vector<registry_bound::SignatureBytes>& signatures,
                                   const Sha256Digest& image, const std::string& repository,
                                   const std::string& trust, TimePoint now) {
  AnchorText text;
  Believed all;
  std::string why = "nothing there is a signature";
  for (const auto& signature : signatures) {
    if (text.who.size() > kMostShown * 16) break;
    const auto laid = LaidEnvelope::Of(signature);
    if (!laid) continue;
    text.who.push_back(fmt::format("a signature of {}, {}", image.ToString(), laid->media_type));
    const auto envelope = ParseEnvelope(laid->media_type, laid->envelope);
    if (!envelope) {
      why = envelope.error().detail;
      text.who.push_back("  it cannot be read: " + Quoted(why));
      continue;
    }
    DescribeEnvelope(*envelope, now, text.who);
    if (auto holds = HoldsTogether(*laid, *envelope, image, now); !holds) {
      why = holds.error().detail;
      text.who.push_back("  IT DOES NOT VERIFY, whoever is believed: " + Quoted(why));
      continue;
    }
    Believe(*envelope, all, text.who);
  }
  if (all.identities.empty()) return Fail(Reason::kUnsigned, why);
  text.who.emplace_back(
      "NOBODY HAS VERIFIED whose certificates these are: whoever may push to the registry could "
      "have made them.");
  text.who.emplace_back(
      "Compare the SHA-256 of the root, and the subject, with what the publisher tells you by "
      "another way, before you paste:");
  WriteRule(all, repository, trust, text);
  return text;
}

}  // namespace crivet::trust::notation
