// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "proxy/cli/refused_text.h"
#include "proxy/cli/screen.h"
#include "proxy/cli/status_text.h"
#include "proxy/cli/subcommand.h"
#include "proxy/daemon/status_report.h"
#include "proxy/takeover/host_check.h"

namespace crivet::proxy::cli {
namespace {

struct CheckOptions {
  std::string root;
  bool json = false;
  bool strict = false;
};

/// Everything that a check found.
struct Findings {
  std::string file;
  std::vector<std::string> wrong;
  std::vector<std::string> warnings;
  std::vector<RefusedImage> refused;
  std::vector<std::string> files;
  std::vector<TrustRegistries> registries;
  std::size_t rules = 0;
  std::size_t servers = 0;
};

void AddRefused(const HostFindings& node, Findings& findings) {
  if (node.refused.empty()) return;
  std::vector<admin::v1::JudgedImage> uses;
  for (const WouldBeRefused& refused : node.refused) {
    ReportRefused(refused, uses.emplace_back());
  }
  findings.refused = GroupByImage(uses);
  const bool sandbox = node.refused.back().sandbox;
  findings.warnings.push_back(fmt::format(
      "the rules refuse {} image{} (of {} on this node) in every pod{}", findings.refused.size(),
      findings.refused.size() == 1 ? "" : "s", node.inventory->names_of.size(),
      sandbox ? "; the sandbox image is among them, without which no pod starts" : ""));
}

Findings Look(const std::string& file, const CheckOptions& options) {
  Findings findings;
  findings.file = file;
  const bool here = options.root.empty();
  // As the node's daemon will read it.
  const auto config = LoadConfig(file, here ? PlaceOnNode() : Place{.root = options.root});
  if (!config) {
    for (const ConfigError& error : config.error()) findings.wrong.push_back(error.ToString());
    return findings;
  }
  findings.files = config->files;
  // The default is a rule of the policy, and not one of the file's [[rule]] sections.
  findings.rules = config->policy->rules().size() - 1;
  findings.servers = config->servers.size();
  findings.warnings = config->warnings;
  findings.registries = config->registries;
  // Another machine's files say nothing of its runtime.
  if (!here) return findings;
  HostFindings node = CheckHost(*config);
  findings.wrong = std::move(node.wrong);
  findings.warnings.insert(findings.warnings.end(), node.warnings.begin(), node.warnings.end());
  AddRefused(node, findings);
  return findings;
}

Exit PrintJson(const Findings& findings, Exit exit) {
  nlohmann::json refused = nlohmann::json::array();
  for (const RefusedImage& image : findings.refused) {
    refused.push_back({{"image", image.name}, {"sandbox", image.sandbox}, {"rule", image.rule}});
  }
  nlohmann::json registries = nlohmann::json::array();
  for (const TrustRegistries& one : findings.registries) {
    registries.push_back(
        {{"trust", one.trust}, {"folders", one.where.folders}, {"said_by", one.where.said_by}});
  }
  const nlohmann::json out = {
      {"schema", "crivet.check/1"},          {"file", findings.file},
      {"good", exit == Exit::kDone},         {"wrong", findings.wrong},
      {"warnings", findings.warnings},       {"rules", findings.rules},
      {"trust_servers", findings.servers},   {"refused", std::move(refused)},
      {"registries", std::move(registries)}, {"files", findings.files}};
  // Texts come from a file.
  return Worst(exit,
               PrintToStdout(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

Exit PrintForPeople(const Findings& findings, Exit exit) {
  for (const std::string& warning : findings.warnings) PrintToStderr("warning: " + warning);
  for (const std::string& line : RefusedForPeople(findings.refused, WidthOf(STDERR_FILENO))) {
    PrintToStderr("  " + line);
  }
  if (const auto rules = RulesToPaste(findings.refused); !rules.empty()) {
    PrintToStderr("No rule is for some of these. This lets them run, unverified:");
    for (const std::string& line : rules) PrintToStderr(line.empty() ? "" : "  " + line);
  }
  for (const std::string& wrong : findings.wrong) PrintToStderr(wrong);
  if (exit == Exit::kDone) {
    const std::size_t more = findings.files.size() - 1;
    Exit printed = PrintToStdout(
        fmt::format("{}{}: good: {} rules, {} trust servers, {} warnings", findings.file,
                    more == 0 ? "" : fmt::format(" with {} of conf.d", more), findings.rules,
                    findings.servers, findings.warnings.size()));
    for (const TrustRegistries& one : findings.registries) {
      printed = Worst(
          printed, PrintToStdout(RegistriesText(one.trust, one.where.folders, one.where.said_by)));
    }
    return printed;
  }
  if (findings.wrong.empty()) {
    PrintToStderr(
        fmt::format("crivet: {} warnings, and --strict takes none", findings.warnings.size()));
  }
  return exit;
}

Exit Check(const std::string& file, const CheckOptions& options) {
  std::error_code error;
  if (!options.root.empty() && !std::filesystem::is_directory(options.root, error)) {
    PrintToStderr(fmt::format("crivet: check: --root: {} is no folder", options.root));
    return Exit::kUsage;
  }
  const Findings findings = Look(file, options);
  const bool bad = !findings.wrong.empty() || (options.strict && !findings.warnings.empty());
  const Exit exit = bad ? Exit::kConfiguration : Exit::kDone;
  return options.json ? PrintJson(findings, exit) : PrintForPeople(findings, exit);
}

}  // namespace

void AddCheck(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "check", "Check the configuration",
                    "crivet check --config new.toml && cp new.toml /etc/crivet/config.toml");
  const auto options = std::make_shared<CheckOptions>();
  command.Text({.name = "--root",
                .value = "DIR",
                .what = "For the machine whose files are in DIR; FILE and\n"
                        "what it names are looked for there, nothing else"},
               options->root);
  command.Flag("--json", options->json, "For programs; members are only ever added");
  command.Flag("--strict", options->strict, "Take a warning for a mistake");
  command.Runs([&invocation, options] { return Check(invocation.config_file, *options); });
}

}  // namespace crivet::proxy::cli
