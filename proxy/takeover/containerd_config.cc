// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/containerd_config.h"

#include <fmt/format.h>

#include <set>

#include "proxy/config/containerd_files.h"
#include "trust/toml/toml_document.h"

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::ParseToml;
using trust::Reason;
using trust::Result;
using trust::TextPosition;
using trust::TomlArray;
using trust::TomlLocalTime;
using trust::TomlMember;
using trust::TomlTable;
using trust::TomlValue;

constexpr std::string_view kGrpcPlugin = "plugins.io.containerd.server.v1.grpc";
constexpr std::string_view kTtrpcPlugin = "plugins.io.containerd.server.v1.ttrpc";
constexpr std::string_view kNote = "# Made by `crivet takeover`; `crivet release` removes it.\n";

struct Rendered {
  std::string operator()(const std::string& text) const {
    std::string out = "\"";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') out += '\\';
      if (byte < 0x20 || byte == 0x7f) {
        out += fmt::format("\\u{:04x}", byte);
      } else {
        out += c;
      }
    }
    return out + '"';
  }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return fmt::format("{}", number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(trust::TimePoint time) const {
    return std::to_string(time.time_since_epoch().count());
  }
  std::string operator()(const TomlLocalTime&) const { return "a local time"; }
  std::string operator()(const TomlArray& array) const {
    std::string out;
    for (const TomlValue& value : array) {
      out += (out.empty() ? "" : ", ") + std::visit(Rendered(), value.value);
    }
    return "[" + out + "]";
  }
  std::string operator()(const TomlTable& table) const {
    std::map<std::string, std::string> members;
    for (const TomlMember& member : table) {
      members[member.key] = std::visit(Rendered(), member.value.value);
    }
    std::string out;
    for (const auto& [key, text] : members) {
      out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", key, text);
    }
    return "{" + out + "}";
  }
};

void Collect(const TomlTable& table, const std::string& prefix,
             std::map<std::string, std::string>& values) {
  for (const TomlMember& member : table) {
    const std::string name = prefix.empty() ? member.key : prefix + "." + member.key;
    const auto* inner = std::get_if<TomlTable>(&member.value.value);
    if (inner != nullptr && !inner->empty()) {
      Collect(*inner, name, values);
    } else {
      values[name] = std::visit(Rendered(), member.value.value);
    }
  }
}

std::string ValueOf(const ContainerdConfig& config, std::string_view section,
                    std::string_view key) {
  const auto at = config.values.find(fmt::format("{}.{}", section, key));
  return at == config.values.end() ? "" : at->second;
}

// Without the quotes; paths need no escapes.
std::string TextOf(const ContainerdConfig& config, std::string_view section, std::string_view key) {
  const std::string value = ValueOf(config, section, key);
  return value.starts_with('"') ? value.substr(1, value.size() - 2) : "";
}

std::string NumberOf(const ContainerdConfig& config, std::string_view section,
                     std::string_view key) {
  const std::string value = ValueOf(config, section, key);
  return value.empty() || value.find_first_not_of("0123456789") != std::string::npos ? "0" : value;
}

struct Sections {
  std::string_view grpc;
  std::string_view ttrpc;
};

Sections SectionsOf(ContainerdConfig::Form form) {
  return form == ContainerdConfig::Form::kPlugins ? Sections{kGrpcPlugin, kTtrpcPlugin}
                                                  : Sections{"grpc", "ttrpc"};
}

// The text of a section of the print, `address` being another.
std::string SectionText(const ContainerdConfig& config, std::string_view section,
                        const std::string& header, const std::string& address) {
  std::string text = fmt::format("[{}]\n  address = \"{}\"\n", header, address);
  const std::string prefix = fmt::format("{}.", section);
  for (auto at = config.values.lower_bound(prefix);
       at != config.values.end() && at->first.starts_with(prefix); ++at) {
    const std::string key = at->first.substr(prefix.size());
    if (key != "address") text += fmt::format("  {} = {}\n", key, at->second);
  }
  return text;
}

}  // namespace

