// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/cli/collection.h"
#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/daemon/daemon_rights.h"
#include "proxy/runtime/runtime_client.h"
#include "proxy/wall_clock.h"
#include "proxy/watch/audit_event.h"

namespace crivet::proxy::cli {
namespace {

struct ForgetOptions {
  std::string image;
  std::string pod_namespace;
  std::string label;
  bool yes = false;
};

// What hangs on a collection that speaks for many repositories; nothing of others, whose records
// are the image's own.
std::string OfOthers(const Config& config, const Collection& collection) {
  if (collection.kind->IsOfOneRepository()) return "";
  const auto service = OpenTrust(config);
  const trust::TrustView view = service ? service->View(collection.id) : trust::TrustView{};
  const std::size_t records = view.records ? view.records->size() : 0;
  return fmt::format(
      "It speaks for every image of [trust.{}]; records of what this node verified that hang on "
      "it: "
      "{}.",
      collection.trust, records);
}

bool Confirmed(const Config& config, const Collection& collection) {
  const trust::CollectionId& id = collection.id;
  const std::string of_others = OfOthers(config, collection);
  if (isatty(STDIN_FILENO) == 0) {
    PrintToStderr("crivet: nobody can be asked here: say --yes");
    if (!of_others.empty()) PrintToStderr(of_others);
    return false;
  }
  PrintToStderr(fmt::format(
      "This drops the chain of roots, the rollback floors and the records of {} at {}.\n"
      "{}It is right only where the publisher or the server began anew. Type yes to go on:",
      id.name, id.url, of_others.empty() ? "" : of_others + "\n"));
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

/// Nothing where no daemon runs: its memory would bring everything back.
std::optional<grpc::Status> ForgetInDaemon(const std::string& admin,
                                           const trust::CollectionId& id) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  auto context = BlockingContext(std::chrono::seconds{10});
  context->set_wait_for_ready(false);
  admin::v1::ForgetRequest request;
  request.set_url(id.url);
  request.set_kind(id.kind);
  request.set_gun(id.name);
  admin::v1::ForgetResponse response;
  auto status = daemon->Forget(context.get(), request, &response);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return std::nullopt;
  return status;
}

Exit Conclude(const trust::CollectionId& id, const std::string& failure) {
  if (failure.empty()) {
    return PrintToStdout(fmt::format("forgotten: {} at {}", id.name, id.url));
  }
  PrintToStderr("crivet: " + failure);
  return Exit::kInternal;
}

Exit Forget(const std::string& config_file, const ForgetOptions& options) {
  const auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  if (geteuid() != 0) {
    PrintToStderr("crivet: forget is for root");
    return Exit::kUsage;
  }
  const auto collection =
      FindCollection(*config, options.image, options.pod_namespace, options.label);
  if (!collection) {
    PrintToStderr("crivet: " + collection.error().detail);
    return Exit::kUsage;
  }
  const trust::CollectionId& id = collection->id;
  if (!collection->kind->IsOfOneRepository() && options.label.empty()) {
    PrintToStderr(fmt::format(
        "crivet: {} is one of many images of the repository at {}: its chain of roots, floors and "
        "records are all of theirs. To drop them, where its publisher began anew:\n"
        "  crivet forget --trust {} {}",
        options.image, id.url, collection->trust, options.image));
    return Exit::kUsage;
  }
  if (const auto taken = TakeDaemonRights(*config); !taken) {
    return Conclude(id, taken.error().detail);
  }
  if (!options.yes && !Confirmed(*config, *collection)) return Exit::kUsage;
  if (const auto status = ForgetInDaemon(config->admin, id)) {
    return Conclude(id, status->error_message());
  }
  const auto service = OpenTrust(*config);
  if (service == nullptr) return Exit::kInternal;
  const auto events = AuditEvents::Open(config->audit);
  if (!events) return Conclude(id, events.error().detail);
  if (const auto forgotten = service->Forget(id); !forgotten) {
    return Conclude(id, forgotten.error().detail);
  }
  const auto audited = events->Forgotten(id, Now());
  return Conclude(id, audited ? "" : audited.error().detail);
}

}  // namespace

void AddForget(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "forget", "Drop what was trusted of a repository (as root)",
                    "crivet forget registry.acme.example/web");
  const auto options = std::make_shared<ForgetOptions>();
  command.Word("IMAGE", options->image, "An image of the repository");
  command.Text({.name = "--namespace", .value = "NS", .what = "By the rule for a pod of NS"},
               options->pod_namespace);
  command.Text(
      {.name = "--trust", .value = "LABEL", .what = "Of [trust.LABEL], where no rule says which"},
      options->label);
  command.Flag("--yes", options->yes, "Do not ask");
  command.Runs([&invocation, options] { return Forget(invocation.config_file, *options); });
}

}  // namespace crivet::proxy::cli
