// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "tests/integration/comparison/cases.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

// A function of the node's scripts.
void Do(const std::string& command) {
  if (std::system((Environment("CRIVET_DO") + " " + command).c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

// A collection on the real server, and its publisher.
class Collection {
 public:
  Collection() {
    static int count = 0;
    gun_ = "registry.acme.example/test/c" + std::to_string(++count);
    Do("notary_client init " + gun_ + " -p");
  }
  const std::string& gun() const { return gun_; }

  void Sign(const std::string& tag, const std::string& text,
            const std::string& role = "targets") const {
    Do("notary_client addhash " + gun_ + " " + tag + " 100 --sha256 " +
       ToHex(DigestOf(text).bytes()) + " -r " + role + " -p");
  }
  void Run(const std::string& command) const { Do(command + " " + gun_); }

  std::string root_key_id() const {
    std::ifstream file(Environment("CRIVET_PUBLISHER") + "/tuf/" + gun_ + "/metadata/root.json");
    const auto root = nlohmann::json::parse(file);
    return root.at("signed").at("roles").at("root").at("keyids").at(0);
  }
  TwoClients NewNode() const { return {Environment("CRIVET_NOTARY_URL"), gun_, root_key_id()}; }

 private:
  std::string gun_;
};

// What a publisher or the server's keeper does while a node looks on.
struct Change {
  std::string name;
  std::function<void(const Collection&)> before;
  std::function<void(const Collection&)> change;
};

void SignOld(const Collection& c) { c.Sign("1.0", "old"); }

std::vector<Change> Changes() {
  const auto delegated = [](const Collection& c) {
    c.Sign("1.0", "of targets");
    c.Run("add_delegation");
  };
  const auto by_delegate = [=](const Collection& c) {
    delegated(c);
    c.Sign("1.0", "old", "targets/releases");
  };
  const auto after = [](std::vector<std::string> commands) {
    return [=](const Collection& c) {
      for (const std::string& command : commands) c.Run(command);
      c.Sign("1.0", "new");
    };
  };
  return {
      {"real server: signed again", SignOld, after({})},
      {"real server: another tag is signed", SignOld,
       [](const Collection& c) { c.Sign("2.0", "new"); }},
      {"real server: the tag is removed", SignOld,
       [](const Collection& c) { c.Run("remove_tag"); }},
      {"real server: a delegation is added", [](const Collection& c) { c.Sign("1.0", "old"); },
       [](const Collection& c) { c.Run("add_delegation"); }},
      {"real server: the delegate signs the tag too", delegated,
       [](const Collection& c) { c.Sign("1.0", "new", "targets/releases"); }},
      {"real server: the delegate signs the tag again", by_delegate,
       [](const Collection& c) { c.Sign("1.0", "new", "targets/releases"); }},
      {"real server: the delegation is removed", by_delegate,
       [](const Collection& c) { c.Run("remove_delegation"); }},
      {"real server: a new key for targets", SignOld, after({"rotate_key targets"})},
      {"real server: a new key for snapshot", SignOld, after({"rotate_key snapshot"})},
      {"real server: the server gets the key of snapshot", SignOld,
       after({"rotate_server_key snapshot"})},
      {"real server: a new key for timestamp", SignOld, after({"rotate_server_key timestamp"})},
      {"real server: a new key for root", SignOld, after({"rotate_key root"})},
      {"real server: three new keys for root", SignOld,
       after({"rotate_key root", "rotate_key root", "rotate_key root"})},
      {"real server: deleted and begun anew", SignOld, after({"begin_anew"})},
      {"real server: away", SignOld, [](const Collection&) { Do("part_stop notary-server"); }},
  };
}

}  // namespace

void CompareWithRealServer(RecordBook& book) {
  for (const Change& change : Changes()) {
    const Collection collection;
    change.before(collection);
    const TwoClients fresh = collection.NewNode();
    const TwoClients warm = collection.NewNode();
    warm.Ask("1.0");
    if (change.name.ends_with("signed again")) {
      book.Write("real server: a tag that is not signed", "warm", warm.Ask("9.9"));
      const TwoClients elsewhere(Environment("CRIVET_NOTARY_URL"), collection.gun() + "/none",
                                 collection.root_key_id());
      book.Write("real server: a collection that is not there", "new", elsewhere.Ask("1.0"));
    }
    change.change(collection);
    book.Write(change.name, "new", fresh.Ask("1.0"));
    book.Write(change.name, "warm", warm.Ask("1.0"));
    book.Write(change.name, "again", warm.Ask("1.0"));
    if (change.name.ends_with("the delegate signs the tag too")) {
      book.Write("real server: asked with `notary lookup`", "warm",
                 warm.Ask("1.0", TwoClients::Command::kLookup));
    }
  }
}

}  // namespace crivet::trust
