// SPDX-License-Identifier: Apache-2.0

// Every role, damaged in every way, met by a node in three states (trust/notary/FORMAT.md#damage):
//
//   N  a node that knows nothing;
//   S  a node that has verified this very edition, whose server now has the damaged file in its
//      place;
//   C  a node that has verified the edition before, whose server has published the damaged one with
//      hashes that fit.
//
// trust/RULES.md#refresh-is-one-transaction says what has to come out: N fails; in S nothing but
// the timestamp is even read; in C the refresh fails and is reported. Whatever happens, the last
// complete set goes on answering. The newer edition signs another digest, so that accepting it
// would show.
//
// The ways of trust/notary/FORMAT.md#damage are N_, S_ and C_ below, but for "threshold 2"
// (ThresholdRaisedBeyondTheSigners_Fails). What else Notary's own tests damage: delegations that
// are not there are Undelegated_, EntryWithoutDelegation_ and Delegated_NotSignedYet_ in
// refresh_test, missing files N_, S_ and C_FileMissing_, extra space ExtraSpace_, local damage
// LocalDamage_, root damaged on both sides LocalAndRemoteRootDamaged_, keys
// KeyRotatedWithoutSigning_ and KeyRotated_, sets of roots root_chain_test, an unwritable cache
// FullDisk_ and offline Restart_ in trust_service_state_test, size ThousandsOfTags_ in
// metadata_test and bench/. "Disk root overrides DisableTOFU" has no counterpart: pins are asked on
// every load (Tofu_ in root_chain_test).

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

#include "tests/support/trust/signing_repository.h"
#include "tests/support/trust/trusting_node.h"
#include "trust/tuf/metadata.h"

