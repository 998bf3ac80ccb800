// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/integration/tuf_comparison/editions.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using Json = TufPublisher::Json;

// A pattern in place of the one that `shop` is delegated by.
void AddPatterns(Editions& editions) {
  for (const char* pattern :
       {"*", "*/*/*", "**", "registry.example/**", "registry.example/*",
        "registry.example/shop/web:1.?", "registry.example/[rst]hop/*",
        "registry.example/[!rt]hop/*", "registry.example/[^rt]hop/*", "registry.example/sho\\p/*",
        "registry.example/{shop,x}/*", "REGISTRY.example/shop/*", "registry.example/shop/web:1",
        "/registry.example/shop/*", ""}) {
    editions.Add(std::string("a delegation of `") + pattern + "`", [&](TufPublisher& publisher) {
      publisher["targets"].delegations["roles"][0]["paths"] = {pattern};
      publisher.PublishEdition();
    });
  }
}

// What stands before the delegation to `shop`.
void AddBefore(Editions& editions, const std::string& name, const std::string& role,
               const std::function<void(TufPublisher&)>& make) {
  editions.Add(name, [&](TufPublisher& publisher) {
    publisher.Delegate("targets", role, {"registry.example/*/*"});
    Json& roles = publisher["targets"].delegations["roles"];
    std::swap(roles[0], roles[1]);
    make(publisher);
  });
}

void AddDelegations(Editions& editions) {
  AddBefore(editions, "an earlier delegation that lists nothing", "first",
            [](TufPublisher& publisher) {
              publisher.PublishEdition({"targets", "first"});
            });
  AddBefore(editions, "an earlier delegation that lists another", "first",
            [](TufPublisher& publisher) {
              publisher.Sign("first", kImage, "evil");
              publisher.PublishEdition({"targets", "first"});
            });
  AddBefore(editions, "an earlier delegation that is terminating", "first",
            [](TufPublisher& publisher) {
              publisher["targets"].delegations["roles"][0]["terminating"] = true;
              publisher.PublishEdition({"targets", "first"});
            });
  AddBefore(editions, "an earlier delegation that the snapshot does not list", "first",
            [](TufPublisher& publisher) { publisher.PublishEdition({"targets"}); });
  AddBefore(editions, "an earlier delegation whose file is withheld", "first",
            [](TufPublisher& publisher) {
              publisher.PublishEdition({"targets", "first"});
              publisher.files.erase(publisher.NameOf("first"));
            });
  AddBefore(editions, "an earlier delegation that has expired", "first",
            [](TufPublisher& publisher) {
              publisher["first"].expires = "2020-01-01T00:00:00Z";
              publisher.PublishEdition({"targets", "first"});
            });
  AddBefore(editions, "an earlier delegation whose keys have not signed", "first",
            [](TufPublisher& publisher) {
              publisher["first"].signers = {{SigningKey::Ed25519()}};
              publisher.PublishEdition({"targets", "first"});
            });
  for (const char* role : {"../first", "a/b", "a.b", "%2e%2e", "\xc3\xa9t\xc3\xa9"}) {
    AddBefore(editions, std::string("an earlier delegation to `") + role + "`", role,
              [&](TufPublisher& publisher) {
                publisher.PublishEdition({"targets", role});
              });
  }
  editions.Add("a cycle of delegations", [](TufPublisher& publisher) {
    publisher.Delegate("shop", "more", {"registry.example/shop/*"});
    publisher.Delegate("more", "shop", {"registry.example/shop/*"});
    publisher["shop"].targets.clear();
    publisher.Sign("more", kImage, "new");
    publisher.PublishEdition({"targets", "shop", "more"});
  });
  for (const int count : {31, 32}) {
    editions.Add(std::to_string(count) + " delegations on the way", [&](TufPublisher& publisher) {
      std::vector<std::string> names = {"targets", "shop"};
      for (int i = 0; i < count; ++i) {
        names.push_back("r" + std::to_string(i));
        publisher.Delegate("targets", names.back(), {"registry.example/shop/*"});
      }
      Json& roles = publisher["targets"].delegations["roles"];
      std::rotate(roles.begin(), roles.begin() + 1, roles.end());
      publisher.PublishEdition(names);
    });
  }
  editions.Add("a delegation by the name's own hash", [](TufPublisher& publisher) {
    Json& role = publisher["targets"].delegations["roles"][0];
    role.erase("paths");
    role["path_hash_prefixes"] = {ToHex(Sha256Of(kImage)).substr(0, 4)};
    publisher.PublishEdition();
  });
  editions.Add("bins", [](TufPublisher& publisher) {
    publisher.DelegateBins("targets", 4, "bin");
    const std::string bin = "bin-" + ToHex(Sha256Of(kImage)).substr(0, 1);
    publisher[bin].keys = publisher["targets"].keys;
    publisher.Sign(bin, kImage, "new");
    publisher.PublishEdition({"targets", bin});
  });
}

struct TargetRow {
  const char* what;
  std::function<void(Json&)> edit;
};

const TargetRow kTargetRows[] = {
    {"a target with something custom",
     [](Json& target) {
       target["custom"] = {{"a", 1}};
     }},
    {"a target without length", [](Json& target) { target.erase("length"); }},
    {"a target of a length below zero", [](Json& target) { target["length"] = -1; }},
    {"a target of another length", [](Json& target) { target["length"] = 2; }},
    {"a target without hashes", [](Json& target) { target.erase("hashes"); }},
    {"a target with no hash", [](Json& target) { target["hashes"] = Json::object(); }},
    {"a target with an unknown hash alone",
     [](Json& target) {
       target["hashes"] = {{"blake2b-256", std::string(64, '0')}};
     }},
    {"a target with its sha256 in capitals",
     [](Json& target) {
       std::string hex = target["hashes"]["sha256"];
       for (char& c : hex) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
       target["hashes"]["sha256"] = hex;
     }},
    {"a target with half a sha256",
     [](Json& target) {
       target["hashes"]["sha256"] = target["hashes"]["sha256"].get<std::string>().substr(0, 32);
     }},
};

void AddTargets(Editions& editions) {
  for (const TargetRow& row : kTargetRows) {
    editions.Add(row.what, [&](TufPublisher& publisher) {
      row.edit(publisher["shop"].targets[kImage]);
      publisher.PublishEdition({"shop"});
    });
  }
  editions.Add("a damaged target of another name", [](TufPublisher& publisher) {
    publisher["shop"].targets["registry.example/shop/other:1.0"] = {{"length", "x"}};
    publisher.PublishEdition({"shop"});
  });
  editions.AddForBoth("the target is withdrawn", [](TufPublisher& publisher) {
    publisher["shop"].targets.erase(kImage);
    publisher.PublishEdition({"shop"});
  });
  editions.AddForBoth("the delegation is withdrawn", [](TufPublisher& publisher) {
    publisher["targets"].delegations["roles"].clear();
    publisher.PublishEdition({"targets"});
  });
}

}  // namespace

void AddNames(Editions& editions) {
  AddPatterns(editions);
  AddDelegations(editions);
  AddTargets(editions);
}

}  // namespace crivet::trust