Result<ContainerdConfig> ParseContainerdConfig(std::string_view dump) {
  const auto table = ParseToml(dump);
  if (!table) {
    return Fail(Reason::kMalformed,
                fmt::format("`containerd config dump` prints no TOML (line {}: {})",
                            table.error().at.line, table.error().what));
  }
  ContainerdConfig config;
  Collect(*table, "", config.values);
  if (!TextOf(config, kGrpcPlugin, "address").empty()) {
    config.form = ContainerdConfig::Form::kPlugins;
  }
  const Sections sections = SectionsOf(config.form);
  config.grpc_address = TextOf(config, sections.grpc, "address");
  config.uid = NumberOf(config, sections.grpc, "uid");
  config.gid = NumberOf(config, sections.grpc, "gid");
  if (!config.grpc_address.starts_with('/')) {
    return Fail(Reason::kMalformed,
                "`containerd config dump` names no absolute path as [grpc] address");
  }
  config.ttrpc_address = TextOf(config, sections.ttrpc, "address");
  if (config.ttrpc_address.empty() && config.form == ContainerdConfig::Form::kSections) {
    // containerd's own defaults where the configuration leaves it open.
    config.ttrpc_address = config.grpc_address + ".ttrpc";
    config.values["ttrpc.uid"] = config.uid;
    config.values["ttrpc.gid"] = config.gid;
  }
  // Never compared: what differs by the move, and how it is spelled.
  config.values[fmt::format("{}.address", sections.ttrpc)] = '"' + config.ttrpc_address + '"';
  config.values.erase("imports");
  config.values.erase("version");
  return config;
}

ContainerdRegistries RegistriesOf(const ContainerdConfig& config) {
  ContainerdRegistries registries;
  for (const std::string_view plugin : {"plugins.io.containerd.grpc.v1.cri.registry",
                                        "plugins.io.containerd.cri.v1.images.registry"}) {
    for (std::string& folder : FoldersIn(TextOf(config, plugin, "config_path"))) {
      registries.folders.push_back(std::move(folder));
    }
    const std::string mirrors = fmt::format("{}.mirrors.", plugin);
    const auto mirror = config.values.lower_bound(mirrors);
    registries.has_mirrors = registries.has_mirrors ||
                             (mirror != config.values.end() && mirror->first.starts_with(mirrors));
    const std::string configs = fmt::format("{}.configs.", plugin);
    for (auto at = config.values.lower_bound(configs);
         at != config.values.end() && at->first.starts_with(configs); ++at) {
      const auto auth = at->first.rfind(".auth.");
      if (auth == std::string::npos || at->second == "\"\"") continue;
      const std::string host = at->first.substr(configs.size(), auth - configs.size());
      auto& known = registries.with_credentials;
      if (known.empty() || known.back() != host) known.push_back(host);
    }
  }
  return registries;
}

std::string AddressFileOf(const ContainerdConfig& config, const std::string& grpc_address) {
  const Sections sections = SectionsOf(config.form);
  std::string text(kNote);
  if (config.form == ContainerdConfig::Form::kSections) {
    // Read key by key: what is not here stays as the node's files have it.
    text += fmt::format("[grpc]\n  address = \"{}\"\n", grpc_address);
    return text + SectionText(config, sections.ttrpc, "ttrpc", config.ttrpc_address);
  }
  // A plugin's section replaces the one before it.
  text +=
      SectionText(config, sections.grpc, "plugins.'io.containerd.server.v1.grpc'", grpc_address);
  return text + SectionText(config, sections.ttrpc, "plugins.'io.containerd.server.v1.ttrpc'",
                            config.ttrpc_address);
}

std::string MainFileOf(const std::vector<std::string>& imports) {
  std::string text(kNote);
  text += "imports = [";
  for (const std::string& file : imports) {
    text += (file == imports.front() ? "" : ", ") + Rendered()(file);
  }
  return text + "]\n";
}

std::vector<std::string> DifferencesOf(const ContainerdConfig& config,
                                       const ContainerdConfig& moved) {
  const std::string moves = fmt::format("{}.address", SectionsOf(config.form).grpc);
  std::set<std::string> names;
  for (const auto& [name, text] : config.values) {
    const auto at = moved.values.find(name);
    if (at == moved.values.end() || at->second != text) names.insert(name);
  }
  for (const auto& [name, text] : moved.values) {
    if (!config.values.contains(name)) names.insert(name);
  }
  names.erase(moves);
  return {names.begin(), names.end()};
}

}  // namespace crivet::proxy