namespace crivet::trust {
namespace {

using std::chrono::hours;
using Json = SigningRepository::Json;
namespace data = boost::unit_test::data;

constexpr TimePoint kNow = SigningRepository::kNow;
const Sha256Digest kBefore = DigestOf("signed before");
const Sha256Digest kAfter = DigestOf("signed in the damaged edition");
const std::string kReleases = "targets/releases";
const std::string kDeep = "targets/releases/deep";

struct Way {
  std::string name;
  Damage damage;
  Reason reason;
  friend std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }
};

// Root keys need certificates, so a stranger's has one too.
const SigningKey& Stranger() {
  static const SigningKey kKey = RootKeyFor("docker.io/acme/web");
  return kKey;
}

// The nine ways of the original matrix, and those that its store corruptions come to.
std::vector<Way> Ways() {
  return {
      {"invalid JSON", Bytes([](std::string& b) { b[0] = '}'; }), Reason::kMalformed},
      {"truncated", Bytes([](std::string& b) { b.resize(b.size() / 2); }), Reason::kMalformed},
      {"lengthened", Bytes([](std::string& b) { b += "}"; }), Reason::kMalformed},
      {"empty", Bytes([](std::string& b) { b.clear(); }), Reason::kMalformed},
      {"signed is no object", File([](Json& f) { f["signed"] = "not an object"; }),
       Reason::kMalformed},
      {"signed is null", File([](Json& f) { f["signed"] = nullptr; }), Reason::kMalformed},
      {"invalid type", Content([](Json& c) { c["_type"] = "not a type"; }), Reason::kMalformed},
      {"version below one", Content([](Json& c) { c["version"] = -3; }), Reason::kMalformed},
      {"version missing", Content([](Json& c) { c.erase("version"); }), Reason::kMalformed},
      {"expires is null", Content([](Json& c) { c["expires"] = nullptr; }), Reason::kMalformed},
      {"invalid signatures", File([](Json& f) {
         for (Json& s : f["signatures"]) s["sig"] = ToBase64(AsBytes(std::string(64, 'x')));
       }),
       Reason::kSignature},
      {"no signatures", SignedBy({}), Reason::kSignature},
      {"signed by a stranger", SignedBy({Stranger()}), Reason::kSignature},
      {"content changed after signing", File([](Json& f) { f["signed"]["x"] = 1; }),
       Reason::kSignature},
      {"expired", Content([](Json& c) { c["expires"] = FormatRfc3339(kNow - hours{1}); }),
       Reason::kExpired},
  };
}

// Ways that only some roles can be damaged in.
std::vector<Way> WaysOfRoot() {
  std::vector<Way> ways;
  for (const std::string role : {"root", "timestamp", "snapshot", "targets"}) {
    ways.push_back({"no keys of " + role,
                    Content([=](Json& c) { c["roles"][role]["keyids"] = Json::array(); }),
                    Reason::kMalformed});
    ways.push_back(
        {"no role " + role, Content([=](Json& c) { c["roles"].erase(role); }), Reason::kMalformed});
    ways.push_back({"threshold of " + role + " beyond its keys",
                    Content([=](Json& c) { c["roles"][role]["threshold"] = 2; }),
                    Reason::kMalformed});
  }
  return ways;
}

std::vector<Way> WaysOf(const std::string& role) {
  std::vector<Way> ways = Ways();
  if (role == "root") {
    for (Way& way : WaysOfRoot()) ways.push_back(std::move(way));
  }
  if (role == "snapshot") {
    for (const std::string listed : {"root", "targets"}) {
      ways.push_back({"does not list " + listed, Content([=](Json& c) { c["meta"].erase(listed); }),
                      Reason::kMalformed});
    }
  }
  if (role == "timestamp") {
    ways.push_back({"does not list snapshot", Content([](Json& c) { c["meta"].erase("snapshot"); }),
                    Reason::kMalformed});
  }
  if (role == "targets" || role == kReleases) {
    ways.push_back({"delegates to root",
                    Content([](Json& c) { c["delegations"]["roles"][0]["name"] = "root"; }),
                    Reason::kMalformed});
  }
  return ways;
}

struct Cell {
  std::string role;
  Way way;
  friend std::ostream& operator<<(std::ostream& out, const Cell& cell) {
    return out << cell.role << ", " << cell.way;
  }
};

std::vector<Cell> Cells() {
  std::vector<Cell> cells;
  for (const std::string& role :
       {std::string("root"), std::string("timestamp"), std::string("snapshot"),
        std::string("targets"), kReleases, kDeep}) {
    for (Way& way : WaysOf(role)) cells.push_back({role, std::move(way)});
  }
  return cells;
}

// The edition that everything starts from; making keys is most of the cost, so it is made once.
const SigningRepository& Edition() {
  static const SigningRepository kServer = [] {
    SigningRepository server;
    server.Delegate(kReleases, {SigningKey::Ecdsa()});
    server.Delegate(kDeep, {SigningKey::Ecdsa()});
    for (const std::string& role : {std::string("targets"), kReleases, kDeep}) {
      server.Sign(role, "1.0", kBefore);
    }
    server.Publish();
    return server;
  }();
  return kServer;
}

MetadataUpdate::Start Reading(const SigningRepository& server) {
  MetadataUpdate::Start start = server.Start();
  start.roles.push_back(RoleName::Parse(kDeep).value());
  return start;
}

// A node that has verified the edition.
TrustingNode Knowing(SigningRepository server) {
  TrustingNode node(Reading(server));
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE_MESSAGE(!failed, DetailOf(failed));
  return node;
}

SigningRepository Newer(const std::map<std::string, Damage>& damages) {
  SigningRepository server = Edition();
  for (const std::string& role : {std::string("targets"), kReleases, kDeep}) {
    server.Sign(role, "1.0", kAfter);
  }
  server.Touch("root");
  server.Publish(damages);
  return server;
}

void CheckFailure(const std::optional<RefreshFailure>& failed, const Cell& cell) {
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == CodeOf(cell.way.reason), DetailOf(failed));
  BOOST_TEST(failed->at == cell.role);
}

