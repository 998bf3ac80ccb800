// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tuf_comparison/editions.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

Json TrueEntry(const TufPublisher& publisher, const std::string& role) {
  const std::string& file = publisher.files.at(publisher.NameOf(role));
  return {{"version", Json::parse(file)["signed"]["version"]},
          {"length", file.size()},
          {"hashes", {{"sha256", ToHex(Sha256Of(file))}}}};
}

struct ListingRow {
  const char* what;
  std::function<void(Json&)> edit;
};

const ListingRow kListings[] = {
    {"the true length and hash of", [](Json&) {}},
    {"a length below the true one of",
     [](Json& entry) { entry["length"] = entry["length"].get<int>() - 1; }},
    {"a length above the true one of",
     [](Json& entry) { entry["length"] = entry["length"].get<int>() + 1; }},
    {"another hash of",
     [](Json& entry) {
       entry["hashes"] = {{"sha256", std::string(64, '0')}};
     }},
    {"an unknown hash alone of",
     [](Json& entry) {
       entry["hashes"] = {{"blake2b-256", std::string(64, '0')}};
     }},
    {"an unknown hash beside the true one of",
     [](Json& entry) { entry["hashes"]["blake2b-256"] = std::string(64, '0'); }},
    {"no version of", [](Json& entry) { entry.erase("version"); }},
    {"a version above the true one of",
     [](Json& entry) { entry["version"] = entry["version"].get<int>() + 1; }},
};

void AddLies(Editions& editions) {
  for (const std::string role : {"snapshot", "targets", "shop"}) {
    for (const ListingRow& row : kListings) {
      editions.Add(std::string(row.what) + " " + role + " is listed", [&](TufPublisher& publisher) {
        Json entry = TrueEntry(publisher, role);
        row.edit(entry);
        publisher.listed[role] = entry;
        if (role != "snapshot") publisher.Publish({"snapshot"});
        publisher.Publish({"timestamp"});
      });
    }
  }
  for (const std::string role : {"targets", "shop"}) {
    editions.AddForBoth("the snapshot without an entry for " + role, [&](TufPublisher& publisher) {
      publisher.unlisted.insert(role);
      publisher.PublishEdition({});
    });
  }
}

// Files that are older than what a warm node has verified.
void AddRollbacks(Editions& editions) {
  const TufPublisher before = editions.before();
  editions.AddForBoth("the edition before", [&](TufPublisher& publisher) { publisher = before; });
  const std::vector<std::string> online = {"timestamp", "snapshot", "targets", "shop"};
  const auto roll_back = [](TufPublisher& publisher, const std::vector<std::string>& roles) {
    publisher.Sign("shop", kImage, "evil");
    for (const std::string& role : roles) publisher[role].version = 0;
    publisher.PublishEdition({"targets", "shop"});
  };
  editions.AddForBoth("all rolled back",
                      [&](TufPublisher& publisher) { roll_back(publisher, online); });
  editions.AddForBoth("all rolled back but the timestamp", [&](TufPublisher& publisher) {
    roll_back(publisher, {"snapshot", "targets", "shop"});
  });
  for (const std::string& role : online) {
    editions.AddForBoth("rolled back by whoever holds the other keys: " + role,
                        [&](TufPublisher& publisher) { roll_back(publisher, {role}); });
    editions.AddForBoth("the version of before with other content: " + role,
                        [&](TufPublisher& publisher) {
                          publisher = before;
                          const std::int64_t version = publisher[role].version;
                          publisher.Sign("shop", kImage, "evil");
                          publisher.PublishEdition({"targets", "shop"});
                          publisher[role].version = version - 1;
                          publisher.Publish({role});
                          if (role == "shop" || role == "targets") publisher.Publish({"snapshot"});
                          if (role != "timestamp") publisher.Publish({"timestamp"});
                        });
  }
}

}  // namespace

void AddListings(Editions& editions) {
  AddLies(editions);
  AddRollbacks(editions);
  editions.AddForBoth("without consistent snapshots", [](TufPublisher& publisher) {
    publisher.consistent = false;
    publisher.Publish({"root"});
    publisher.PublishEdition({"targets", "shop"});
  });
}

}  // namespace crivet::trust
