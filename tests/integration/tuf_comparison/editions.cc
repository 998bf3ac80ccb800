// SPDX-License-Identifier: Apache-2.0

// Writes, as one JSON document, what a server of TUF 1.0 has in every case that the clients are
// asked about: what it serves, and for which files it has a status instead.

#include "tests/integration/tuf_comparison/editions.h"

#include <iostream>

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

// Room below for versions that go back.
constexpr std::int64_t kVersionsBelow = 5;

Json Served(const Edition& edition) {
  return {{"name", edition.name},
          {"warm", edition.nodes == Nodes::kNewAndWarm},
          {"files", edition.served.files},
          {"statuses", edition.statuses}};
}

}  // namespace

const std::vector<std::string>& SomeRoles() {
  static const std::vector<std::string> roles = {"root", "timestamp", "shop"};
  return roles;
}

Editions::Editions() {
  for (const char* role : {"timestamp", "snapshot", "targets", "shop"}) {
    before_[role].version = kVersionsBelow;
  }
  before_.Delegate("targets", "shop", {"registry.example/shop/*"});
  before_.Sign("shop", kImage, "old");
  before_.PublishEdition({"targets", "shop"});
}

void Editions::Add(std::string name, const Make& make) { Add(std::move(name), make, Nodes::kNew); }

void Editions::AddForBoth(std::string name, const Make& make) {
  Add(std::move(name), make, Nodes::kNewAndWarm);
}

void Editions::Add(std::string name, const Make& make, Nodes nodes) {
  TufPublisher served = before_;
  served.Sign("shop", kImage, "new");
  served.PublishEdition({"targets", "shop"});
  make(served);
  list_.push_back({std::move(name), std::move(served), nodes});
}

void Rewrite(TufPublisher& publisher, const std::string& role,
             const std::function<void(Json&)>& edit) {
  if (role == "root") publisher.Publish({"root"});
  Json content = publisher.Content(role);
  edit(content);
  publisher.files[publisher.NameOf(role)] = TufPublisher::Signed(content, publisher[role].keys);
}

void Editions::AddEdited(std::string name, const std::string& role,
                         const std::function<void(Json&)>& edit, Nodes nodes) {
  Add(
      std::move(name), [&](TufPublisher& served) { Rewrite(served, role, edit); }, nodes);
}

void Editions::AddBent(std::string name, const std::string& role,
                       const std::function<void(std::string&)>& bend) {
  Add(std::move(name), [&](TufPublisher& served) {
    if (role == "root") served.Publish({"root"});
    bend(served.files[served.NameOf(role)]);
  });
}

void Editions::AddStatus(std::string name, const std::string& role, int status) {
  AddForBoth(std::move(name), [](TufPublisher&) {});
  Edition& edition = list_.back();
  edition.statuses[role == "root" ? "2.root.json" : edition.served.NameOf(role)] = status;
}

}  // namespace crivet::trust

int main() {
  using namespace crivet::trust;
  Editions editions;
  AddFiles(editions);
  AddKeys(editions);
  AddListings(editions);
  AddNames(editions);
  TufPublisher::Json all = {{"image", kImage},
                            {"before", Served({"before", editions.before()})},
                            {"cases", TufPublisher::Json::array()}};
  for (const Edition& edition : editions.list()) all["cases"].push_back(Served(edition));
  std::cout << all.dump() << "\n";
}