// The last complete set answers, in memory and after a restart.
void CheckLastSetAnswers(TrustingNode& node) {
  for (const bool restarted : {false, true}) {
    if (restarted) BOOST_REQUIRE(!node.Restart());
    for (const std::string& role : {std::string("targets"), kReleases, kDeep}) {
      BOOST_TEST((node.Lookup(role, "1.0") == kBefore));
    }
    const auto fresh = node.trusted()->CheckFresh(node.start().roles, kNow, hours{0});
    BOOST_TEST(fresh.has_value());
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(RefreshMatrixTest)

BOOST_DATA_TEST_CASE(N_NothingKnown_Fails, data::make(Cells()), cell) {
  SigningRepository server = Newer({{cell.role, cell.way.damage}});
  TrustingNode node(Reading(server));
  CheckFailure(node.RefreshFrom(server), cell);
  BOOST_TEST(node.trusted() == nullptr);
  BOOST_TEST(node.floors().empty());
}

BOOST_DATA_TEST_CASE(S_SameEditionDamagedOnTheServer, data::make(Cells()), cell) {
  TrustingNode node = Knowing(Edition());
  SigningRepository server = Edition();
  server.Serve(server.FileName(cell.role), server.Damaged(cell.role, cell.way.damage));
  if (cell.role == "root") server.Serve("root.json", server.Damaged("root", cell.way.damage));
  const auto failed = node.RefreshFrom(server);
  if (cell.role == "timestamp") {
    CheckFailure(failed,
                 cell.way.name == "expired" ? Cell{cell.role, {"", {}, Reason::kRollback}} : cell);
  } else {
    BOOST_TEST(!failed, DetailOf(failed));
    BOOST_TEST(server.requests().size() == 1u);
  }
  CheckLastSetAnswers(node);
}

BOOST_DATA_TEST_CASE(C_NewerEditionDamaged_Fails_LastSetAnswers, data::make(Cells()), cell) {
  TrustingNode node = Knowing(Edition());
  SigningRepository server = Newer({{cell.role, cell.way.damage}});
  CheckFailure(node.RefreshFrom(server), cell);
  CheckLastSetAnswers(node);
  // Recovery needs nobody.
  SigningRepository repaired = server;
  for (const std::string& role : {std::string("root"), std::string("targets"), kReleases, kDeep}) {
    repaired.Touch(role);
  }
  // A damaged root is no link: the repaired one takes its version.
  if (cell.role == "root" && cell.way.reason != Reason::kExpired) {
    repaired.SetNextVersion("root", server.version("root"));
  }
  repaired.Publish();
  const auto failed = node.RefreshFrom(repaired);
  BOOST_TEST(!failed, DetailOf(failed));
  BOOST_TEST((node.Lookup(kReleases, "1.0") == kAfter));
}

// A file that cannot be had: not there, refused, or the server away.
struct Absence {
  std::string role;
  FetchFailure failure;
  friend std::ostream& operator<<(std::ostream& out, const Absence& absence) {
    return out << absence.role << ", " << static_cast<int>(absence.failure.kind);
  }
};

std::vector<Absence> Absences() {
  std::vector<Absence> absences;
  for (const std::string& role :
       {std::string("root"), std::string("timestamp"), std::string("snapshot"),
        std::string("targets"), kReleases, kDeep}) {
    absences.push_back({role, {FetchFailure::Kind::kNotFound, {}}});
    absences.push_back({role, {FetchFailure::Kind::kNetwork, NetworkCause::kServerError}});
    absences.push_back({role, {FetchFailure::Kind::kTooLarge, {}}});
  }
  return absences;
}

void Withhold(SigningRepository& server, const Absence& absence) {
  server.Refuse(server.FileName(absence.role), absence.failure);
  if (absence.role == "root") server.Refuse("root.json", absence.failure);
}

BOOST_DATA_TEST_CASE(N_FileMissing_Fails, data::make(Absences()), absence) {
  SigningRepository server = Newer({});
  Withhold(server, absence);
  TrustingNode node(Reading(server));
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->at == absence.role);
  const bool unavailable = absence.failure.kind != FetchFailure::Kind::kTooLarge;
  BOOST_TEST((AnswerFor(failed->error.reason) == Answer::kUnavailable) == unavailable);
  BOOST_TEST(node.trusted() == nullptr);
}

BOOST_DATA_TEST_CASE(S_FileMissing_OnlyTheTimestampIsMissed, data::make(Absences()), absence) {
  TrustingNode node = Knowing(Edition());
  SigningRepository server = Edition();
  Withhold(server, absence);
  BOOST_TEST(node.RefreshFrom(server).has_value() == (absence.role == "timestamp"));
  CheckLastSetAnswers(node);
}

BOOST_DATA_TEST_CASE(C_FileMissing_Fails_LastSetAnswers, data::make(Absences()), absence) {
  TrustingNode node = Knowing(Edition());
  SigningRepository server = Newer({});
  Withhold(server, absence);
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(failed->at == absence.role);
  CheckLastSetAnswers(node);
  server.Recover();
  BOOST_TEST(!node.RefreshFrom(server));
  BOOST_TEST((node.Lookup(kReleases, "1.0") == kAfter));
}

// White space that nobody's hash covers.
BOOST_DATA_TEST_CASE(ExtraSpace_IsAWrongHash,
                     data::make({"root", "snapshot", "targets", "targets/releases"}), role) {
  SigningRepository server = Newer({});
  server.Serve(server.FileName(role), server.bytes(role) + " ");
  if (std::string(role) == "root") server.Serve("root.json", server.bytes(role) + " ");
  TrustingNode knowing = Knowing(Edition());
  const auto warm = knowing.RefreshFrom(server);
  BOOST_REQUIRE(warm);
  BOOST_TEST(CodeOf(warm->error.reason) == "hash");
  CheckLastSetAnswers(knowing);
  BOOST_TEST(!RunRefresh(Reading(server), server));
}

// Nothing lists the timestamp: its signature covers what matters of it.
BOOST_AUTO_TEST_CASE(ExtraSpace_AfterTheTimestamp_ChangesNothing) {
  SigningRepository server = Newer({});
  server.Serve("timestamp.json", server.bytes("timestamp") + " ");
  TrustingNode node = Knowing(Edition());
  const auto failed = node.RefreshFrom(server);
  BOOST_TEST(!failed, DetailOf(failed));
  BOOST_TEST((node.Lookup(kReleases, "1.0") == kAfter));
  BOOST_TEST(RunRefresh(Reading(server), server).has_value());
}

// The matrix' "threshold 2" of every role, one signer being there; in S the parent was not read
// anew, so nobody asks for more than before.
BOOST_DATA_TEST_CASE(ThresholdRaisedBeyondTheSigners_Fails,
                     data::make({"root", "timestamp", "snapshot", "targets", "targets/releases",
                                 "targets/releases/deep"}),
                     name) {
  const std::string role = name;
  SigningRepository server = Edition();
  const auto before = server.keys(role);
  const SigningKey another = role == "root" ? RootKeyFor(server.gun()) : SigningKey::Ecdsa();
  if (role == kReleases || role == kDeep) {
    server.Delegate(role, {before.front(), another}, 2);
  } else {
    server.SetKeys(role, {before.front(), another}, 2);
  }
  server.SetSigners(role, before);
  for (const std::string& signed_role : {std::string("targets"), kReleases, kDeep}) {
    server.Sign(signed_role, "1.0", kAfter);
  }
  server.Publish();

  TrustingNode warm = Knowing(Edition());
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const auto failed = warm.RefreshFrom(server);
    BOOST_REQUIRE(failed);
    BOOST_TEST(CodeOf(failed->error.reason) == "threshold", DetailOf(failed));
    BOOST_TEST(failed->at == role);
    // A newer root that verified acts at once: what its keys no longer cover is gone.
    if (role == "root" || role == kReleases || role == kDeep) CheckLastSetAnswers(warm);
    BOOST_TEST((warm.Lookup(kReleases, "1.0") != kAfter));
  }

  TrustingNode cold(Reading(server));
  const auto failed = cold.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "threshold", DetailOf(failed));
  BOOST_TEST(cold.trusted() == nullptr);

  TrustingNode same = Knowing(Edition());
  SigningRepository unchanged = Edition();
  unchanged.Serve("root.json", server.bytes("root"));
  BOOST_TEST(!same.RefreshFrom(unchanged));
  CheckLastSetAnswers(same);
}

