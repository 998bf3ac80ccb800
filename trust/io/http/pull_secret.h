// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "trust/base/image_reference.h"
#include "trust/decide/image_pattern.h"
#include "trust/decide/policy.h"
#include "trust/io/http/credentials.h"

namespace crivet::trust {

/// RegistryNamedBy is the registry that a pattern names letter by letter; nothing where a wildcard
/// stands for it, or for a part of it. Pure.
std::optional<std::string_view> RegistryNamedBy(const ImagePattern& pattern);

/// PullSecret is what a pod's pull carried, bound to the registry that it is for. For is the only
/// way out of it: a trust server belongs to somebody else than the registry, so the secret goes to
/// it only where a rule names that registry for it, and never by a pod's choice of a name. Where
/// what is signed lies in that registry itself, it goes there. A value; thread-safe.
class PullSecret {
 public:
  /// Nothing.
  PullSecret() = default;
  /// Of a pull of `image`. Nothing where the credentials are empty.
  PullSecret(const ImageReference& image, const std::optional<RegistryCredentials>& credentials);
  /// Credentials that For gave for `collection`, to be asked for again.
  PullSecret(const std::string& collection, SharedCredentials credentials);

  bool empty() const { return credentials_ == nullptr; }

  /// What may be sent to the trust server of one member of `rule` when it is asked for
  /// `collection`: the secret where the collection lies in its own registry, images have their own
  /// names there (no mapping), and a pattern of the rule that covers it names that registry letter
  /// by letter. Null otherwise, and so always under a default.
  /// For a kind that asks the image's own registry: the secret, where it is that registry's.
  SharedCredentials For(const Rule& rule, const Member& member,
                        const std::string& collection) const;

  friend CredentialsClass ClassOf(const PullSecret& secret) { return ClassOf(secret.credentials_); }

 private:
  std::string registry_;
  SharedCredentials credentials_;
};

}  // namespace crivet::trust
