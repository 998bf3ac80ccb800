// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/cli/collection.h"
#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/daemon/daemon_rights.h"
#include "proxy/runtime/runtime_client.h"
#include "proxy/wall_clock.h"
#include "proxy/watch/audit_event.h"
#include "trust/decide/evidence_holder.h"
#include "trust/decide/record.h"
#include "trust/io/service/trust_service.h"

namespace crivet::proxy::cli {
namespace {

struct ForgetOptions {
  std::string image;
  std::string pod_namespace;
  std::string label;
  bool evidence = false;
  bool yes = false;
};

/// What is dropped of a collection.
enum class What : std::uint8_t {
  kAll,
  kNames,     ///< the records of one repository of many in it
  kTag,       ///< the floor of one tag
  kEvidence,  ///< evidence and records, and no floor
};

struct Dropped {
  Collection collection;
  What what = What::kAll;
  std::string tag = {};

  const trust::CollectionId& id() const { return collection.id; }
  std::string repository() const { return collection.signed_as.repository(); }
};

/// What was dropped, as far as that is counted.
struct Counted {
  std::size_t images = 0;
  std::size_t records = 0;
  trust::EvidenceHolder::TagFloor floor = {};
};
using Outcome = trust::Result<Counted>;

// The error is for people.
trust::Result<Dropped> Choose(Collection collection, const ForgetOptions& options) {
  using trust::Reason;
  const trust::Kind& kind = *collection.kind;
  const bool by_registry = kind.asks() == trust::Kind::Asks::kNames;
  if (options.evidence && !by_registry) {
    return trust::Fail(Reason::kNoTrustData,
                       fmt::format("--evidence is for signatures beside images: [trust.{}] is of "
                                   "kind {}, of which there are none",
                                   collection.trust, kind.name()));
  }
  if (options.evidence) return Dropped{std::move(collection), What::kEvidence};
  if (!by_registry) {
    const bool names = !kind.IsOfOneRepository() && options.label.empty();
    return Dropped{std::move(collection), names ? What::kNames : What::kAll};
  }
  const trust::ImageReference& image = collection.signed_as;
  if (image.digest() && !image.tag()) {
    return trust::Fail(Reason::kNoTrustData,
                       "a digest has no tag whose order could be forgotten; what is kept of the "
                       "repository's signatures goes by --evidence");
  }
  std::string tag = image.tag().value_or("latest");
  return Dropped{std::move(collection), What::kTag, std::move(tag)};
}

// What hangs on a collection that speaks for many repositories; nothing of others, whose records
// are the image's own.
std::string OfOthers(const Config& config, const Collection& collection) {
  if (collection.kind->IsOfOneRepository()) return "";
  const auto service = OpenTrust(config);
  const trust::TrustView view = service ? service->View(collection.id) : trust::TrustView{};
  std::set<trust::Sha256Digest> images;
  std::size_t records = 0;
  for (const trust::VerifiedRecord& record : view.records ? *view.records : trust::Records()) {
    if (trust::IsWithdrawn(record)) continue;
    images.insert(record.digest);
    ++records;
  }
  return fmt::format(
      "It speaks for every image of [trust.{}]; images that this node verified and that hang on "
      "it: {} (records of them: {}).",
      collection.trust, images.size(), records);
}

std::string QuestionFor(const Dropped& dropped) {
  switch (dropped.what) {
    case What::kNames:
      return fmt::format(
          "This drops the records of what this node verified of {} at {}.\n"
          "An image of it that is here counts then only if it is what its name is now.",
          dropped.repository(), dropped.id().url);
    case What::kTag:
      return fmt::format(
          "This drops what this node knows of the order of {}:{}.\n"
          "The tag may then be what was signed before what it has been, once.",
          dropped.id().name, dropped.tag);
    case What::kEvidence:
      return fmt::format(
          "This drops the signatures and the records that this node keeps of {}.\n"
          "An image of it that is here counts then only if its registry has a good signature "
          "still.",
          dropped.id().name);
    case What::kAll:
      break;
  }
  return fmt::format(
      "This drops the chain of roots, the rollback floors and the records of {} at {}.\n"
      "It is right only where the publisher or the server began anew.",
      dropped.id().name, dropped.id().url);
}

bool Confirmed(const Config& config, const Dropped& dropped) {
  const std::string of_others =
      dropped.what == What::kAll ? OfOthers(config, dropped.collection) : "";
  if (isatty(STDIN_FILENO) == 0) {
    PrintToStderr("crivet: nobody can be asked here: say --yes");
    if (!of_others.empty()) PrintToStderr(of_others);
    return false;
  }
  if (!of_others.empty()) PrintToStderr(of_others);
  PrintToStderr(QuestionFor(dropped) + " Type yes to go on:");
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

/// How the daemon is asked for each: the request filled, the call made, its answer read.
class AskingDaemon {
 public:
  AskingDaemon(const std::string& admin, const Dropped& dropped)
      : daemon_(admin::v1::Admin::NewStub(RuntimeChannel(admin))), dropped_(dropped) {
    context_->set_wait_for_ready(false);
  }

  /// Nothing where no daemon runs: its memory would bring everything back.
  std::optional<Outcome> Ask() {
    Counted counted;
    const grpc::Status status = Ask(counted);
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) return std::nullopt;
    if (status.ok()) return counted;
    return trust::Fail(trust::Reason::kState, status.error_message());
  }

 private:
  template <typename Request>
  Request Named() const {
    Request request;
    request.set_url(dropped_.id().url);
    request.set_kind(dropped_.id().kind);
    request.set_name(dropped_.id().name);
    return request;
  }

  grpc::Status Ask(Counted& counted) {
    switch (dropped_.what) {
      case What::kNames:
        return AskForNames(counted);
      case What::kTag:
        return AskForTag(counted);
      case What::kEvidence:
        return AskForEvidence(counted);
      case What::kAll:
        break;
    }
    admin::v1::ForgetRequest request;
    request.set_url(dropped_.id().url);
    request.set_kind(dropped_.id().kind);
    request.set_gun(dropped_.id().name);
    admin::v1::ForgetResponse response;
    return daemon_->Forget(context_.get(), request, &response);
  }

  grpc::Status AskForNames(Counted& counted) {
    auto request = Named<admin::v1::ForgetNamesRequest>();
    request.set_image(dropped_.collection.signed_as.Canonical());
    admin::v1::ForgetNamesResponse response;
    grpc::Status status = daemon_->ForgetNames(context_.get(), request, &response);
    counted.records = response.records();
    return status;
  }

  grpc::Status AskForTag(Counted& counted) {
    auto request = Named<admin::v1::ForgetTagRequest>();
    request.set_tag(dropped_.tag);
    admin::v1::ForgetTagResponse response;
    grpc::Status status = daemon_->ForgetTag(context_.get(), request, &response);
    const auto time = [](std::int64_t seconds) -> std::optional<trust::TimePoint> {
      if (seconds == 0) return std::nullopt;
      return trust::TimePoint(std::chrono::seconds{seconds});
    };
    counted.floor = {time(response.was()), time(response.with_others())};
    return status;
  }

  grpc::Status AskForEvidence(Counted& counted) {
    const auto request = Named<admin::v1::ForgetEvidenceRequest>();
    admin::v1::ForgetEvidenceResponse response;
    grpc::Status status = daemon_->ForgetEvidence(context_.get(), request, &response);
    counted.images = response.images();
    counted.records = response.records();
    return status;
  }

  const std::unique_ptr<admin::v1::Admin::Stub> daemon_;
  const Dropped& dropped_;
  const std::unique_ptr<grpc::ClientContext> context_ = BlockingContext(std::chrono::seconds{10});
};

Outcome ForgetBy(trust::TrustService& service, const Dropped& dropped) {
  Counted counted;
  switch (dropped.what) {
    case What::kNames: {
      const auto records = service.ForgetNames(dropped.id(), dropped.collection.signed_as);
      if (!records) return tl::unexpected(records.error());
      counted.records = *records;
      return counted;
    }
    case What::kTag: {
      const auto floor = service.ForgetTag(dropped.id(), dropped.tag);
      if (!floor) return tl::unexpected(floor.error());
      counted.floor = *floor;
      return counted;
    }
    case What::kEvidence: {
      const auto evidence = service.ForgetEvidence(dropped.id());
      if (!evidence) return tl::unexpected(evidence.error());
      counted.images = evidence->images;
      counted.records = evidence->records;
      return counted;
    }
    case What::kAll:
      break;
  }
  if (auto forgotten = service.Forget(dropped.id()); !forgotten) {
    return tl::unexpected(forgotten.error());
  }
  return counted;
}

trust::Result<void> WriteDown(const AuditEvents& events, const Dropped& dropped) {
  switch (dropped.what) {
    case What::kNames:
      return events.ForgottenNames(dropped.id(), dropped.collection.signed_as, Now());
    case What::kTag:
      return events.ForgottenTag(dropped.id(), dropped.tag, Now());
    case What::kEvidence:
      return events.ForgottenEvidence(dropped.id(), Now());
    case What::kAll:
      break;
  }
  return events.Forgotten(dropped.id(), Now());
}

Outcome ForgetHere(const Config& config, const Dropped& dropped) {
  const auto service = OpenTrust(config);
  // It has said why.
  if (service == nullptr) return trust::Fail(trust::Reason::kState, "nothing was forgotten");
  const auto events = AuditEvents::Open(config.audit);
  if (!events) return tl::unexpected(events.error());
  Outcome outcome = ForgetBy(*service, dropped);
  if (!outcome) return outcome;
  if (const auto audited = WriteDown(*events, dropped); !audited) {
    return tl::unexpected(audited.error());
  }
  return outcome;
}

// What is left of a failure that another way of forgetting mends.
std::string OtherWayThan(const Dropped& dropped, const std::string& image) {
  const std::string& trust = dropped.collection.trust;
  if (dropped.what == What::kNames) {
    return fmt::format("All that is kept of [trust.{0}] goes by: crivet forget --trust {0} {1}",
                       trust, image);
  }
  if (dropped.what == What::kTag) {
    return fmt::format("What is kept of its signatures goes by: crivet forget --evidence {}",
                       image);
  }
  return "";
}

Exit ConcludeTag(const Dropped& dropped, const trust::EvidenceHolder::TagFloor& floor) {
  const std::string name = dropped.id().name + ':' + dropped.tag;
  if (floor.with_others) {
    PrintToStderr(fmt::format(
        "Of this repository there are more tags than this node keeps apart: what was signed before "
        "{} counts as gone back for every tag that has no time of its own, and for this one. Its "
        "digest can be pulled, or the image signed anew.",
        trust::FormatRfc3339(*floor.with_others)));
  }
  if (!floor.own) return PrintToStdout(fmt::format("forgotten: nothing was known of {}", name));
  return PrintToStdout(fmt::format("forgotten: that {} has been what was signed at {}", name,
                                   trust::FormatRfc3339(*floor.own)));
}

Exit Conclude(const Dropped& dropped, const std::string& image, const Outcome& outcome) {
  const trust::CollectionId& id = dropped.id();
  if (!outcome) {
    PrintToStderr("crivet: " + outcome.error().detail);
    const std::string other_way = OtherWayThan(dropped, image);
    if (!other_way.empty()) PrintToStderr(other_way);
    return Exit::kInternal;
  }
  switch (dropped.what) {
    case What::kNames:
      PrintToStderr(fmt::format(
          "The chain of roots and the floors of {} are those of every image there, and stay. To "
          "drop them, where its publisher began anew: crivet forget --trust {} {}",
          id.url, dropped.collection.trust, image));
      return PrintToStdout(fmt::format("forgotten: records of {} at {}: {}", dropped.repository(),
                                       id.url, outcome->records));
    case What::kTag:
      return ConcludeTag(dropped, outcome->floor);
    case What::kEvidence:
      return PrintToStdout(fmt::format("forgotten: evidence of {}: images {}, records {}", id.name,
                                       outcome->images, outcome->records));
    case What::kAll:
      break;
  }
  return PrintToStdout(fmt::format("forgotten: {} at {}", id.name, id.url));
}

Exit Forget(const std::string& config_file, const ForgetOptions& options) {
  const auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  if (geteuid() != 0) {
    PrintToStderr("crivet: forget is for root");
    return Exit::kUsage;
  }
  auto collection = FindCollection(*config, options.image, options.pod_namespace, options.label);
  const auto dropped = collection ? Choose(*std::move(collection), options)
                                  : trust::Result<Dropped>(tl::unexpected(collection.error()));
  if (!dropped) {
    PrintToStderr("crivet: " + dropped.error().detail);
    return Exit::kUsage;
  }
  if (const auto taken = TakeDaemonRights(*config); !taken) {
    return Conclude(*dropped, options.image, tl::unexpected(taken.error()));
  }
  if (!options.yes && !Confirmed(*config, *dropped)) return Exit::kUsage;
  const auto in_daemon = AskingDaemon(config->admin, *dropped).Ask();
  return Conclude(*dropped, options.image, in_daemon ? *in_daemon : ForgetHere(*config, *dropped));
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
  command.Flag("--evidence", options->evidence,
               "Of signatures beside images: them, and the records");
  command.Flag("--yes", options->yes, "Do not ask");
  command.Runs([&invocation, options] { return Forget(invocation.config_file, *options); });
}

}  // namespace crivet::proxy::cli
