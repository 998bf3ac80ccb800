// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/pull_secret.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "trust/decide/kind.h"

namespace crivet::trust {
namespace {

std::string_view RegistryOf(std::string_view repository) {
  return repository.substr(0, repository.find('/'));
}

bool HasAny(const RegistryCredentials& credentials) {
  return !credentials.username.empty() || !credentials.password.empty() ||
         !credentials.identity_token.empty() || !credentials.registry_token.empty();
}

}  // namespace

std::optional<std::string_view> RegistryNamedBy(const ImagePattern& pattern) {
  const WildcardSteps& steps = pattern.steps();
  if (steps.empty() || steps.front().kind != WildcardStep::Kind::kLiteral) return std::nullopt;
  return steps.front().literal;
}

PullSecret::PullSecret(const ImageReference& image,
                       const std::optional<RegistryCredentials>& credentials)
    : registry_(RegistryOf(image.repository())) {
  if (credentials && HasAny(*credentials)) {
    credentials_ = std::make_shared<const RegistryCredentials>(*credentials);
  }
}

PullSecret::PullSecret(const std::string& collection, SharedCredentials credentials)
    : registry_(RegistryOf(collection)), credentials_(std::move(credentials)) {}

SharedCredentials PullSecret::For(const Rule& rule, const Member& member,
                                  const std::string& collection) const {
  if (rule.action != Action::kVerify) return nullptr;
  if (member.signed_as && member.kind->IsFoundAsSigned()) return nullptr;
  if (RegistryOf(collection) != registry_) return nullptr;
  // It is asked whom the pull itself asks.
  if (member.kind->server() == Kind::Server::kImageRegistry) return credentials_;
  const bool named =
      std::any_of(rule.images.begin(), rule.images.end(), [&](const ImagePattern& pattern) {
        return RegistryNamedBy(pattern) == registry_ && pattern.Matches(collection);
      });
  return named ? credentials_ : nullptr;
}

}  // namespace crivet::trust
