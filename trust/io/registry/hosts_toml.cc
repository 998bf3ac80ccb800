// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/hosts_toml.h"

#include <algorithm>

#include "trust/base/quoted.h"
#include "trust/io/http/http_url.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxHosts = 32;
constexpr std::size_t kMaxEntries = 64;
constexpr std::string_view kOthersInHeaderName = "!#$%&'*+-.^_`|~";

using Failed = tl::unexpected<TomlError>;
template <typename T>
using Read = tl::expected<T, TomlError>;

Failed Wrong(TextPosition at, std::string what) { return Failed(TomlError{at, std::move(what)}); }

const TomlMember* Find(const TomlTable& table, std::string_view key) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [key](const TomlMember& member) { return member.key == key; });
  return found == table.end() ? nullptr : &*found;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

Read<std::vector<std::string>> TextsIn(const TomlMember& member) {
  if (const auto* text = std::get_if<std::string>(&member.value.value)) return std::vector{*text};
  const auto* array = std::get_if<TomlArray>(&member.value.value);
  if (array == nullptr)
    return Wrong(member.key_at, member.key + " must be a text or a list of texts");
  if (array->size() > kMaxEntries)
    return Wrong(member.key_at, member.key + " has too many entries");
  std::vector<std::string> texts;
  for (const TomlValue& each : *array) {
    const auto* text = std::get_if<std::string>(&each.value);
    if (text == nullptr) return Wrong(each.at, member.key + " must be a text or a list of texts");
    texts.push_back(*text);
  }
  return texts;
}

std::string Below(const std::string& folder, const std::string& path) {
  return path.starts_with('/') ? path : folder + '/' + path;
}

// As Go's path.Clean does.
std::string CleanPath(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string clean;
  for (const std::string_view part : parts) clean.append("/").append(part);
  return clean;
}

enum class ApiRoot : unsigned char { kBelowPath, kIsPath };

// `text` is what people write: an address, or a host alone, which means https.
Read<RegistryHost> ReadAddress(const std::string& text, TextPosition at, ApiRoot root) {
  RegistryHost host;
  const bool has_scheme = text.starts_with("http://") || text.starts_with("https://");
  const std::string address = has_scheme ? text : "https://" + text;
  const auto url = HttpUrl::Parse(address);
  if (!url || address.find('?') != std::string::npos) {
    return Wrong(
        at, Quoted(text) + " is not the address of a registry, such as https://mirror.example");
  }
  host.scheme = url->https ? "https" : "http";
  const std::string_view rest = std::string_view(address).substr(address.find("://") + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  host.authority = rest.substr(0, slash);
  host.path = CleanPath(rest.substr(slash));
  if (root == ApiRoot::kBelowPath && !host.path.ends_with("/v2")) host.path += "/v2";
  return host;
}

Read<RegistryHost::Capabilities> ReadCapabilities(const TomlMember& member) {
  if (std::holds_alternative<std::string>(member.value.value)) {
    return Wrong(member.key_at, "capabilities must be a list of texts");
  }
  const auto names = TextsIn(member);
  if (!names) return Failed(names.error());
  RegistryHost::Capabilities all;
  if (names->empty()) return all;
  RegistryHost::Capabilities named{.pull = false, .resolve = false, .referrers = false};
  for (const std::string& name : *names) {
    const std::string lower = Lowered(name);
    if (lower == "pull") {
      named.pull = true;
    } else if (lower == "resolve") {
      named.resolve = true;
    } else if (lower == "referrers") {
      named.referrers = true;
    } else if (lower != "push") {
      return Wrong(member.key_at, "capabilities has " + Quoted(name) +
                                      ", which is none of pull, resolve, push, referrers");
    }
  }
  return named;
}

Read<std::vector<RegistryHost::ClientPair>> ReadClients(const TomlMember& member,
                                                        const std::string& folder) {
  std::vector<RegistryHost::ClientPair> pairs;
  const auto both = [&](const std::string& path) {
    pairs.push_back({Below(folder, path), Below(folder, path)});
  };
  if (const auto* text = std::get_if<std::string>(&member.value.value)) {
    both(*text);
    return pairs;
  }
  const auto* array = std::get_if<TomlArray>(&member.value.value);
  if (array == nullptr) return Wrong(member.key_at, "client must be a text or a list");
  if (array->size() > kMaxEntries) return Wrong(member.key_at, "client has too many entries");
  for (const TomlValue& each : *array) {
    if (const auto* text = std::get_if<std::string>(&each.value)) {
      both(*text);
      continue;
    }
    const auto* pair = std::get_if<TomlArray>(&each.value);
    const auto* certificate = pair != nullptr && pair->size() == 2
                                  ? std::get_if<std::string>(&pair->front().value)
                                  : nullptr;
    const auto* key =
        certificate != nullptr ? std::get_if<std::string>(&pair->back().value) : nullptr;
    if (key == nullptr)
      return Wrong(each.at, "client must hold texts or pairs of certificate and key");
    pairs.push_back({Below(folder, *certificate),
                     key->empty() ? Below(folder, *certificate) : Below(folder, *key)});
  }
  return pairs;
}

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
           kOthersInHeaderName.find(c) != std::string_view::npos;
  });
}

