// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/config/config_files.h"
#include "proxy/config/config_reader.h"
#include "proxy/config/config_sections.h"
#include "proxy/wall_clock.h"
#include "trust/kinds.h"

namespace crivet::proxy {
namespace {

constexpr char kWithoutDaemon[] = "image_verifier_without_daemon";

Valued<std::string> FilePath(const std::string& text) {
  return CheckAbsolutePath(text, PathUse::kFile);
}

Valued<std::string> SocketPath(const std::string& text) {
  return CheckAbsolutePath(text, PathUse::kSocket);
}

// The method table knows what must not be opened: it would lead past the gate.
Valued<std::string> CheckAlsoForward(const std::string& text) {
  auto path = CheckMethodPath(text);
  if (!path) return path;
  MethodTable::Options options;
  options.also_forward = {text};
  if (const auto table = MethodTable::Create(std::move(options)); !table) {
    return tl::unexpected(table.error().detail);
  }
  return path;
}

void ReadSockets(TableReader& top, const Place& place, Config& config, ConfigFindings& findings) {
  struct Socket {
    const char* key;
    std::string* path;
  };
  const std::array<Socket, 4> sockets{{{"listen", &config.listen},
                                       {"admin", &config.admin},
                                       {"upstream", &config.upstream},
                                       {"image_upstream", &config.image_upstream}}};
  for (const Socket& socket : sockets) {
    if (auto path = top.Checked(socket.key, SocketPath)) *socket.path = std::move(path->value);
  }
  if (place.in_place()) config.upstream = place.moved_upstream;
  const auto conflict = [&](const Socket& a, const Socket& b, std::string_view why) {
    if (a.path->empty() || b.path->empty() || !SamePlace(*a.path, *b.path)) return;
    const TextPosition at = top.Has(b.key) ? top.PositionOf(b.key) : top.PositionOf(a.key);
    findings.Wrong(at, fmt::format("\"{}\" and \"{}\" are the same socket, {}: {}", a.key, b.key,
                                   *b.path, why));
  };
  constexpr std::string_view kLoop = "crivet would call itself";
  conflict(sockets[0], sockets[1], "each needs its own");
  conflict(sockets[0], sockets[2], kLoop);
  conflict(sockets[0], sockets[3], kLoop);
  conflict(sockets[1], sockets[2], kLoop);
  conflict(sockets[1], sockets[3], kLoop);
}

void ReadGate(TableReader& top, const Place& place, Config& config, ConfigFindings& findings) {
  // kubelet's cAdvisor dials containerd's own API at the path that crivet stands at then.
  if (place.in_place()) config.gate.containerd_api = ContainerdApi::kObserve;
  const auto section = top.Table("gate");
  if (!section) return;
  TableReader gate(*section->value, section->at, "[gate]", findings);
  if (const auto word = gate.Word("containerd_api", {"none", "observe", "all"})) {
    constexpr std::array kApis{ContainerdApi::kNone, ContainerdApi::kObserve, ContainerdApi::kAll};
    config.gate.containerd_api = kApis[word->value];
    if (config.gate.containerd_api == ContainerdApi::kAll) {
      findings.Warn(word->at,
                    "containerd_api = \"all\": whoever may open the socket can run images "
                    "past the rules");
    }
    if (place.in_place() && config.gate.containerd_api == ContainerdApi::kNone) {
      findings.Warn(word->at,
                    "containerd_api = \"none\" in place of containerd's socket: kubelet's cAdvisor "
                    "finds no containers");
    }
  }
  for (auto& method : gate.EachChecked("also_forward", CheckAlsoForward)) {
    if (method.value.starts_with("/containerd.services.")) {
      findings.Warn(method.at, fmt::format("also_forward opens {}: containerd's own API knows no "
                                           "rules",
                                           method.value));
    }
    config.gate.also_forward.push_back(std::move(method.value));
  }
  const auto is_reference = [](const std::string& text) -> Valued<std::string> {
    if (trust::ImageReference::Parse(text)) return text;
    return tl::unexpected<std::string>("is not an image reference");
  };
  if (auto image = gate.Checked("sandbox_image", is_reference)) {
    config.gate.sandbox_image = std::move(image->value);
  }
  const auto is_snapshotter = [](const std::string& text) -> Valued<std::string> {
    if (!text.empty() && text.size() <= 64) return text;
    return tl::unexpected<std::string>("a snapshotter's name has 1 to 64 bytes");
  };
  if (gate.Has("remote_snapshotters")) {
    config.gate.remote_snapshotters.clear();
    for (auto& name : gate.EachChecked("remote_snapshotters", is_snapshotter)) {
      config.gate.remote_snapshotters.push_back(std::move(name.value));
    }
  }
  if (const auto flag = gate.Bool("allow_checkpoint")) {
    config.gate.allow_checkpoint = flag->value;
    if (flag->value) {
      findings.Warn(flag->at,
                    "allow_checkpoint = true: a checkpoint names a base image and a tag "
                    "that nothing verifies");
    }
  }
  if (const auto word = gate.Word(kWithoutDaemon, {"refuse", "allow"})) {
    constexpr std::array kAnswers{WithoutDaemon::kRefuse, WithoutDaemon::kAllow};
    config.gate.image_verifier_without_daemon = kAnswers[word->value];
    if (config.gate.image_verifier_without_daemon == WithoutDaemon::kAllow) {
      findings.Warn(word->at, fmt::format("{} = \"allow\": whoever stops crivet can pull anything",
                                          kWithoutDaemon));
    }
  }
  gate.Finish();
}

void ReadMetrics(TableReader& top, Config& config, ConfigFindings& findings) {
  const auto section = top.Table("metrics");
  if (!section) return;
  TableReader metrics(*section->value, section->at, "[metrics]", findings);
  if (!metrics.Has("listen")) metrics.Missing("listen", "such as \"127.0.0.1:9477\"");
  if (auto address = metrics.Checked("listen", CheckListenAddress)) {
    if (!IsLoopbackAddress(address->value)) {
      findings.Warn(address->at, "the metrics can be read from the network, without a password");
    }
    config.metrics_listen = std::move(address->value);
  }
  metrics.Finish();
}

void ReadLog(TableReader& top, Config& config, ConfigFindings& findings) {
  const auto section = top.Table("log");
  if (!section) return;
  TableReader log(*section->value, section->at, "[log]", findings);
  if (const auto word = log.Word("level", {"debug", "info", "warn", "error"})) {
    constexpr std::array kLevels{Config::LogLevel::kDebug, Config::LogLevel::kInfo,
                                 Config::LogLevel::kWarn, Config::LogLevel::kError};
    config.log_level = kLevels[word->value];
  }
  const auto is_audit = [](const std::string& text) -> Valued<std::string> {
    if (text == "journal") return text;
    if (auto path = FilePath(text)) return path;
    return tl::unexpected<std::string>("must be \"journal\" or the absolute path of a file");
  };
  if (auto audit = log.Checked("audit", is_audit)) config.audit = std::move(audit->value);
  log.Finish();
}

bool UsesTrust(const trust::Rule& rule, const std::string& label) {
  return std::any_of(rule.members.begin(), rule.members.end(),
                     [&](const trust::Member& member) { return member.trust == label; });
}

TextPosition PlaceOfTrust(TableReader& top, const std::string& label) {
  const auto trusts = top.Table("trust");
  if (!trusts) return {};
  const auto member = std::find_if(trusts->value->begin(), trusts->value->end(),
                                   [&](const TomlMember& one) { return one.key == label; });
  return member == trusts->value->end() ? trusts->at : member->key_at;
}

void WarnOfUnusedServers(const Config& config, TableReader& top, ConfigFindings& findings) {
  for (const trust::TrustServer& server : config.servers) {
    const auto& rules = config.policy->rules();
    const auto& files = config.policy->files();
    const bool used =
        std::any_of(rules.begin(), rules.end(),
                    [&](const auto& rule) { return UsesTrust(*rule, server.label); }) ||
        std::any_of(files.begin(), files.end(),
                    [&](const auto& reader) { return reader.supplier == server.label; });
    if (!used) {
      findings.Warn(PlaceOfTrust(top, server.label),
                    fmt::format("no rule uses [trust.{}]", server.label));
    }
  }
}

std::vector<std::string> FilesOf(const ConfigTexts& texts) {
  std::vector<std::string> files;
  for (const ConfigText& text : texts) files.push_back(text.file);
  return files;
}

/// The texts as one document, or nothing where one of them is no TOML.
std::optional<TomlTable> ReadDocuments(const ConfigTexts& texts, ConfigFindings& findings) {
  std::vector<TomlTable> documents;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto document = ParseToml(texts[i].text, static_cast<std::uint32_t>(i));
    if (document) {
      documents.push_back(std::move(*document));
    } else {
      findings.Wrong(document.error().at, document.error().what);
    }
  }
  if (findings.any_wrong()) return std::nullopt;
  return JoinDocuments(std::move(documents), findings);
}

/// What a table says under a key; empty where that is no text.
std::string TextIn(const TomlTable& table, std::string_view key) {
  for (const TomlMember& member : table) {
    const auto* text = std::get_if<std::string>(&member.value.value);
    if (member.key == key && text != nullptr) return *text;
  }
  return {};
}

/// A file that may be wrong; empty where it is no TOML.
TomlTable DocumentOf(const std::string& file) {
  const auto text = ReadNamedFile(file, Secrecy::kPublic);
  if (!text) return {};
  return ParseToml(*text).value_or(TomlTable());
}

}  // namespace

