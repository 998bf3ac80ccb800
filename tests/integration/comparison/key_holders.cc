// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "tests/integration/comparison/cases.h"
#include "tests/support/trust/future_key.h"
#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using Json = SigningRepository::Json;
using std::chrono::hours;

const std::string kReleases = "targets/releases";
const std::string kDeep = "targets/releases/deep";

// The edition that this makes of the edition after.
using Make = std::function<void(SigningRepository&)>;

class Attacks {
 public:
  explicit Attacks(const Editions& editions) : editions_(editions) {}

  void Add(std::string name, const Make& make) {
    SigningRepository served = editions_.After();
    make(served);
    list_.push_back({std::move(name), std::move(served)});
  }
  /// The edition after is published; then this is done by a holder of the role's key.
  void AddEdited(std::string name, const std::string& role, std::function<void(Json&)> edit) {
    Add(std::move(name), [&](SigningRepository& served) {
      served.Publish({{role, Content(std::move(edit))}});
    });
  }
  std::vector<Attack> Take() { return std::move(list_); }
  const SigningRepository& before() const { return editions_.before; }

 private:
  const Editions& editions_;
  std::vector<Attack> list_;
};

// What a server's keys alone can do: old files under new signatures.
void AddRollbacks(Attacks& attacks) {
  const SigningRepository& before = attacks.before();
  attacks.Add("the edition before", [&](SigningRepository& served) { served = before; });
  // What the publisher replaced before the warm node came: 1.0 is `evil` in it.
  SigningRepository first = before;
  for (const std::string role : {"targets", "targets/releases"}) {
    first.SetNextVersion(role, 1);
    first.Sign(role, "1.0", DigestOf("evil"));
  }
  first.SetNextVersion("snapshot", 1);
  first.SetNextVersion("timestamp", 1);
  first.Publish();
  attacks.Add("all rolled back", [&](SigningRepository& served) { served = first; });
  attacks.Add("all rolled back but the timestamp", [&](SigningRepository& served) {
    served = first;
    served.SetNextVersion("timestamp", before.version("timestamp") + 1);
    served.Publish();
  });
  for (const std::string role : {"targets", "targets/releases"}) {
    attacks.Add("rolled back by the holder of the snapshot key: " + role,
                [&](SigningRepository& served) {
                  served = before;
                  served.SetNextVersion(role, 1);
                  served.Sign(role, "1.0", DigestOf("evil"));
                  served.Publish();
                });
  }
  for (const std::string role : {"timestamp", "snapshot", "targets", "targets/releases"}) {
    attacks.Add("the version of before with other content: " + role,
                [&](SigningRepository& served) {
                  served = before;
                  if (role.starts_with("targets")) served.Sign(role, "1.0", DigestOf("evil"));
                  served.SetExpiry(role, served.Start().now + hours{24 * 400});
                  served.SetNextVersion(role, before.version(role));
                  served.Publish();
                });
  }
}

void AddSnapshots(Attacks& attacks) {
  for (const std::string role : {"root", "targets", "targets/releases"}) {
    attacks.AddEdited("the snapshot without an entry for " + role, "snapshot",
                      [=](Json& content) { content["meta"].erase(role); });
  }
  attacks.AddEdited("the timestamp without an entry for snapshot", "timestamp",
                    [](Json& content) { content["meta"].erase("snapshot"); });
  for (const auto& [role, listed] :
       {std::pair{"timestamp", "snapshot"}, std::pair{"snapshot", "targets"}}) {
    for (const int more : {-1, 1}) {
      attacks.AddEdited(
          std::string("a length ") + (more < 0 ? "below" : "above") + " the true one for " + listed,
          role, [listed = std::string(listed), more](Json& content) {
            Json& length = content["meta"][listed]["length"];
            length = length.get<int>() + more;
          });
    }
    attacks.AddEdited(
        std::string("no sha256 for ") + listed, role,
        [listed = std::string(listed)](Json& content) {
          content["meta"][listed]["hashes"] = {{"md5", ToBase64(AsBytes(std::string(16, 'x')))}};
        });
  }
  attacks.Add("the publisher removes the delegation but not its entry", [](SigningRepository& s) {
    s.Undelegate(kReleases, SigningRepository::Entry::kLeftBehind);
    s.Publish();
  });
  attacks.Add("the publisher removes the delegation", [](SigningRepository& s) {
    s.Undelegate(kReleases);
    s.Publish();
  });
}

