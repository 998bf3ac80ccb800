#include "trust/io/credentials.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "trust/core/json.h"
#include "trust/io/secret.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxConfigBytes = 1024 * 1024;

std::string_view HostOf(std::string_view key) {
  if (const auto scheme = key.find("://"); scheme != std::string_view::npos) {
    key.remove_prefix(scheme + 3);
  }
  return key.substr(0, key.find('/'));
}

std::string TextAt(JsonValue entry, std::string_view name) {
  const std::optional<JsonValue> value = entry.Find(name);
  return std::string(value ? value->AsString().value_or("") : "");
}

SharedCredentials CredentialsIn(JsonValue entry) {
  auto found = std::make_shared<RegistryCredentials>();
  found->username = TextAt(entry, "username");
  found->password = TextAt(entry, "password");
  found->identity_token = TextAt(entry, "identitytoken");
  found->registry_token = TextAt(entry, "registrytoken");
  std::string encoded = TextAt(entry, "auth");
  if (std::optional<std::string> pair = FromBase64(encoded)) {
    if (const auto colon = pair->find(':'); colon != std::string::npos) {
      found->username = pair->substr(0, colon);
      // Docker's own reader drops zero bytes that old writers padded with.
      found->password = pair->substr(colon + 1, pair->find('\0', colon) - colon - 1);
    }
    Wipe(*pair);
  }
  Wipe(encoded);
  return found;
}

Result<std::string> ReadWhole(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return Fail(Reason::kMalformed, "cannot read " + path);
  std::string content(kMaxConfigBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < content.size()) {
    got = read(file, content.data() + size, content.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  close(file);
  if (got < 0 || size > kMaxConfigBytes) {
    Wipe(content);
    return Fail(Reason::kMalformed, path + " cannot be read, or is too large");
  }
  content.resize(size);
  return content;
}

}  // namespace

RegistryCredentials::~RegistryCredentials() {
  Wipe(username);
  Wipe(password);
  Wipe(identity_token);
  Wipe(registry_token);
}

CredentialsClass ClassOf(const SharedCredentials& credentials) {
  if (!credentials) return CredentialsClass{};
  std::string all;
  for (const std::string* part : {&credentials->username, &credentials->password,
                                  &credentials->identity_token, &credentials->registry_token}) {
    all += std::to_string(part->size()) + ':' + *part;
  }
  const CredentialsClass result = Sha256Of(all);
  Wipe(all);
  return result;
}

Result<SharedCredentials> DockerCredentials(const std::string& path,
                                            const std::vector<std::string>& hosts) {
  Result<std::string> content = ReadWhole(path);
  if (!content) return tl::unexpected(std::move(content.error()));
  const Result<JsonDocument> document =
      JsonDocument::Parse(*content, JsonLimits{.max_bytes = kMaxConfigBytes});
  Wipe(*content);
  if (!document) return Fail(Reason::kMalformed, path + " is not a Docker config.json");
  const std::optional<JsonValue> auths = document->root().Find("auths");
  const std::optional<JsonMembers> entries = auths ? auths->AsObject() : std::nullopt;
  if (!entries) return SharedCredentials{};
  for (const std::string& host : hosts) {
    for (const JsonMember& member : *entries) {
      if (HostOf(member.name) == host) return CredentialsIn(member.value);
    }
  }
  return SharedCredentials{};
}

}  // namespace crivet::trust