tl::expected<Config, std::vector<ConfigError>> ParseConfig(const ConfigTexts& texts,
                                                           const Place& place,
                                                           std::vector<NamedFile> named,
                                                           Strictness strictness) {
  Config config;
  config.files = FilesOf(texts);
  ConfigFindings findings(config.files, NamedFiles(place.root, std::move(named), strictness));
  const auto document = ReadDocuments(texts, findings);
  if (!document) return tl::unexpected(findings.TakeWrong());

  TableReader top(*document, {}, "", findings);
  ReadSockets(top, place, config, findings);
  if (auto path = top.Checked("state_dir", FilePath)) config.state_dir = std::move(path->value);
  if (const auto drain =
          top.Duration("drain", std::chrono::milliseconds{0}, std::chrono::minutes{10})) {
    config.drain = drain->value;
  }
  if (const auto word = top.Word("mode", {"enforce", "audit"})) {
    config.mode = word->value == 0 ? trust::Mode::kEnforce : trust::Mode::kAudit;
  }
  OwnOfTrusts own;
  config.servers =
      ReadServers(top, trust::AllKinds(), config.upstream, own, config.registries, findings);
  ReadGate(top, place, config, findings);
  ReadMetrics(top, config, findings);
  ReadLog(top, config, findings);
  config.policy =
      ReadPolicy(top, trust::AllKinds(), config.servers, own, config.mode, Now(), findings);
  top.Finish();
  if (findings.any_wrong()) return tl::unexpected(findings.TakeWrong());
  WarnOfUnusedServers(config, top, findings);
  config.warnings = findings.TakeWarnings();
  config.named_files = findings.named().Take();
  return config;
}

