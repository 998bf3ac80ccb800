#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "proxy/cli/pin_text.h"
#include "proxy/cli/state_folder.h"
#include "proxy/cli/subcommand.h"
#include "proxy/wall_clock.h"

namespace crivet::proxy::cli {
namespace {

struct PinOptions {
  std::string image;
  std::string pod_namespace;
  std::string label;
};

std::string WhyNotFetched(const trust::FetchFailure& failure) {
  switch (failure.kind) {
    case trust::FetchFailure::Kind::kNotFound:
      return "the server does not know this collection";
    case trust::FetchFailure::Kind::kNetwork:
      return "the server cannot be asked: " + std::string(trust::WordOf(failure.cause));
    case trust::FetchFailure::Kind::kTooLarge:
      return "the server's root.json is larger than a root may be";
  }
  return {};
}

Exit Pin(const std::string& config_file, const PinOptions& options) {
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
  const auto root = service->FetchRoot(collection->id);
  if (!root) {
    PrintToStderr(fmt::format("crivet: {}: {}", collection->id.url, WhyNotFetched(root.error())));
    return Exit::kUnavailable;
  }
  // FindCollection has read the reference.
  const std::string repository = trust::ImageReference::Parse(options.image)->repository();
  const auto text = DescribeRoot(*root, *collection, repository, Now());
  if (!text) {
    PrintToStderr(fmt::format("crivet: this root must not be pinned: {} [{}]", text.error().detail,
                              trust::CodeOf(text.error().reason)));
    return Exit::kDenied;
  }
  for (const std::string& line : text->who) PrintToStderr(line);
  Exit exit = Exit::kDone;
  for (const std::string& line : text->rule) exit = Worst(exit, PrintToStdout(line));
  return exit;
}

}  // namespace

void AddPin(CLI::App& app, Invocation& invocation) {
  CLI::App& command =
      AddSubcommand(app, invocation, "pin", "Show whose a root is; print the rule to paste",
                    "crivet pin registry.acme.example/web");
  const auto options = std::make_shared<PinOptions>();
  command.add_option("IMAGE", options->image, "An image of the repository")->required();
  command.add_option("--namespace", options->pod_namespace, "By the rule for a pod of NS")
      ->type_name("NS");
  command.add_option("--trust", options->label, "Ask [trust.LABEL], where no rule says which")
      ->type_name("LABEL");
  command.callback([&invocation, options] {
    invocation.run = [&invocation, options] { return Pin(invocation.config_file, *options); };
  });
}

}  // namespace crivet::proxy::cli
