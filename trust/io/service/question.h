// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "trust/base/image_reference.h"
#include "trust/decide/policy.h"
#include "trust/decide/trusted_set.h"
#include "trust/decide/verdict.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// Question is one thing that the gate or the command line wants to know.
struct Question {
  ImageReference reference;
  PodNamespace pod_namespace = NoNamespace{};
  /// Unset: which digest may be pulled. Set: may this content count as `reference`?
  std::optional<Sha256Digest> local;
  /// Of `local`: whether it is what the runtime has under `reference` itself. Kinds for which a tag
  /// is the registry's word take that for it, as it was when somebody brought the image here.
  NameHere name_here = NameHere::kUnknown;
  /// Set: which digest the name has been decided to be, so that only that is asked about, by kinds
  /// for which a tag is the registry's word (trust/RULES.md#the-registrys-word). Not with `local`.
  std::optional<Sha256Digest> named = std::nullopt;
  /// What the PullImage of `reference` carried. Goes where PullSecret::For lets it.
  std::optional<RegistryCredentials> credentials;
  enum class Reach : std::uint8_t {
    kRefresh,  ///< from memory; a miss or a stale set waits for one bounded refresh
               ///< (trust/RULES.md#records)
    kOffline,  ///< memory and store only
    kForce,    ///< one refresh first, whatever is in memory (`crivet verify`, `warm`)
  } reach = Reach::kRefresh;
  /// Set: only this member of this rule is asked, whatever rule the name has. Of the service's own
  /// policy: what a configuration says of a rule lacks the files of other trusts.
  struct Member {
    AppliedRule applied;
    std::size_t index;
  };
  std::optional<Member> of_member = std::nullopt;
  /// Set: within which a registry has to have confirmed what is kept of signatures, whatever the
  /// rule says (Rule::confirmed_max_age): who asks so has it confirmed before that counts.
  std::chrono::seconds confirmed_within{0};
};

/// Takes the answer to a question.
using Answered = std::function<void(Decision)>;

}  // namespace crivet::trust