// What a store can come to: five ways that Notary's own tests have, and those of its corrupting
// stores.
struct LocalWay {
  std::string name;
  std::function<void(TrustingNode& node, const std::string& file, const std::string& role)> harm;
  friend std::ostream& operator<<(std::ostream& out, const LocalWay& way) {
    return out << way.name;
  }
};

std::vector<LocalWay> LocalWays() {
  std::vector<LocalWay> ways{
      {"deleted", [](TrustingNode& node, const std::string& file,
                     const std::string&) { node.store().files().erase(file); }},
      {"of another repository",
       [](TrustingNode& node, const std::string& file, const std::string& role) {
         static const SigningRepository kOther;
         node.store().files()[file] = kOther.bytes(role == "root" ? role : "targets");
       }},
  };
  for (const Way& way : Ways()) {
    ways.push_back(
        {way.name, [way](TrustingNode& node, const std::string& file, const std::string& role) {
           node.store().files()[file] = Edition().Damaged(role, way.damage);
         }});
  }
  return ways;
}

// What is wrong in the store heals from the server, or nothing is trusted.
BOOST_DATA_TEST_CASE(LocalDamage_HealsFromTheServer,
                     data::make({"1.root", "timestamp", "snapshot", "targets", "targets/releases",
                                 "targets/releases/deep"}) *
                         data::make(LocalWays()),
                     file, way) {
  const std::string role = std::string(file) == "1.root" ? "root" : file;
  TrustingNode node = Knowing(Edition());
  BOOST_REQUIRE(node.store().files().contains(file));
  way.harm(node, file, role);
  BOOST_TEST(node.Restart().has_value());
  BOOST_TEST(node.trusted() == nullptr);
  SigningRepository server = Edition();
  const auto failed = node.RefreshFrom(server);
  BOOST_TEST(!failed, DetailOf(failed));
  CheckLastSetAnswers(node);
}

