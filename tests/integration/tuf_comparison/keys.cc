// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tuf_comparison/editions.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

// Whoever gives the role its keys says it anew, and the role signs again.
void PublishKeys(TufPublisher& publisher, const std::string& role) {
  if (role == "root") {
    publisher.Publish({"root"});
  } else if (role == "shop") {
    publisher.PublishEdition({"targets", "shop"});
  } else {
    publisher.Publish({"root"});
    publisher.PublishEdition({"targets", "shop"});
  }
}

// What the delegator says of the role's keys, after it was published.
void EditKeys(TufPublisher& publisher, const std::string& role,
              const std::function<void(Json& role, Json& keys)>& edit) {
  if (role == "shop") {
    Rewrite(publisher, "targets", [&](Json& content) {
      edit(content["delegations"]["roles"][0], content["delegations"]["keys"]);
    });
  } else {
    Rewrite(publisher, "root",
            [&](Json& content) { edit(content["roles"][role], content["keys"]); });
  }
}

void AddKeysOf(Editions& editions, const std::string& role) {
  const auto add = [&](const std::string& what, const std::function<void(TufPublisher&)>& make) {
    editions.AddForBoth(what + role, make);
  };
  add("a new key for ", [&](TufPublisher& publisher) {
    publisher[role].keys = {SigningKey::Ed25519()};
    PublishKeys(publisher, role);
  });
  add("a new key while the old one signs: ", [&](TufPublisher& publisher) {
    publisher[role].signers = publisher[role].keys;
    publisher[role].keys = {SigningKey::Ed25519()};
    PublishKeys(publisher, role);
  });
  add("a new key that signs before it is named: ", [&](TufPublisher& publisher) {
    publisher[role].signers = {{SigningKey::Ed25519()}};
    PublishKeys(publisher, role);
  });
  add("threshold 2 and both sign: ", [&](TufPublisher& publisher) {
    publisher[role].keys.push_back(SigningKey::Ed25519());
    publisher[role].threshold = 2;
    PublishKeys(publisher, role);
  });
  add("threshold 2 and one signs: ", [&](TufPublisher& publisher) {
    publisher[role].signers = publisher[role].keys;
    publisher[role].keys.push_back(SigningKey::Ed25519());
    publisher[role].threshold = 2;
    PublishKeys(publisher, role);
  });
  add("threshold 2 of one key: ", [&](TufPublisher& publisher) {
    publisher[role].threshold = 2;
    PublishKeys(publisher, role);
  });
  add("threshold 0: ", [&](TufPublisher& publisher) {
    publisher[role].threshold = 0;
    PublishKeys(publisher, role);
  });
  add("a key of a type that nobody knows beside the others: ", [&](TufPublisher& publisher) {
    EditKeys(publisher, role, [](Json& of, Json& keys) {
      const std::string id(64, 'b');
      of["keyids"].push_back(id);
      keys[id] = {{"keytype", "ml-dsa-65"},
                  {"scheme", "ml-dsa-65"},
                  {"keyval", {{"public", std::string(128, 'c')}}}};
    });
  });
  add("a key that is named and not there: ", [&](TufPublisher& publisher) {
    EditKeys(publisher, role,
             [](Json& of, Json&) { of["keyids"].push_back(std::string(64, 'd')); });
  });
  add("members of a key that nobody knows: ", [&](TufPublisher& publisher) {
    EditKeys(publisher, role, [](Json& of, Json& keys) {
      // The ID that such a key has by its bytes is another; the file names it as before.
      keys[of["keyids"][0].get<std::string>()]["x-online"] = true;
    });
  });
  add("one key under two IDs and threshold 2: ", [&](TufPublisher& publisher) {
    const std::string known = TufPublisher::IdOf(publisher[role].keys.front());
    const std::string other(64, 'e');
    EditKeys(publisher, role, [&](Json& of, Json& keys) {
      of["keyids"].push_back(other);
      of["threshold"] = 2;
      keys[other] = keys[known];
    });
    const std::string signer = role == "root" ? publisher.NameOf("root") : publisher.NameOf(role);
    Json file = Json::parse(publisher.files[signer]);
    Json again = file["signatures"][0];
    again["keyid"] = other;
    file["signatures"].push_back(again);
    publisher.files[signer] = file.dump();
  });
}

}  // namespace

void AddKeys(Editions& editions) {
  for (const std::string& role : SomeRoles()) AddKeysOf(editions, role);
  editions.AddForBoth("a new root that only its own key signs", [](TufPublisher& publisher) {
    publisher["root"].keys = {SigningKey::Ed25519()};
    publisher["root"].signers = publisher["root"].keys;
    publisher.Publish({"root"});
  });
  editions.AddForBoth("root 3 served as root 2", [](TufPublisher& publisher) {
    publisher.Publish({"root", "root"});
    publisher.files["2.root.json"] = publisher.files["3.root.json"];
    publisher.files.erase("3.root.json");
  });
  editions.AddForBoth("a root of the same version", [](TufPublisher& publisher) {
    publisher.files["2.root.json"] = publisher.files["1.root.json"];
  });
  editions.AddForBoth("three new root keys, the second root expired", [](TufPublisher& publisher) {
    for (const char* expires :
         {"2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"}) {
      publisher["root"].keys = {SigningKey::Ed25519()};
      publisher["root"].expires = expires;
      publisher.Publish({"root"});
    }
  });
  editions.AddForBoth("all versions go back and the keys of timestamp and snapshot are new",
                      [](TufPublisher& publisher) {
                        publisher["timestamp"].keys = {SigningKey::Ed25519()};
                        publisher["snapshot"].keys = {SigningKey::Ed25519()};
                        publisher.Publish({"root"});
                        for (const char* role : {"timestamp", "snapshot", "targets", "shop"}) {
                          publisher[role].version = 0;
                        }
                        publisher.PublishEdition({"targets", "shop"});
                      });
}

}  // namespace crivet::trust
