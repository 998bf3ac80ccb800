// SPDX-License-Identifier: Apache-2.0

// When what counted: the periods of a trusted root, timestamps and certificates, as the public
// conformance suite of sigstore asks of them, with data of our own, and their neighbours.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/trust/small_sigstore.h"

namespace crivet::trust::sigstore {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kSecond{1};
constexpr std::chrono::minutes kMinute{1};

struct TrustedTimes : SmallSigstore {
  std::string StampedAt(const SignedStatement& it, TimePoint time) const {
    return MadeTimestamp(stamper, it.signature, time);
  }
  // By the log's word alone, and by a timestamp alone.
  std::string ByTheLog(const SignedStatement& it, TimePoint time) const {
    return Verdict(BundleOf(it, {log.Entry("dsse", "0.0.1", EnvelopeOfIt(it), time)}));
  }
  std::string ByTimestamps(const SignedStatement& it,
                           const std::vector<std::string>& stamps) const {
    return Verdict(BundleOf(it, {TilesEntry(it)}, stamps));
  }
  // An authority for timestamps that ends, or begins, then.
  MadeCertificate Stamper(TimePoint from, TimePoint until) const {
    return IssuedBy(
        stamping_authority,
        {.name = "stamper", .from = from, .until = until, .purposes = "critical,timeStamping"});
  }
};

// The lists of a trusted root, and what is refused where the service did not count.
struct Service {
  const char* list;
  bool by_the_log;  ///< or by a timestamp
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const Service& row) {
  return out << row.list << (row.by_the_log ? " by the log" : " by a timestamp");
}
const Service kServices[] = {
    {"tlogs", true, "transparency-log"},
    {"tlogs", false, "transparency-log"},
    {"ctlogs", true, "untrusted-root"},
    {"ctlogs", false, "untrusted-root"},
    {"certificateAuthorities", true, "untrusted-root"},
    {"certificateAuthorities", false, "untrusted-root"},
    {"timestampAuthorities", false, "timestamp"},
};

BOOST_FIXTURE_TEST_SUITE(TrustedTimesTest, TrustedTimes)

BOOST_DATA_TEST_CASE(APeriod_HasBothItsEnds_AndAStart, kServices, row) {
  const SignedStatement it = SignedUnder(Leaf());
  const auto during = [&](const Json& period) {
    const std::string list = row.list;
    for (Json& service : trusted[list]) {
      (list.ends_with("logs") ? service["publicKey"] : service)["validFor"] = period;
    }
    return row.by_the_log ? ByTheLog(it, signed_at) : ByTimestamps(it, {StampedAt(it, signed_at)});
  };
  const auto text = [](TimePoint time) { return FormatRfc3339(time); };
  const std::string exactly = text(signed_at);
  const std::string before = text(signed_at - kSecond);
  const std::string after = text(signed_at + kSecond);
  BOOST_TEST(during({{"start", exactly}, {"end", exactly}}) == "good");
  BOOST_TEST(during({{"start", exactly}}) == "good");
  BOOST_TEST(during({{"start", before}, {"end", before}}) == row.reason);
  BOOST_TEST(during({{"start", after}}) == row.reason);
  BOOST_TEST(during({{"end", after}}) == row.reason);
  BOOST_TEST(during(Json::object()) == row.reason);
  BOOST_TEST(during(nullptr) == row.reason);
  BOOST_TEST(during({{"start", ""}}) == "no root");
  BOOST_TEST(during({{"start", before}, {"end", "never"}}) == "no root");
}

BOOST_AUTO_TEST_CASE(ALeafsLife_HasBothItsEnds) {
  const SignedStatement it = SignedUnder(Leaf());
  const TimePoint end = LeafWish().until;
  for (const TimePoint good : {signed_at, end}) {
    BOOST_TEST(ByTheLog(it, good) == "good");
    BOOST_TEST(ByTimestamps(it, {StampedAt(it, good)}) == "good");
  }
  for (const TimePoint bad : {signed_at - kSecond, end + kSecond, end + std::chrono::hours{9000}}) {
    BOOST_TEST(ByTheLog(it, bad) == "timestamp");
    BOOST_TEST(ByTimestamps(it, {StampedAt(it, bad)}) == "timestamp");
  }
}

// Whoever may push can add a timestamp: it can refuse a signature, and never make one good.
BOOST_AUTO_TEST_CASE(OfTwoTimes_EachLiesWithinTheLeafsLife) {
  const SignedStatement it = SignedUnder(Leaf());
  const std::string good = StampedAt(it, signed_at);
  const std::string late = StampedAt(it, LeafWish().until + kMinute);
  const std::string early = StampedAt(it, signed_at - kMinute);
  BOOST_TEST(ByTimestamps(it, {good, StampedAt(it, signed_at + kMinute)}) == "good");
  for (const std::string& bad : {late, early}) {
    BOOST_TEST(ByTimestamps(it, {good, bad}) == "timestamp");
    BOOST_TEST(ByTimestamps(it, {bad, good}) == "timestamp");
    BOOST_TEST(Verdict(BundleOf(it, {LogEntry(it)}, {bad})) == "timestamp");
  }
  BOOST_TEST(Verdict(BundleOf(it, {LogEntry(it)}, {good})) == "good");
}

// Damaged, of a stranger, over something else: as if it were not there.
BOOST_AUTO_TEST_CASE(ATimestampThatIsNone_ProvesNothing_AndHindersNothing) {
  const SignedStatement it = SignedUnder(Leaf());
  const std::string good = StampedAt(it, signed_at);
  const MadeCertificate strange_root = SelfSigned({.name = "stamps",
                                                   .from = signed_at - kMinute,
                                                   .until = signed_at + kMinute,
                                                   .role = CertificateWish::Role::kAuthority,
                                                   .purposes = ""});
  const MadeCertificate stranger = IssuedBy(strange_root, {.name = "stamper",
                                                           .from = signed_at - kMinute,
                                                           .until = signed_at + kMinute,
                                                           .purposes = "critical,timeStamping"});
  const TimePoint late = LeafWish().until + kMinute;
  const std::string none[] = {
      MadeTimestamp(stranger, it.signature, signed_at),
      MadeTimestamp(stranger, it.signature, signed_at, Embedded::kItsCertificate),
      MadeTimestamp(stranger, it.signature, late, Embedded::kItsCertificate),
      MadeTimestamp(stamper, it.SignedAgain().signature, signed_at),
      MadeTimestamp(stamper, it.payload, signed_at),
      MadeTimestamp(stamper, it.Covered(), signed_at),
      good.substr(0, good.size() - 1),
      good + "x",
      "",
  };
  for (const std::string& stamp : none) {
    BOOST_TEST(ByTimestamps(it, {stamp}) == "timestamp");
    BOOST_TEST(ByTimestamps(it, {stamp, good}) == "good");
    BOOST_TEST(ByTimestamps(it, {good, stamp}) == "good");
  }
  BOOST_TEST(ByTimestamps(it, {}) == "timestamp");
  BOOST_TEST(ByTimestamps(it, {MadeTimestamp(stamper, it.signature, signed_at,
                                             Embedded::kItsCertificate)}) == "good");
}

// The time at which somebody counts is their own: nobody else's covers it.
BOOST_AUTO_TEST_CASE(ATimestampsAuthority_BorrowsNobodysPeriod) {
  const SignedStatement it = SignedUnder(Leaf());
  const MadePeriod ended{signed_at - kMinute, signed_at - kSecond};
  const MadePeriod now{signed_at - kMinute, std::nullopt};
  const MadeCertificate other = Stamper(signed_at - kMinute, signed_at + kMinute);
  const MadeCertificate root = SelfSigned({.name = "others",
                                           .from = signed_at - kMinute,
                                           .until = signed_at + kMinute,
                                           .role = CertificateWish::Role::kAuthority,
                                           .purposes = ""});
  const MadeCertificate elsewhere = IssuedBy(root, {.name = "stamper",
                                                    .from = signed_at - kMinute,
                                                    .until = signed_at + kMinute,
                                                    .purposes = "critical,timeStamping"});
  const Json own = AuthorityOfRoot({stamper, stamping_authority}, ended);
  const Json others[] = {
      AuthorityOfRoot({elsewhere, root}, now),
      // One with the same root as the one that ended, and so a path from its certificate.
      AuthorityOfRoot({other, stamping_authority}, now),
  };
  for (const Embedded embedded : {Embedded::kNoCertificate, Embedded::kItsCertificate}) {
    const std::string stamp = MadeTimestamp(stamper, it.signature, signed_at, embedded);
    for (const Json& another : others) {
      trusted["timestampAuthorities"] = Json::array({another, own});
      BOOST_TEST(ByTimestamps(it, {stamp}) == "timestamp");
      trusted["timestampAuthorities"] = Json::array({own, another});
      BOOST_TEST(ByTimestamps(it, {stamp}) == "timestamp");
      // Beside a timestamp of the one that counts, it is not there.
      BOOST_TEST(ByTimestamps(it, {stamp, MadeTimestamp(another == others[0] ? elsewhere : other,
                                                        it.signature, signed_at, embedded)}) ==
                 "good");
    }
  }
  // A root with an authority that has no certificate is no root.
  trusted["timestampAuthorities"] = Json::array({own, AuthorityOfRoot({}, now)});
  BOOST_TEST(ByTimestamps(it, {StampedAt(it, signed_at)}) == "no root");
}

// It is judged at its own time: that it has run out since is no matter.
BOOST_AUTO_TEST_CASE(ATimestampsCertificates_LiveAtItsTime) {
  const SignedStatement it = SignedUnder(Leaf());
  struct Row {
    TimePoint from, until;
    const char* verdict;
  };
  const Row rows[] = {
      {signed_at - kMinute, signed_at + kMinute, "good"},
      {signed_at - kMinute, signed_at - kSecond, "timestamp"},
      {signed_at + kSecond, signed_at + kMinute, "timestamp"},
  };
  for (const Row& row : rows) {
    const MadeCertificate of_its_time = Stamper(row.from, row.until);
    trusted["timestampAuthorities"] = Json::array({AuthorityOfRoot(
        {of_its_time, stamping_authority}, {signed_at - std::chrono::hours{1}, std::nullopt})});
    for (const Embedded embedded : {Embedded::kNoCertificate, Embedded::kItsCertificate}) {
      BOOST_TEST(ByTimestamps(it, {MadeTimestamp(of_its_time, it.signature, signed_at,
                                                 embedded)}) == row.verdict);
    }
  }
}

// A key needs no time; but an entry whose time nobody says is of any time, so that its log has to
// count at every one.
BOOST_AUTO_TEST_CASE(AKeysEntryInTiles_IsOfALogThatCounts) {
  const MadeKey key = MadeKey::P256();
  const SignedStatement it = SignedWith(key);
  const auto during = [&](const MadePeriod& period, const std::vector<std::string>& stamps) {
    trusted["tlogs"] = Json::array({LogOfRoot(tiles, period)});
    return VerdictFor(key, BundleOf(it, {TilesEntry(it)}, stamps));
  };
  const std::vector<std::string> stamped = {StampedAt(it, signed_at)};
  const MadePeriod open{signed_at, std::nullopt};
  const MadePeriod past{signed_at - kMinute, signed_at - kSecond};
  BOOST_TEST(during(open, {}) == "good");
  BOOST_TEST(during(open, stamped) == "good");
  BOOST_TEST(during({}, {}) == "transparency-log");
  BOOST_TEST(during({}, stamped) == "transparency-log");
  BOOST_TEST(during({std::nullopt, signed_at + kMinute}, {}) == "transparency-log");
  BOOST_TEST(during(past, {}) == "transparency-log");
  BOOST_TEST(during(past, stamped) == "transparency-log");
  BOOST_TEST(during({signed_at + kSecond, std::nullopt}, stamped) == "transparency-log");
  BOOST_TEST(during({signed_at, signed_at + kMinute}, stamped) == "good");
  // Nobody says that it was before the end.
  BOOST_TEST(during({signed_at, signed_at + kMinute}, {}) == "transparency-log");
}

BOOST_AUTO_TEST_CASE(AKeysPromisedEntry_IsOfItsLogsPeriod) {
  const MadeKey key = MadeKey::P256();
  const SignedStatement it = SignedWith(key);
  const auto during = [&](const MadePeriod& period) {
    trusted["tlogs"] = Json::array({LogOfRoot(log, period)});
    return VerdictFor(key, BundleOf(it, {LogEntry(it)}));
  };
  BOOST_TEST(during({signed_at, signed_at}) == "good");
  BOOST_TEST(during({signed_at - kMinute, std::nullopt}) == "good");
  BOOST_TEST(during({signed_at - kMinute, signed_at - kSecond}) == "transparency-log");
  BOOST_TEST(during({signed_at + kSecond, std::nullopt}) == "transparency-log");
  BOOST_TEST(during({std::nullopt, signed_at + kMinute}) == "transparency-log");
  BOOST_TEST(during({}) == "transparency-log");
}

// The issuer of a certificate is the one whose key signed it, not any of that name.
BOOST_AUTO_TEST_CASE(TwoIntermediatesOfOneName_EachVouchForTheirOwn) {
  const SignedStatement it = SignedUnder(Leaf());
  const MadePeriod now{signed_at - kMinute, std::nullopt};
  const CertificateWish same_name = {.name = "intermediate",
                                     .from = signed_at - kMinute,
                                     .until = signed_at + kMinute,
                                     .role = CertificateWish::Role::kAuthority,
                                     .purposes = "codeSigning"};
  const MadeCertificate decoy = SelfSigned(same_name);
  const MadeCertificate sibling = IssuedBy(authority, same_name);
  const Json own = AuthorityOfRoot({intermediate, authority}, now);
  for (const Json& other :
       {AuthorityOfRoot({decoy}, now), AuthorityOfRoot({sibling, authority}, now)}) {
    trusted["certificateAuthorities"] = Json::array({other, own});
    BOOST_TEST(ByTheLog(it, signed_at) == "good");
    trusted["certificateAuthorities"] = Json::array({own, other});
    BOOST_TEST(ByTheLog(it, signed_at) == "good");
    trusted["certificateAuthorities"] = Json::array({other});
    BOOST_TEST(ByTheLog(it, signed_at) == "untrusted-root");
  }
  // A certificate log that promised it of the other issuer.
  trusted["certificateAuthorities"] =
      Json::array({own, AuthorityOfRoot({sibling, authority}, now)});
  const MadeCertificate leaf = LoggedAndIssuedBy(
      intermediate, LeafWish(),
      {{.log = &certificate_log, .time = signed_at, .issuer_spki = sibling.key.Spki()}});
  BOOST_TEST(ByTheLog(SignedUnder(leaf), signed_at) == "untrusted-root");
}

// The leaf says that it is for signing code; an authority says so, or of no purpose at all.
BOOST_AUTO_TEST_CASE(APath_IsMadeForSigningCode) {
  const auto with = [&](const std::string& leafs, const std::string& authoritys) {
    const MadeCertificate above = IssuedBy(authority, {.name = "intermediate",
                                                       .from = signed_at - kMinute,
                                                       .until = signed_at + kMinute,
                                                       .role = CertificateWish::Role::kAuthority,
                                                       .purposes = authoritys});
    trusted["certificateAuthorities"] =
        Json::array({AuthorityOfRoot({above, authority}, {signed_at, std::nullopt})});
    CertificateWish wish = LeafWish();
    wish.purposes = leafs;
    return ByTheLog(SignedUnder(LoggedAndIssuedBy(above, wish, {{&certificate_log, signed_at}})),
                    signed_at);
  };
  for (const char* authoritys :
       {"codeSigning", "", "anyExtendedKeyUsage", "serverAuth,codeSigning"}) {
    BOOST_TEST(with("codeSigning", authoritys) == "good");
    BOOST_TEST(with("serverAuth,codeSigning", authoritys) == "good");
    BOOST_TEST(with("", authoritys) == "untrusted-root");
    BOOST_TEST(with("serverAuth", authoritys) == "untrusted-root");
    BOOST_TEST(with("timeStamping", authoritys) == "untrusted-root");
    BOOST_TEST(with("anyExtendedKeyUsage", authoritys) == "untrusted-root");
  }
  BOOST_TEST(with("codeSigning", "serverAuth") == "untrusted-root");
  BOOST_TEST(with("codeSigning", "timeStamping") == "untrusted-root");
}

BOOST_AUTO_TEST_CASE(APromiseOfACertificateLog_CoversItsExtensions) {
  const auto with = [&](const std::string& extensions) {
    return LoggedAndIssuedBy(
        intermediate, LeafWish(),
        {{.log = &certificate_log, .time = signed_at, .extensions = extensions}});
  };
  BOOST_TEST(ByTheLog(SignedUnder(with("")), signed_at) == "good");
  BOOST_TEST(ByTheLog(SignedUnder(with("leaf 7")), signed_at) == "good");
  const MadeLog other{MadeKey::P256(), "other.test"};
  const std::vector<PromiseWish> both = {{.log = &other, .time = signed_at},
                                         {.log = &certificate_log, .time = signed_at}};
  BOOST_TEST(ByTheLog(SignedUnder(LoggedAndIssuedBy(intermediate, LeafWish(), both)), signed_at) ==
             "good");
  BOOST_TEST(ByTheLog(SignedUnder(LoggedAndIssuedBy(intermediate, LeafWish(), {both[0]})),
                      signed_at) == "untrusted-root");
  BOOST_TEST(ByTheLog(SignedUnder(IssuedBy(intermediate, LeafWish())), signed_at) ==
             "untrusted-root");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