tl::expected<Config, std::vector<ConfigError>> ParseConfig(std::string_view text,
                                                           const std::string& file,
                                                           const Place& place) {
  return ParseConfig(ConfigTexts{{file, std::string(text)}}, place);
}

tl::expected<Config, std::vector<ConfigError>> LoadConfig(const std::string& file,
                                                          const Place& place) {
  const auto texts = ReadConfigTexts(file, place.root);
  if (!texts) return tl::unexpected(texts.error());
  return ParseConfig(*texts, place);
}

std::string AdminSocketOf(const std::string& file) {
  return SocketPath(TextIn(DocumentOf(file), "admin")).value_or(Config().admin);
}

std::string StateFolderOf(const std::string& file) {
  return FilePath(TextIn(DocumentOf(file), "state_dir")).value_or(Config().state_dir);
}

WithoutDaemon WithoutDaemonOf(const std::string& file) {
  for (const TomlMember& member : DocumentOf(file)) {
    const auto* gate = std::get_if<TomlTable>(&member.value.value);
    if (member.key != "gate" || gate == nullptr) continue;
    if (TextIn(*gate, kWithoutDaemon) == "allow") return WithoutDaemon::kAllow;
  }
  return WithoutDaemon::kRefuse;
}

}  // namespace crivet::proxy
