// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/cli/trust_folders.h"

namespace crivet::proxy::cli {
namespace {

/// Every server from which some rule reads this collection.
std::set<std::string> ServersOf(const Config& config, const TrustFolder& folder) {
  std::set<std::string> urls;
  for (const trust::TrustServer& server : config.servers) {
    const trust::CollectionId id{folder.kind, server.url, folder.name};
    if (!config.policy->DemandsOn(id).empty()) urls.insert(server.url);
  }
  return urls;
}

// A publisher's client fetches timestamp.json only when it reads.
std::string HintFor(const TrustFolder& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder.path + "/timestamp.json", ignored)) return {};
  return fmt::format(
      "; the folder has no timestamp.json: run \"docker trust inspect {0}\" or \"notary list {0}\" "
      "where it comes from, then copy it again",
      folder.name);
}

Exit NothingIn(const std::string& folder, const TrustFolders& found) {
  if (found.nameless.empty()) {
    PrintToStderr(fmt::format("crivet: {}: no collection in it (root.json)", folder));
  }
  for (const std::string& path : found.nameless) {
    PrintToStderr(
        fmt::format("crivet: {}: there is a root.json, but its place below {} is not the "
                    "name of a collection: name the folder that holds tuf/",
                    path, folder));
  }
  return Exit::kUsage;
}

Exit ImportOne(trust::TrustService& service, const std::string& url, const TrustFolder& folder) {
  const auto imported = service.Import({folder.kind, url, folder.name}, folder.path);
  if (imported) {
    return PrintToStdout(fmt::format("{}: taken for {}{}", folder.name, url,
                                     imported->changed ? "" : ", nothing new"));
  }
  const trust::Error& error = imported.error().error;
  PrintToStderr(fmt::format("{}: {} is not taken for {}: {} at {} [{}]{}", folder.name, folder.path,
                            url, error.detail, imported.error().at, trust::CodeOf(error.reason),
                            HintFor(folder)));
  return trust::AnswerFor(error.reason) == trust::Answer::kDeny ? Exit::kDenied
                                                                : Exit::kUnavailable;
}

Exit Import(const std::string& config_file, const std::string& folder) {
  const auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  const auto found = FindTrustFolders(folder);
  if (!found) {
    PrintToStderr(fmt::format("crivet: {}: {}", folder, found.error().detail));
    return Exit::kUsage;
  }
  if (found->collections.empty()) return NothingIn(folder, *found);
  const auto service = OpenTrust(*config, Rights::kOwn);
  if (service == nullptr) return Exit::kInternal;
  Exit worst = Exit::kDone;
  for (const TrustFolder& one : found->collections) {
    const auto urls = ServersOf(*config, one);
    if (urls.empty()) {
      PrintToStderr(fmt::format("{}: left out: no rule reads it", one.name));
    }
    for (const std::string& url : urls) worst = Worst(worst, ImportOne(*service, url, one));
  }
  return worst;
}

}  // namespace

void AddImport(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "import", "Take metadata from a folder, verified as it enters",
                    "crivet import /media/usb/.docker/trust");
  const auto folder = std::make_shared<std::string>();
  command.Word("DIR", *folder, "~/.docker/trust, a notary folder, or a mirror");
  command.Runs([&invocation, folder] { return Import(invocation.config_file, *folder); });
}

}  // namespace crivet::proxy::cli
