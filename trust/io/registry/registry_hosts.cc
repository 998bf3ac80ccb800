// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/registry_hosts.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "trust/io/http/address_class.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr std::size_t kMaxCertificates = 64;

template <typename T>
using Read = tl::expected<T, std::string>;

std::string CannotRead(const std::string& path, int error) {
  return "cannot read " + path + " as user " + std::to_string(geteuid()) + ": " +
         std::generic_category().message(error);
}

bool IsAbsent(int error) { return error == ENOENT || error == ENOTDIR; }

// Nothing where there is no such file.
Read<std::optional<std::string>> ReadFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    if (IsAbsent(errno)) return std::optional<std::string>();
    return tl::unexpected(CannotRead(path, errno));
  }
  std::string content(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < content.size()) {
    got = read(file, content.data() + size, content.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  }
  const int error = errno;
  close(file);
  if (got < 0) return tl::unexpected(CannotRead(path, error));
  if (size > kMaxFileBytes) return tl::unexpected(path + " is larger than 1 MiB");
  content.resize(size);
  return std::optional(std::move(content));
}

std::string PortOf(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  return has_port ? std::string(authority.substr(colon + 1)) : "";
}

bool IsLocalhost(std::string_view authority) {
  const std::string port = PortOf(authority);
  std::string host(authority.substr(0, authority.size() - (port.empty() ? 0 : port.size() + 1)));
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return ClassOfAddress(host) == AddressClass::kLoopback;
}

// The registry itself, as containerd asks it where nothing says otherwise.
void BecomeUpstream(RegistryHost& host, std::string_view registry) {
  host.scheme = "https";
  host.authority = registry == "docker.io" ? "registry-1.docker.io" : std::string(registry);
  host.path = "/v2";
  host.capabilities = {};
  const std::string port = PortOf(registry);
  if (!IsLocalhost(registry)) return;
  if (!port.empty() && port != "443") host.scheme = "http";
  if (port != "80") host.skip_verify = true;
}

HostToAsk Prepared(RegistryHost host, std::string_view registry) {
  HostToAsk ask;
  const bool tls = !host.ca_files.empty() || !host.clients.empty() || host.skip_verify;
  ask.tls_first = host.scheme == "http" && tls && PortOf(host.authority) != "80";
  const bool own = host.authority == registry ||
                   (registry == "docker.io" && host.authority == "registry-1.docker.io");
  if (!own) ask.ns = registry;
  for (const std::string& path : host.ca_files) {
    auto pem = ReadFile(path);
    if (!pem || !*pem) {
      ask.broken = pem ? CannotRead(path, ENOENT) : pem.error();
      break;
    }
    ask.cas += **pem + '\n';
  }
  for (const RegistryHost::ClientPair& pair : host.clients) {
    for (const std::string& path : {pair.certificate, pair.key}) {
      if (access(path.c_str(), R_OK) != 0) ask.broken = CannotRead(path, errno);
    }
  }
  ask.host = std::move(host);
  return ask;
}

// Docker's: NAME.crt are CAs, NAME.cert a client's certificate with its NAME.key.
Read<RegistryHost> FromCertificates(const std::string& folder) {
  RegistryHost host;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) return tl::unexpected(CannotRead(folder, errno));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    if (names.size() < kMaxCertificates) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    std::string path = folder;
    path.append("/").append(name);
    if (name.ends_with(".crt")) host.ca_files.push_back(path);
    if (!name.ends_with(".cert")) continue;
    const std::string key = path.substr(0, path.size() - 4) + "key";
    host.clients.push_back({path, access(key.c_str(), F_OK) == 0 ? key : path});
  }
  return host;
}

Read<std::vector<RegistryHost>> FromFolder(const std::string& folder) {
  const std::string path = folder + "/hosts.toml";
  const auto text = ReadFile(path);
  if (!text) return tl::unexpected(text.error());
  if (!*text || (*text)->empty()) {
    auto host = FromCertificates(folder);
    if (!host) return tl::unexpected(host.error());
    return std::vector{*std::move(host)};
  }
  auto hosts = ParseHostsToml(**text, folder);
  if (hosts) return *std::move(hosts);
  const TextPosition at = hosts.error().at;
  return tl::unexpected(path + ':' + std::to_string(at.line) + ':' + std::to_string(at.column) +
                        ": " + hosts.error().what);
}

// Empty: there is none.
Read<std::string> FolderOf(std::string_view registry, const std::vector<std::string>& roots) {
  std::vector<std::string> names;
  if (const std::string port = PortOf(registry); !port.empty()) {
    names.push_back(std::string(registry.substr(0, registry.size() - port.size() - 1)) + '_' +
                    port + '_');
  }
  names.emplace_back(registry);
  names.emplace_back("_default");
  for (const std::string& root : roots) {
    for (const std::string& name : names) {
      std::string path = root;
      path.append("/").append(name);
      struct stat status {};
      if (stat(path.c_str(), &status) == 0) return path;
      if (!IsAbsent(errno)) return tl::unexpected(CannotRead(path, errno));
    }
  }
  return std::string();
}

// What ImageReference calls a domain; nothing of a path.
bool IsRegistry(std::string_view registry) {
  return !registry.empty() && registry.front() != '.' && registry.front() != '_' &&
         registry.find_first_of("/\\%?#@ ") == std::string_view::npos &&
         registry.find("..") == std::string_view::npos;
}

}  // namespace

tl::expected<std::vector<HostToAsk>, FetchCause> HostsFor(std::string_view registry,
                                                          const std::vector<std::string>& roots) {
  const auto failed = [&](std::string why) {
    return tl::unexpected(FetchCause{.kind = FetchCause::Kind::kHostsFile,
                                     .host = std::string(registry),
                                     .said = std::move(why)});
  };
  if (!IsRegistry(registry)) return failed("the image's name has no registry");
  const auto folder = FolderOf(registry, roots);
  if (!folder) return failed(folder.error());
  std::vector<RegistryHost> hosts(1);
  if (!folder->empty()) {
    auto found = FromFolder(*folder);
    if (!found) return failed(found.error());
    hosts = *std::move(found);
  }
  if (hosts.back().authority.empty()) BecomeUpstream(hosts.back(), registry);
  std::vector<HostToAsk> all;
  all.reserve(hosts.size());
  for (RegistryHost& host : hosts) all.push_back(Prepared(std::move(host), registry));
  return all;
}

}  // namespace crivet::trust