// Keys that changed, and who signs after it.
void AddRotations(Attacks& attacks) {
  const auto key_for = [gun = attacks.before().gun()](const std::string& role) {
    return role == "root" ? RootKeyFor(gun) : SigningKey::Ecdsa();
  };
  for (const std::string role : {"root", "timestamp", "snapshot", "targets", "targets/releases"}) {
    attacks.Add("a new key for " + role, [&](SigningRepository& s) {
      s.SetKeys(role, {key_for(role)});
      s.Publish();
    });
    attacks.Add("a new key while the old one signs: " + role, [&](SigningRepository& s) {
      const auto old = s.keys(role);
      s.SetKeys(role, {key_for(role)});
      s.SetSigners(role, old);
      s.Publish();
    });
    attacks.Add("threshold 2 and one signer twice: " + role, [&](SigningRepository& s) {
      s.SetKeys(role, {s.keys(role).front(), key_for(role)}, 2);
      s.Publish();
      Damage twice;
      twice.signers = std::vector{s.keys(role).front(), s.keys(role).front()};
      s.Publish({{role, twice}});
    });
    attacks.Add("threshold 2 and both sign: " + role, [&](SigningRepository& s) {
      s.SetKeys(role, {s.keys(role).front(), key_for(role)}, 2);
      s.Publish();
    });
    attacks.Add("threshold 2 of one key: " + role, [&](SigningRepository& s) {
      s.SetKeys(role, s.keys(role), 2);
      s.Publish();
    });
    attacks.Add("a key of a type that nobody knows beside the others: " + role,
                [&](SigningRepository& s) {
                  s.SetKeys(role, {s.keys(role).front(), MlDsa65Key()});
                  s.Publish();
                });
    attacks.Add("threshold 0: " + role, [&](SigningRepository& s) {
      s.SetKeys(role, s.keys(role), 0);
      s.Publish();
    });
  }
  attacks.Add("a version far ahead before a new key: targets", [](SigningRepository& s) {
    s.SetNextVersion("targets", 2000000000);
    s.Publish();
    s.SetKeys("targets", {SigningKey::Ecdsa()});
    s.SetNextVersion("targets", 2);
    s.Publish();
  });
}

void AddRoots(Attacks& attacks) {
  const std::string gun = attacks.before().gun();
  attacks.Add("three new root keys in a row", [&](SigningRepository& s) {
    for (int i = 0; i < 3; ++i) {
      s.SetKeys("root", {RootKeyFor(gun)});
      s.Publish();
    }
  });
  attacks.Add("three new root keys without a link", [&](SigningRepository& s) {
    std::string second;
    for (int i = 0; i < 3; ++i) {
      s.SetKeys("root", {RootKeyFor(gun)});
      s.Publish();
      if (i == 1) second = std::to_string(s.version("root"));
    }
    s.Refuse(second + ".root.json", {});
  });
  attacks.Add("a new root that only its own key signs", [&](SigningRepository& s) {
    const std::vector<SigningKey> key{RootKeyFor(gun)};
    s.SetKeys("root", key);
    s.SetSigners("root", key);
    s.Publish();
  });
  attacks.Add("a new root key with a version 5 further", [&](SigningRepository& s) {
    s.SetKeys("root", {RootKeyFor(gun)});
    s.SetNextVersion("root", s.version("root") + 5);
    s.Publish();
  });
  attacks.Add("the same root key with a version 5 further", [&](SigningRepository& s) {
    s.SetNextVersion("root", s.version("root") + 5);
    s.Publish();
  });
  attacks.Add("a new root key in a certificate that has expired", [&](SigningRepository& s) {
    CertificateRequest request;
    request.common_names = {gun};
    request.not_after = TimePoint{std::chrono::sys_days{std::chrono::year{2021} / 1 / 1}};
    s.SetKeys("root", {SigningKey::Ecdsa().SelfSigned(request)});
    s.Publish();
  });
  attacks.Add("a new root key in a certificate of another name", [&](SigningRepository& s) {
    s.SetKeys("root", {RootKeyFor(gun + "x")});
    s.Publish();
  });
  attacks.Add("the collection begun anew", [&](SigningRepository& s) {
    const auto expires = s.Start().now + hours{24 * 3650};
    s = SigningRepository(gun);
    s.Delegate(kReleases, {SigningKey::Ecdsa()});
    s.Sign(kReleases, "1.0", DigestOf("evil"));
    for (const std::string role :
         {"root", "timestamp", "snapshot", "targets", "targets/releases"}) {
      s.SetExpiry(role, expires);
    }
    s.Publish();
  });
}

