// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "proxy/cli/collection.h"
#include "proxy/cli/pin_server.h"
#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/wall_clock.h"
#include "trust/base/fetch_cause.h"
#include "trust/base/reason.h"

namespace crivet::proxy::cli {
namespace {

struct PinOptions {
  std::string image;
  std::string pod_namespace;
  std::string label;
  ServerOptions server;
};

std::string WhyNotFetched(const trust::FetchFailure& failure) {
  std::string text;
  switch (failure.kind) {
    case trust::FetchFailure::Kind::kNotFound:
      text = "the server does not know this collection";
      break;
    case trust::FetchFailure::Kind::kNetwork:
      text = fmt::format("no root ({})", trust::WordOf(failure.cause));
      break;
    case trust::FetchFailure::Kind::kTooLarge:
      return "the server's root.json is larger than a root may be";
  }
  if (!failure.why) return text;
  return fmt::format("{}: {}; {}", text, trust::Explained(*failure.why),
                     trust::RemedyFor(*failure.why));
}

Exit Print(const trust::AnchorText& text, std::vector<std::string> section) {
  for (const std::string& line : text.who) PrintToStderr(line);
  // What the file has of a trust already is not pasted, but may have to be compared.
  if (!section.empty()) section.insert(section.end() - 1, text.trust.begin(), text.trust.end());
  Exit exit = Exit::kDone;
  for (const std::vector<std::string>& lines : {section, text.rule}) {
    for (const std::string& line : lines) exit = Worst(exit, PrintToStdout(line));
  }
  return exit;
}

/// The same for a kind whose signatures lie beside the images.
Exit PinSeen(trust::TrustService& service, const Collection& collection, const std::string& image,
             const std::vector<std::string>& section) {
  trust::RefreshStart start{.id = collection.id, .now = Now()};
  // The reference has been read before.
  start.asked = trust::AskedName{*trust::ImageReference::Parse(image)};
  const auto sighting = collection.kind->BeginSighting(std::move(start));
  if (sighting == nullptr) {
    const auto nothing =
        collection.kind->DescribeAnchor({}, collection.id, image, collection.trust, Now());
    PrintToStderr(fmt::format("crivet: [trust.{}] is of kind \"{}\", where {}", collection.trust,
                              collection.kind->name(), nothing.error().detail));
    return Exit::kUsage;
  }
  service.Look(collection.id, sighting->refresh());
  const auto text = sighting->Text(collection.trust, Now());
  if (text) return Print(*text, section);
  PrintToStderr(fmt::format("crivet: there is nobody to pin: {} [{}]", text.error().detail,
                            trust::CodeOf(text.error().reason)));
  const bool answered = trust::AnswerFor(text.error().reason) == trust::Answer::kDeny;
  return answered ? Exit::kDenied : Exit::kUnavailable;
}

/// Asks the collection's server and prints whose its root is, `section` and the rule to paste.
Exit PinFrom(trust::TrustService& service, const Collection& collection, const std::string& image,
             const std::vector<std::string>& section) {
  if (collection.kind->server() == trust::Kind::Server::kImageRegistry) {
    return PinSeen(service, collection, image, section);
  }
  const auto root = service.FetchAnchor(collection.id);
  if (!root) {
    PrintToStderr(fmt::format("crivet: {}: {}", collection.id.url, WhyNotFetched(root.error())));
    return Exit::kUnavailable;
  }
  // The reference has been read before.
  const std::string repository = trust::ImageReference::Parse(image)->repository();
  const auto text = collection.kind->DescribeAnchor(root->bytes, collection.id, repository,
                                                    collection.trust, Now());
  if (!text) {
    PrintToStderr(fmt::format("crivet: this root must not be pinned: {} [{}]", text.error().detail,
                              trust::CodeOf(text.error().reason)));
    return Exit::kDenied;
  }
  return Print(*text, section);
}

Exit PinByConfig(const std::string& config_file, const PinOptions& options) {
  const auto config = ReadConfig(config_file);
  if (!config) return Exit::kConfiguration;
  const auto collection =
      FindCollection(*config, options.image, options.pod_namespace, options.label);
  if (!collection) {
    PrintToStderr("crivet: " + collection.error().detail);
    return Exit::kUsage;
  }
  const auto service = OpenTrust(*config);
  if (service == nullptr) return Exit::kInternal;
  return PinFrom(*service, *collection, options.image, {});
}

Exit PinWithoutConfig(const std::string& config_file, const PinOptions& options) {
  const auto reference = trust::ImageReference::Parse(options.image);
  if (!reference) {
    PrintToStderr("crivet: " + reference.error().detail);
    return Exit::kUsage;
  }
  auto server = ServerToPin(options.server, options.label);
  if (!server) {
    PrintToStderr("crivet: pin: " + server.error());
    return Exit::kUsage;
  }
  // What the file says already need not be pasted. A file that is wrong, or not there, is no
  // obstacle: this may be the first thing that is written into it.
  const std::string known =
      server->url.empty() ? std::string() : LabelOfUrl(config_file, server->url);
  if (!known.empty() && options.label.empty()) server->label = known;
  const auto section = server->label == known ? std::vector<std::string>() : ServerSection(*server);
  const ScratchFolder folder;
  const auto service =
      folder.path().empty() ? nullptr : OpenTrust(ConfigOf(*server, folder.path()));
  if (service == nullptr) return Exit::kInternal;
  const auto collection = CollectionOn(*server, *reference);
  if (!collection) {
    PrintToStderr("crivet: " + collection.error().detail);
    return Exit::kUsage;
  }
  return PinFrom(*service, *collection, options.image, section);
}

}  // namespace

void AddPin(CLI::App& app, Invocation& invocation) {
  Subcommand command =
      AddSubcommand(app, invocation, "pin", "Show whose a root is; print the rule to paste",
                    "crivet pin --url https://notary.acme.example registry.acme.example/web");
  const auto options = std::make_shared<PinOptions>();
  command.Word("IMAGE", options->image, "An image of the repository");
  command.Text({.name = "--namespace", .value = "NS", .what = "By the rule for a pod of NS"},
               options->pod_namespace);
  command.Text(
      {.name = "--trust", .value = "LABEL", .what = "Ask [trust.LABEL], where no rule says which"},
      options->label);
  ServerOptions& server = options->server;
  command.Text({.name = "--url", .value = "URL", .what = "Ask this server, named by no [trust.*]"},
               server.url);
  command.Text({.name = "--ca-file",
                .value = "FILE",
                .what = "Its authorities, instead of the system's",
                .only_with = "--url"},
               server.ca_file);
  command.Text({.name = "--kind", .value = "KIND", .what = "What it serves: a kind of [trust.*]"},
               server.kind);
  command.Runs([&invocation, options] {
    const bool by_config = options->server.url.empty() && options->server.kind.empty();
    return by_config ? PinByConfig(invocation.config_file, *options)
                     : PinWithoutConfig(invocation.config_file, *options);
  });
}

}  // namespace crivet::proxy::cli
