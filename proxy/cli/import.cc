// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/cli/trust_folders.h"
#include "trust/io/registry/signature_folder.h"
#include "trust/kinds.h"

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

Exit ExitFor(trust::Reason reason) {
  return trust::AnswerFor(reason) == trust::Answer::kDeny ? Exit::kDenied : Exit::kUnavailable;
}

Exit ImportOne(trust::TrustService& service, const std::string& url, const TrustFolder& folder) {
  const auto imported = service.Import({folder.kind, url, folder.name}, folder.path);
  if (!imported) {
    PrintToStderr(fmt::format("{}: {} is not taken for {}: {} at {} [{}]{}", folder.name,
                              folder.path, url, imported.error().error.detail, imported.error().at,
                              trust::CodeOf(imported.error().error.reason), HintFor(folder)));
    return ExitFor(imported.error().error.reason);
  }
  const Exit printed = PrintToStdout(fmt::format("{}: taken for {}{}", folder.name, url,
                                                 imported->changed ? "" : ", nothing new"));
  if (!imported->file_failure) return printed;
  const trust::Error& error = imported->file_failure->error;
  PrintToStderr(fmt::format("{}: of {} is not taken for {}: {} [{}]", folder.name, folder.path, url,
                            error.detail, trust::CodeOf(error.reason)));
  return ExitFor(error.reason);
}

// With what any kind has there.
trust::SignatureFolder FolderOf(const std::string& folder) {
  std::vector<trust::Kind::LooseSignature> loose;
  for (const trust::Kind* kind : trust::AllKinds()) {
    const auto of_kind = kind->LooseSignatures();
    loose.insert(loose.end(), of_kind.begin(), of_kind.end());
  }
  return trust::SignatureFolder(folder, std::move(loose));
}

// In front of each registry, which is asked where the folder has nothing.
Config WithBundlesIn(Config config, const std::string& folder) {
  for (trust::TrustServer& server : config.servers) {
    const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), server.kind);
    if (kind != nullptr && kind->server() == trust::Kind::Server::kImageRegistry) {
      server.bundles = folder;
    }
  }
  return config;
}

Exit TakeSignatures(trust::TrustService& service, const trust::ImageReference& name,
                    const trust::Sha256Digest& image) {
  const auto reference = trust::ImageReference::Parse(name.PinnedTo(image));
  if (!reference) return Exit::kInternal;
  const trust::Decision decision = service.DecideNow({.reference = *reference,
                                                      .pod_namespace = trust::AnyNamespace{},
                                                      .local = std::nullopt,
                                                      .credentials = std::nullopt});
  const std::string text = reference->Canonical();
  if (decision.applied.rule->action != trust::Action::kVerify) {
    PrintToStderr(fmt::format("{}: left out: no rule verifies it", text));
    return Exit::kDone;
  }
  if (std::holds_alternative<trust::Allow>(decision.verdict)) {
    // What was known already is confirmed by what the folder has of it.
    if (decision.applied.rule->confirmed_max_age.count() > 0) {
      service.DecideNow({.reference = *reference,
                         .pod_namespace = trust::AnyNamespace{},
                         .local = std::nullopt,
                         .credentials = std::nullopt,
                         .confirmed_within = std::chrono::seconds{1}});
    }
    return PrintToStdout(fmt::format("{}: taken", text));
  }
  PrintToStderr(fmt::format("{}: not taken: {}", text, trust::RefusalMessage(decision, text)));
  const auto answer = trust::AnswerOf(decision.verdict);
  return answer == trust::Answer::kDeny ? Exit::kDenied : Exit::kUnavailable;
}

// A layout does not say of which repository its images are.
Exit ImportSignatures(const Config& config, const std::string& folder, const std::string& text) {
  const auto name = trust::ImageReference::Parse(text);
  if (!name) {
    PrintToStderr(fmt::format("crivet: {}: {}", text, name.error().detail));
    return Exit::kUsage;
  }
  const auto images = FolderOf(folder).Images();
  if (images.empty()) {
    PrintToStderr(fmt::format("crivet: {}: no signature of an image in it", folder));
    return Exit::kUsage;
  }
  const auto service = OpenTrust(WithBundlesIn(config, folder), Rights::kOwn);
  if (service == nullptr) return Exit::kInternal;
  Exit worst = Exit::kDone;
  for (const trust::Sha256Digest& image : images) {
    worst = Worst(worst, TakeSignatures(*service, *name, image));
  }
  return worst;
}

Exit Import(const std::string& config_file, const std::string& folder, const std::string& image) {
  const auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  if (!image.empty()) return ImportSignatures(*config, folder, image);
  const auto found = FindTrustFolders(folder);
  if (!found) {
    PrintToStderr(fmt::format("crivet: {}: {}", folder, found.error().detail));
    return Exit::kUsage;
  }
  if (found->collections.empty()) {
    const std::size_t images = FolderOf(folder).Images().size();
    if (images == 0) return NothingIn(folder, *found);
    PrintToStderr(
        fmt::format("crivet: {0}: signatures of {1} image{2}, and nothing says of which "
                    "repository: name it, as "
                    "in crivet import --image registry.example/web {0}",
                    folder, images, images == 1 ? "" : "s"));
    return Exit::kUsage;
  }
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
  struct Options {
    std::string folder;
    std::string image;
  };
  const auto options = std::make_shared<Options>();
  command.Word("DIR", options->folder, "~/.docker/trust, a mirror, or OCI layouts");
  command.Text({.name = "--image", .value = "IMAGE", .what = "Whose signatures the layouts have"},
               options->image);
  command.Runs([&invocation, options] {
    return Import(invocation.config_file, options->folder, options->image);
  });
}

}  // namespace crivet::proxy::cli