// What the holder of a targets key or a delegation's says.
void AddTags(Attacks& attacks) {
  const std::string evil = R"("targets":{"1.0":{"hashes":{"sha256":")" +
                           ToBase64(DigestOf("evil").bytes()) + R"("},"length":1}},)";
  for (const std::string role : {"targets", "targets/releases"}) {
    attacks.Add("`targets` twice in " + role, [&](SigningRepository& s) {
      Damage twice;
      twice.bytes = [&](std::string& bytes) { bytes.insert(bytes.find("\"targets\":{"), evil); };
      s.Publish({{role, twice}});
    });
    attacks.AddEdited("a delegation to `root` in " + role, role, [](Json& content) {
      content["delegations"]["roles"].push_back(
          {{"name", "root"}, {"keyids", Json::array()}, {"threshold", 1}, {"paths", {""}}});
    });
    attacks.AddEdited("a delegation that is null in " + role, role,
                      [](Json& content) { content["delegations"]["roles"].push_back(nullptr); });
  }
  const auto edit_tag = [&](const std::string& name, std::function<void(Json&)> edit) {
    attacks.AddEdited(name, kReleases, [=](Json& content) { edit(content["targets"]["1.0"]); });
  };
  edit_tag("a tag without sha256", [](Json& tag) {
    tag["hashes"] = {{"sha512", ToBase64(AsBytes(std::string(64, 'x')))}};
  });
  edit_tag("a tag with a sha256 of 31 bytes",
           [](Json& tag) { tag["hashes"]["sha256"] = ToBase64(AsBytes(std::string(31, 'x'))); });
  edit_tag("a tag without length", [](Json& tag) { tag.erase("length"); });
  edit_tag("a tag with something custom", [](Json& tag) { tag["custom"] = {{"a", 1}}; });
  for (const std::string path : {"", "1.", "2."}) {
    attacks.Add("the delegation for paths `" + path + "`", [&](SigningRepository& s) {
      s.Delegate(kReleases, s.keys(kReleases), 1, {path});
      s.Publish();
    });
  }
  attacks.Add("the delegation for no path", [&](SigningRepository& s) {
    s.Delegate(kReleases, s.keys(kReleases), 1, {});
    s.Publish();
  });
  attacks.Add("the tag in a child of `targets/releases` too", [](SigningRepository& s) {
    s.Delegate(kDeep, {SigningKey::Ecdsa()});
    s.Sign(kDeep, "1.0", DigestOf("of the child"));
    s.Publish();
  });
  attacks.Add("the tag in a child of `targets/releases` alone", [](SigningRepository& s) {
    s.Withdraw(kReleases, "1.0");
    s.Delegate(kDeep, {SigningKey::Ecdsa()});
    s.Sign(kDeep, "1.0", DigestOf("of the child"));
    s.Publish();
  });
  attacks.Add("65 delegations", [](SigningRepository& s) {
    const SigningKey key = SigningKey::Ecdsa();
    for (int i = 0; i < 64; ++i) s.Delegate("targets/d" + std::to_string(i), {key});
    s.Publish();
  });
}

}  // namespace

std::vector<Attack> AttacksByKeyHolders(const Editions& editions) {
  Attacks attacks(editions);
  attacks.Add("nothing wrong", [](SigningRepository& served) { served.Publish(); });
  AddRollbacks(attacks);
  AddSnapshots(attacks);
  AddRotations(attacks);
  AddRoots(attacks);
  AddTags(attacks);
  return attacks.Take();
}

}  // namespace crivet::trust