// Anything else could end the line and begin another.
bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

Read<std::vector<RegistryHost::Header>> ReadHeaders(const TomlMember& member) {
  const auto* table = std::get_if<TomlTable>(&member.value.value);
  if (table == nullptr) return Wrong(member.key_at, "header must be a table");
  std::vector<RegistryHost::Header> headers;
  for (const TomlMember& each : *table) {
    auto values = TextsIn(each);
    if (!values) return Failed(values.error());
    const bool good =
        IsHeaderName(each.key) && std::all_of(values->begin(), values->end(), IsHeaderValue);
    if (!good)
      return Wrong(each.key_at, "header has " + Quoted(each.key) + ", which cannot be sent");
    if (headers.size() == kMaxEntries) return Wrong(each.key_at, "header has too many entries");
    headers.push_back({each.key, *std::move(values)});
  }
  return headers;
}

Read<bool> ReadBool(const TomlMember& member) {
  const auto* value = std::get_if<bool>(&member.value.value);
  if (value == nullptr) return Wrong(member.key_at, member.key + " must be true or false");
  return *value;
}

std::optional<TomlError> ReadOptions(const TomlTable& table, const std::string& folder,
                                     RegistryHost& host) {
  if (const TomlMember* member = Find(table, "capabilities")) {
    const auto read = ReadCapabilities(*member);
    if (!read) return read.error();
    host.capabilities = *read;
  }
  if (const TomlMember* member = Find(table, "ca")) {
    const auto read = TextsIn(*member);
    if (!read) return read.error();
    for (const std::string& path : *read) host.ca_files.push_back(Below(folder, path));
  }
  if (const TomlMember* member = Find(table, "client")) {
    auto read = ReadClients(*member, folder);
    if (!read) return read.error();
    host.clients = *std::move(read);
  }
  if (const TomlMember* member = Find(table, "skip_verify")) {
    const auto read = ReadBool(*member);
    if (!read) return read.error();
    host.skip_verify = *read;
  }
  if (const TomlMember* member = Find(table, "header")) {
    auto read = ReadHeaders(*member);
    if (!read) return read.error();
    host.headers = *std::move(read);
  }
  return std::nullopt;
}

Read<RegistryHost> ReadHost(const std::string& address, TextPosition at, const TomlTable& table,
                            const std::string& folder) {
  ApiRoot root = ApiRoot::kBelowPath;
  if (const TomlMember* member = Find(table, "override_path")) {
    const auto read = ReadBool(*member);
    if (!read) return Failed(read.error());
    if (*read) root = ApiRoot::kIsPath;
  }
  RegistryHost host;
  if (!address.empty()) {
    auto read = ReadAddress(address, at, root);
    if (!read) return read;
    host = *std::move(read);
  }
  if (auto wrong = ReadOptions(table, folder, host)) return Failed(*std::move(wrong));
  return host;
}

}  // namespace

Read<std::vector<RegistryHost>> ParseHostsToml(std::string_view text, const std::string& folder) {
  const auto document = ParseToml(text);
  if (!document) return Failed(document.error());
  std::vector<RegistryHost> hosts;
  if (const TomlMember* list = Find(*document, "host")) {
    const auto* table = std::get_if<TomlTable>(&list->value.value);
    if (table == nullptr) return Wrong(list->key_at, "host must be a table: [host.\"https://…\"]");
    for (const TomlMember& each : *table) {
      const auto* options = std::get_if<TomlTable>(&each.value.value);
      if (options == nullptr || each.key.empty()) {
        return Wrong(each.key_at, "a host must be a table: [host.\"https://…\"]");
      }
      if (hosts.size() == kMaxHosts) return Wrong(each.key_at, "there are too many hosts");
      auto host = ReadHost(each.key, each.key_at, *options, folder);
      if (!host) return Failed(host.error());
      hosts.push_back(*std::move(host));
    }
  }
  std::string server;
  TextPosition at{1, 1};
  if (const TomlMember* member = Find(*document, "server")) {
    const auto* said = std::get_if<std::string>(&member->value.value);
    if (said == nullptr) return Wrong(member->key_at, "server must be a text");
    server = *said;
    at = member->key_at;
  }
  auto upstream = ReadHost(server, at, *document, folder);
  if (!upstream) return Failed(upstream.error());
  hosts.push_back(*std::move(upstream));
  return hosts;
}

}  // namespace crivet::trust
