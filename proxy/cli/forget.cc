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

/// What is dropped: all of a collection, or the records of one repository of many in it.
struct Dropped {
  Collection collection;
  bool names_only = false;

  const trust::CollectionId& id() const { return collection.id; }
  std::string repository() const { return collection.signed_as.repository(); }
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

std::string QuestionFor(const Dropped& dropped) {
  if (dropped.names_only) {
    return fmt::format(
        "This drops the records of what this node verified of {} at {}.\n"
        "An image of it that is here counts then only if it is what its name is now. Type yes to "
        "go on:",
        dropped.repository(), dropped.id().url);
  }
  return fmt::format(
      "This drops the chain of roots, the rollback floors and the records of {} at {}.\n"
      "It is right only where the publisher or the server began anew. Type yes to go on:",
      dropped.id().name, dropped.id().url);
}

bool Confirmed(const Config& config, const Dropped& dropped) {
  const std::string of_others = dropped.names_only ? "" : OfOthers(config, dropped.collection);
  if (isatty(STDIN_FILENO) == 0) {
    PrintToStderr("crivet: nobody can be asked here: say --yes");
    if (!of_others.empty()) PrintToStderr(of_others);
    return false;
  }
  if (!of_others.empty()) PrintToStderr(of_others);
  PrintToStderr(QuestionFor(dropped));
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

/// How many records were dropped, where that is what it was about.
using Outcome = trust::Result<std::size_t>;

/// Nothing where no daemon runs: its memory would bring everything back.
std::optional<Outcome> ForgetInDaemon(const std::string& admin, const Dropped& dropped) {
  const auto daemon = admin::v1::Admin::NewStub(RuntimeChannel(admin));
  auto context = BlockingContext(std::chrono::seconds{10});
  context->set_wait_for_ready(false);
  const trust::CollectionId& id = dropped.id();
  grpc::Status status;
  std::size_t records = 0;
  if (dropped.names_only) {
    admin::v1::ForgetNamesRequest request;
    request.set_url(id.url);
    request.set_kind(id.kind);
    request.set_name(id.name);
    request.set_image(dropped.collection.signed_as.Canonical());
    admin::v1::ForgetNamesResponse response;
    status = daemon->ForgetNames(context.get(), request, &response);
    records = response.records();
  } else {
    admin::v1::ForgetRequest request;
    request.set_url(id.url);
    request.set_kind(id.kind);
    request.set_gun(id.name);
    admin::v1::ForgetResponse response;
    status = daemon->Forget(context.get(), request, &response);
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return std::nullopt;
  if (status.ok()) return records;
  return trust::Fail(trust::Reason::kState, status.error_message());
}

Outcome ForgetHere(const Config& config, const Dropped& dropped) {
  const auto service = OpenTrust(config);
  // It has said why.
  if (service == nullptr) return trust::Fail(trust::Reason::kState, "nothing was forgotten");
  const auto events = AuditEvents::Open(config.audit);
  if (!events) return tl::unexpected(events.error());
  std::size_t records = 0;
  if (dropped.names_only) {
    Outcome forgotten = service->ForgetNames(dropped.id(), dropped.collection.signed_as);
    if (!forgotten) return forgotten;
    records = *forgotten;
  } else if (auto forgotten = service->Forget(dropped.id()); !forgotten) {
    return tl::unexpected(forgotten.error());
  }
  const auto audited =
      dropped.names_only ? events->ForgottenNames(dropped.id(), dropped.collection.signed_as, Now())
                         : events->Forgotten(dropped.id(), Now());
  if (!audited) return tl::unexpected(audited.error());
  return records;
}

Exit Conclude(const Dropped& dropped, const std::string& image, const Outcome& outcome) {
  const trust::CollectionId& id = dropped.id();
  const std::string whole =
      fmt::format("crivet forget --trust {} {}", dropped.collection.trust, image);
  if (!outcome) {
    PrintToStderr("crivet: " + outcome.error().detail);
    if (dropped.names_only) {
      PrintToStderr("All that is kept of [trust." + dropped.collection.trust +
                    "] goes by: " + whole);
    }
    return Exit::kInternal;
  }
  if (!dropped.names_only) {
    return PrintToStdout(fmt::format("forgotten: {} at {}", id.name, id.url));
  }
  PrintToStderr(fmt::format(
      "The chain of roots and the floors of {} are those of every image there, and stay. To drop "
      "them, where its publisher began anew: {}",
      id.url, whole));
  return PrintToStdout(
      fmt::format("forgotten: records of {} at {}: {}", dropped.repository(), id.url, *outcome));
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
  const Dropped dropped{*collection,
                        !collection->kind->IsOfOneRepository() && options.label.empty()};
  if (const auto taken = TakeDaemonRights(*config); !taken) {
    return Conclude(dropped, options.image, tl::unexpected(taken.error()));
  }
  if (!options.yes && !Confirmed(*config, dropped)) return Exit::kUsage;
  const auto in_daemon = ForgetInDaemon(config->admin, dropped);
  return Conclude(dropped, options.image, in_daemon ? *in_daemon : ForgetHere(*config, dropped));
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