// Both copies of the root are bad, each in its own way: nothing is left to trust, and nothing is.
BOOST_DATA_TEST_CASE(LocalAndRemoteRootDamaged_NothingIsTrusted,
                     data::make(LocalWays()) * data::make(Ways()), local, remote) {
  TrustingNode node = Knowing(Edition());
  const Floors floors = node.floors();
  local.harm(node, "1.root", "root");
  BOOST_TEST(node.Restart().has_value());
  SigningRepository server = Edition();
  server.Serve("root.json", server.Damaged("root", remote.damage));
  server.Serve(server.FileName("root"), server.Damaged("root", remote.damage));
  server.Serve("1.root.json", server.Damaged("root", remote.damage));
  BOOST_TEST(node.RefreshFrom(server).has_value());
  BOOST_TEST(node.trusted() == nullptr);
  BOOST_TEST((node.floors() == floors));
}

// A key is changed in the parent, and the role is not signed by it.
BOOST_DATA_TEST_CASE(KeyRotatedWithoutSigning_Fails,
                     data::make({"timestamp", "snapshot", "targets", "targets/releases"}), role) {
  SigningRepository server = Edition();
  const auto before = server.keys(role);
  server.SetKeys(role, {SigningKey::Ecdsa()});
  server.SetSigners(role, before);
  server.Sign(kDeep, "1.0", kAfter);
  server.Publish();
  TrustingNode node = Knowing(Edition());
  const auto failed = node.RefreshFrom(server);
  BOOST_REQUIRE(failed);
  BOOST_TEST(CodeOf(failed->error.reason) == "signature");
  BOOST_TEST(failed->at == role);
  BOOST_TEST(!RunRefresh(Reading(server), server));
}

// Keys of every role changed as they should be: nobody notices.
BOOST_DATA_TEST_CASE(KeyRotated_IsFollowed,
                     data::make({"root", "timestamp", "snapshot", "targets", "targets/releases"}),
                     role) {
  SigningRepository server = Edition();
  server.SetKeys(role,
                 {std::string(role) == "root" ? RootKeyFor(server.gun()) : SigningKey::Ecdsa()});
  server.Sign(kReleases, "1.0", kAfter);
  server.Publish();
  TrustingNode node = Knowing(Edition());
  const auto failed = node.RefreshFrom(server);
  BOOST_TEST(!failed, DetailOf(failed));
  BOOST_TEST((node.Lookup(kReleases, "1.0") == kAfter));
  BOOST_TEST(!node.Restart());
  BOOST_TEST((node.Lookup(kReleases, "1.0") == kAfter));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::trust
