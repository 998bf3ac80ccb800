// SPDX-License-Identifier: Apache-2.0
#include "bench/fleet_upstream.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "trust/io/http/http_fetcher.h"
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

}  // namespace

TimePoint MachineTime() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

FleetUpstream::FleetUpstream(const FleetArguments& arguments) : arguments_(arguments) {
  settings_.label = "fleet";
  settings_.kind = arguments.kind;
  settings_.url = arguments.url;
  settings_.ca_file = arguments.ca;
  settings_.refresh_interval = kInterval;
  fetcher_ = HttpFetcher::Create(settings_, [](const std::string&) {}).value();
  if (is_tuf()) Publish(MachineTime() + std::chrono::hours{24 * 14});
}

std::shared_ptr<const Policy> FleetUpstream::MakePolicy() const {
  Rule fallback;
  fallback.name = "default";
  fallback.is_default = true;
  return std::make_shared<const Policy>(
      Policy::Create({is_tuf() ? TufRule() : Rule(NotarysRule())}, std::move(fallback)).value());
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
  rule.images = {ImagePattern::Parse("registry.acme.example/**").value()};
  rule.action = Action::kVerify;
  rule.trust = settings_.label;
  rule.url = settings_.url;
  rule.roles = {RoleName::Targets()};
  rule.root.root_file = ContentOf(arguments_.root);
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
  rule.images = {ImagePattern::Parse("registry.acme.example/**").value()};
  rule.action = Action::kVerify;
  rule.members = {{settings_.label, settings_.url, &TufKind(), std::move(demand)}};
  return rule;
}

}  // namespace crivet::trust
