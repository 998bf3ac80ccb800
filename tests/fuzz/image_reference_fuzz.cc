// SPDX-License-Identifier: Apache-2.0

// Whatever the text: parsing ends, and what is accepted has one canonical form that reads as
// itself.

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/require.h"
#include "trust/base/image_reference.h"
#include "trust/notary/gun.h"
#include "trust/tuf/role_name.h"

using namespace crivet::trust;

namespace {

void CheckReference(std::string_view text) {
  const auto reference = ImageReference::Parse(text);
  if (!reference) {
    Require(reference.error().reason == Reason::kNotAReference, "a refusal has its reason");
    return;
  }
  const auto again = ImageReference::Parse(reference->Canonical());
  Require(again.has_value(), "the canonical form is a reference");
  Require(again->Canonical() == reference->Canonical(), "the canonical form is stable");
  Require(again->repository() == reference->repository(), "canonicalising keeps the repository");
  Require(again->domain() == reference->domain(), "canonicalising keeps the domain");
  Require(reference->Canonical().find('\n') == std::string::npos, "no line breaks get through");

  const auto gun = Gun::Parse(reference->repository());
  Require(gun.has_value() && *gun == Gun::Of(*reference), "every repository is a GUN");
  Require(gun->text().find("..") == std::string::npos, "no GUN climbs");
  Require(gun->text().find("//") == std::string::npos, "no GUN has an empty part");

  const auto digest = Sha256Digest::FromHex(std::string(64, 'e')).value();
  const auto pinned = ImageReference::Parse(reference->PinnedTo(digest));
  Require(pinned.has_value() && pinned->digest() == digest, "a pinned name is a reference");
  Require(pinned->repository() == reference->repository(), "pinning keeps the repository");

  const auto tagged = reference->WithTag("t");
  Require(tagged.has_value() && tagged->Canonical() == reference->repository() + ":t",
          "a tag can be given to every name");
}

void CheckRole(std::string_view text) {
  const auto role = RoleName::Parse(text);
  if (!role) return;
  Require(role->text() == text, "a role keeps its name");
  Require(role->text().size() < 256, "a role's name is short");
  for (auto parent = role->parent(); parent; parent = parent->parent()) {
    Require(RoleName::Parse(parent->text()).has_value(), "the parent of a role is a role");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  CheckReference(text);
  CheckRole(text);
  if (IsImageId(text)) Require(text.size() == 71, "an image ID has its full length");
  return 0;
}
