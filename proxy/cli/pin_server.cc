// SPDX-License-Identifier: Apache-2.0
#include "proxy/cli/pin_server.h"

#include <fmt/format.h>
#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <filesystem>

#include "proxy/cli/subcommand.h"
#include "proxy/config/config_files.h"
#include "proxy/config/containerd_files.h"
#include "trust/io/http/server_url.h"
#include "trust/kinds.h"
#include "trust/signed/public_key.h"

namespace crivet::proxy::cli {
namespace {

namespace fs = std::filesystem;

// A label has no dots: `notary-acme-example`.
std::string LabelOf(const std::string& host) {
  std::string label;
  for (const char c : host.substr(0, 64)) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    label += good ? c : '-';
  }
  return label;
}

// TOML's basic string.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Valued<std::string> Authorities(const std::string& file) {
  std::error_code error;
  const std::string path = fs::absolute(file, error).lexically_normal().string();
  const auto content = ReadNamedFile(path, Secrecy::kPublic);
  if (!content) return tl::unexpected(fmt::format("--ca-file: {} {}", path, content.error()));
  if (const auto read = trust::CertificateSet::Parse(*content); !read) {
    return tl::unexpected(
        fmt::format("--ca-file: {} holds no certificate: {}", path, read.error().detail));
  }
  return path;
}

// Each image's own registry, as containerd would ask it.
trust::TrustServer RegistriesToPin(const std::string& kind, const std::string& label) {
  trust::TrustServer server;
  server.kind = kind;
  server.label = label.empty() ? kind : label;
  server.registry_config = RegistryFoldersOf("", "").folders;
  return server;
}

}  // namespace

Valued<trust::TrustServer> ServerToPin(const ServerOptions& options, const std::string& label) {
  const trust::Kinds& kinds = trust::AllKinds();
  if (!options.kind.empty() && trust::FindKind(kinds, options.kind) == nullptr) {
    std::vector<std::string_view> names;
    for (const trust::Kind* kind : kinds) names.push_back(kind->name());
    return tl::unexpected<std::string>(fmt::format("--kind cannot be \"{}\": this version has {}",
                                                   options.kind, fmt::join(names, ", ")));
  }
  const trust::Kind* const kind = trust::FindKind(kinds, options.kind);
  if (kind != nullptr && kind->server() == trust::Kind::Server::kImageRegistry) {
    if (options.url.empty()) return RegistriesToPin(options.kind, label);
    return tl::unexpected<std::string>(
        fmt::format("--kind {} has no server: its signatures lie beside the images, so there is no "
                    "--url",
                    options.kind));
  }
  if (options.url.empty()) return tl::unexpected<std::string>("--kind goes with --url");
  const auto url = trust::ServerUrl::Parse(options.url);
  if (!url) {
    return tl::unexpected<std::string>(fmt::format("--url {}", url.error().detail));
  }
  if (!url->IsHttps() && !url->IsLoopback()) {
    return tl::unexpected<std::string>("--url must be https: plain http is for loopback addresses");
  }
  trust::TrustServer server;
  server.kind = options.kind.empty() ? std::string(kinds.front()->name()) : options.kind;
  server.url = url->text();
  server.label = label.empty() ? LabelOf(url->host()) : label;
  if (!options.ca_file.empty()) {
    auto authorities = Authorities(options.ca_file);
    if (!authorities) return tl::unexpected(std::move(authorities.error()));
    server.ca_file = std::move(*authorities);
  }
  return server;
}

std::string LabelOfUrl(const std::string& config_file, const std::string& url) {
  const auto config = LoadConfig(config_file);
  if (!config) return {};
  const auto& servers = config->servers;
  const auto server =
      std::find_if(servers.begin(), servers.end(), [&](const auto& one) { return one.url == url; });
  return server == servers.end() ? std::string() : server->label;
}

std::vector<std::string> ServerSection(const trust::TrustServer& server) {
  std::vector<std::string> lines = {fmt::format("[trust.{}]", server.label),
                                    "kind = " + Quoted(server.kind)};
  if (server.url.empty()) {
    lines.emplace_back();
    return lines;
  }
  lines.push_back("url  = " + Quoted(server.url));
  if (!server.ca_file.empty()) lines.push_back("ca_file = " + Quoted(server.ca_file));
  lines.insert(lines.end(), {"auth = \"none\"", ""});
  return lines;
}

Config ConfigOf(const trust::TrustServer& server, const std::string& state_dir) {
  trust::Rule refuse;
  refuse.name = "default";
  refuse.is_default = true;
  refuse.action = trust::Action::kDeny;
  Config config;
  config.state_dir = state_dir;
  config.servers = {server};
  // Without rules nothing can be in conflict.
  config.policy =
      std::make_shared<const trust::Policy>(trust::Policy::Create({}, std::move(refuse)).value());
  return config;
}

ScratchFolder::ScratchFolder() {
  std::error_code error;
  std::string path = (fs::temp_directory_path(error) / "crivet-pin.XXXXXX").string();
  if (!error && mkdtemp(path.data()) != nullptr) {
    path_ = std::move(path);
  } else {
    PrintToStderr("crivet: no temporary folder can be made");
  }
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace crivet::proxy::cli
