// SPDX-License-Identifier: Apache-2.0
#include "bench/fleet_upstream.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "trust/io/http/http_fetcher.h"
#include "trust/io/registry/registry_fetcher.h"
#include "trust/sigstore/sigstore_demand.h"
#include "trust/sigstore/sigstore_kind.h"
#include "trust/tuf1/tuf_demand.h"
#include "trust/tuf1/tuf_kind.h"

namespace crivet::trust {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr char kImages[] = "registry.acme.example/**";

std::string KindOf(const FleetArguments& arguments) {
  return arguments.kind == "registry" ? std::string(SigstoreKind().name()) : arguments.kind;
}

}  // namespace

MetadataFetcher::Answer RegistryClients::Fetch(const FileRequest& request, const Terms& terms) {
  std::unique_ptr<MetadataFetcher> client;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!client) {
    client = std::make_unique<RegistryFetcher>(settings_, [](const std::string&) {});
  }
  Answer answer = client->Fetch(request, terms);
  if (answer.fetched || answer.fetched.error().kind == FetchFailure::Kind::kNotFound) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(client));
  }
  return answer;
}

MetadataFetcher::Answer NodeOfRegistry::Fetch(const FileRequest& request, const Terms& terms) {
  const ServerSilence::Time now = time_.passed();
  if (const auto cause = silence_.HeldBackBy(now)) {
    return {tl::unexpected(FetchFailure{FetchFailure::Kind::kNetwork, *cause}), std::nullopt};
  }
  Answer answer = clients_->Fetch(request, terms);
  const bool unreachable = !answer.fetched &&
                           answer.fetched.error().kind == FetchFailure::Kind::kNetwork &&
                           answer.fetched.error().cause == NetworkCause::kUnreachable;
  if (unreachable) {
    silence_.NoteFailure(Heard::kNoConnection, NetworkCause::kUnreachable, {}, now, now,
                         ServerSilence::Company::kOthersThere);
  } else {
    silence_.NoteAnswer(now);
  }
  return answer;
}

TimePoint MachineTime() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

FleetUpstream::FleetUpstream(const FleetArguments& arguments) : arguments_(arguments) {
  settings_.label = "fleet";
  settings_.kind = KindOf(arguments);
  settings_.url = arguments.url;
  settings_.ca_file = arguments.ca;
  settings_.refresh_interval = kInterval;
  if (is_registry()) {
    settings_.registry_config = {arguments.hosts};
    fetcher_ = std::make_shared<RegistryClients>(settings_);
    return;
  }
  fetcher_ = HttpFetcher::Create(settings_, [](const std::string&) {}).value();
  if (is_tuf()) Publish(MachineTime() + std::chrono::hours{24 * 14});
}

std::shared_ptr<const Policy> FleetUpstream::MakePolicy() const {
  Rule fallback;
  fallback.name = "default";
  fallback.is_default = true;
  return std::make_shared<const Policy>(Policy::Create({OwnRule()}, std::move(fallback)).value());
}

Rule FleetUpstream::OwnRule() const {
  if (is_registry()) return RegistryRule();
  return is_tuf() ? TufRule() : Rule(NotarysRule());
}

void FleetUpstream::Publish(TimePoint expires) {
  if (!publisher_) {
    publisher_ = std::make_unique<TufPublisher>();
    publisher_->Sign("targets", arguments_.image, "the image");
    publisher_->PublishEdition();
  }
  (*publisher_)["timestamp"].expires = FormatRfc3339(expires);
  publisher_->Publish({"timestamp"});
  fs::create_directories(arguments_.publish);
  for (const auto& [name, bytes] : publisher_->files) {
    const fs::path file = fs::path(arguments_.publish) / name;
    std::ofstream(file.string() + ".new", std::ios::binary) << bytes;
    fs::rename(file.string() + ".new", file);
  }
}

void FleetUpstream::Do(const std::string& what) const {
  if (std::system((arguments_.hook + " " + what).c_str()) != 0) {
    throw std::runtime_error(arguments_.hook + " " + what + " failed");
  }
}

NotaryRule FleetUpstream::NotarysRule() const {
  NotaryRule rule;
  rule.name = "fleet";
  rule.images = {ImagePattern::Parse(kImages).value()};
  rule.action = Action::kVerify;
  rule.trust = settings_.label;
  rule.url = settings_.url;
  rule.roles = {RoleName::Targets()};
  rule.root.root_file = ContentOf(arguments_.root);
  return rule;
}

Rule FleetUpstream::RegistryRule() const {
  const std::string pem = ContentOf(arguments_.key);
  auto demand = std::make_shared<sigstore::SigstoreDemand>();
  demand->image.signer.who = sigstore::KeyDemand{{VerificationKey::FromPem(pem).value()}};
  demand->fingerprint = Sha256Of(pem);
  Rule rule;
  rule.name = "fleet";
  rule.images = {ImagePattern::Parse(kImages).value()};
  rule.action = Action::kVerify;
  rule.members = {{settings_.label, "", &SigstoreKind(), std::move(demand)}};
  return rule;
}

Rule FleetUpstream::TufRule() const {
  auto trust = std::make_shared<tuf1::TufTrust>();
  trust->pin.file = tuf1::ReadFirstRoot(publisher_->files.at("1.root.json"), {}).value();
  auto demand = std::make_shared<tuf1::TufDemand>(
      tuf1::TargetName::Parse("{name}:{tag}", tuf1::TargetName::Of::kTag).value());
  demand->trust = trust;
  Rule rule;
  rule.name = "fleet";
  rule.images = {ImagePattern::Parse(kImages).value()};
  rule.action = Action::kVerify;
  rule.members = {{settings_.label, settings_.url, &TufKind(), std::move(demand)}};
  return rule;
}

}  // namespace crivet::trust
