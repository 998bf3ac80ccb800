// SPDX-License-Identifier: Apache-2.0

// Entries of transparency logs as the public conformance suite of sigstore has them, made by a
// small Sigstore of our own, and their neighbours.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/trust/small_sigstore.h"

namespace crivet::trust::sigstore {
namespace {

using Json = nlohmann::json;

struct EntryKind {
  const char* kind;
  const char* version;
  Json (*spec)(const SignedStatement&);
  bool tiles = false;
};
std::ostream& operator<<(std::ostream& out, const EntryKind& row) {
  return out << row.kind << " " << row.version;
}
const EntryKind kEntryKinds[] = {
    {"hashedrekord", "0.0.1", HashOfIt},
    {"dsse", "0.0.1", EnvelopeOfIt},
    {"intoto", "0.0.2", StatementOfIt},
    {"hashedrekord", "0.0.2", DigestOfIt, true},
};

struct LogCases : SmallSigstore {
  Json EntryOf(const EntryKind& row, const SignedStatement& logged) const {
    const MadeLog& of = row.tiles ? tiles : log;
    return of.Entry(row.kind, row.version, row.spec(logged),
                    row.tiles ? std::nullopt : std::optional(signed_at));
  }
  // A bundle of `it` with an entry of `logged`; its timestamp is over the signature that it has.
  Json With(const EntryKind& row, const SignedStatement& it, const SignedStatement& logged) const {
    return BundleOf(it, {EntryOf(row, logged)}, {Timestamp(it)});
  }
  // The note of a bundle's only checkpoint, to be changed.
  static Json& NoteOf(Json& bundle) {
    return bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]
                 ["envelope"];
  }
};

std::string RootHashOf(const Json& bundle) {
  return bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["rootHash"];
}

BOOST_FIXTURE_TEST_SUITE(LogCasesTest, LogCases)

BOOST_DATA_TEST_CASE(AnEntry_IsAboutThisSignatureThisPayloadAndThisSigner, kEntryKinds, row) {
  const MadeCertificate leaf = Leaf();
  const SignedStatement it = SignedUnder(leaf);
  BOOST_TEST(Verdict(With(row, it, it)) == "good");
  // Each of these is a good signature, and in the log: but not this one.
  BOOST_TEST(Verdict(With(row, it, it.SignedAgain())) == "transparency-log");
  BOOST_TEST(Verdict(With(row, it, SignedUnder(leaf, "another"))) == "transparency-log");
  BOOST_TEST(Verdict(With(row, it, SignedUnder(Leaf()))) == "transparency-log");
  // One part of the entry alone is another's.
  SignedStatement other_payload = it;
  other_payload.payload = SignedUnder(leaf, "another").payload;
  BOOST_TEST(Verdict(With(row, it, other_payload)) == "transparency-log");
  SignedStatement other_signer = it;
  other_signer.certificate = Leaf().der;
  BOOST_TEST(Verdict(With(row, it, other_signer)) == "transparency-log");
  other_signer.certificate = "";
  BOOST_TEST(Verdict(With(row, it, other_signer)) == "transparency-log");
}

BOOST_DATA_TEST_CASE(AnEntryOfAKey_IsAboutThatKey, kEntryKinds, row) {
  const MadeKey key = MadeKey::P256();
  const SignedStatement it = SignedWith(key);
  BOOST_TEST(VerdictFor(key, BundleOf(it, {EntryOf(row, it)})) == "good");
  BOOST_TEST(VerdictFor(key, BundleOf(it, {EntryOf(row, it.SignedAgain())})) == "transparency-log");
  SignedStatement other = it;
  other.key = MadeKey::P256();
  BOOST_TEST(VerdictFor(key, BundleOf(it, {EntryOf(row, other)})) == "transparency-log");
}

// Entry and bundle agree, and the signature is another key's.
BOOST_DATA_TEST_CASE(ASignatureByAnotherKey_ThatIsInTheLog_IsNone, kEntryKinds, row) {
  SignedStatement it = SignedUnder(Leaf());
  it.signature = MadeKey::P256().Sign(it.Covered());
  BOOST_TEST(Verdict(With(row, it, it)) == "signature");
}

// Rekor says less of an attestation than it was sent: the payload's hash alone.
BOOST_AUTO_TEST_CASE(AnAttestationsEntry_WithThePayloadOrWithout) {
  const SignedStatement it = SignedUnder(Leaf());
  Json spec = StatementOfIt(it);
  spec["content"]["envelope"]["payload"] = Base64Of(Base64Of(it.payload));
  BOOST_TEST(Verdict(BundleOf(it, {log.Entry("intoto", "0.0.2", spec, signed_at)})) == "good");
  spec["content"].erase("payloadHash");
  BOOST_TEST(Verdict(BundleOf(it, {log.Entry("intoto", "0.0.2", spec, signed_at)})) ==
             "transparency-log");
}

BOOST_AUTO_TEST_CASE(AKindThatIsNotKnown_OrNotTheBodys_IsRefused) {
  const SignedStatement it = SignedUnder(Leaf());
  const auto verdict = [&](const Json& entry) {
    return Verdict(BundleOf(it, {entry}, {Timestamp(it)}));
  };
  const Json dsse2 = {{"dsseV002", DigestOfIt(it)["hashedRekordV002"]}};
  BOOST_TEST(verdict(tiles.Entry("dsse", "0.0.2", dsse2, std::nullopt)) == "transparency-log");
  BOOST_TEST(verdict(tiles.Entry("hashedrekord", "0.0.2", dsse2, std::nullopt)) ==
             "transparency-log");
  BOOST_TEST(verdict(log.Entry("hashedrekord", "0.0.3", HashOfIt(it), signed_at)) ==
             "transparency-log");
  BOOST_TEST(verdict(log.Entry("hashedrekord", "0.0.1", Json::object(), signed_at)) ==
             "transparency-log");
  Json entry = LogEntry(it);
  BOOST_TEST(verdict(entry) == "good");
  entry["kindVersion"]["version"] = "0.0.2";
  BOOST_TEST(verdict(entry) == "transparency-log");
}

BOOST_AUTO_TEST_CASE(OfTwoEntries_EachHasToBeGood) {
  const MadeCertificate leaf = Leaf();
  const SignedStatement it = SignedUnder(leaf);
  const std::vector<std::string> stamps = {Timestamp(it)};
  const MadeLog stranger{MadeKey::P256(), "stranger.test"};
  const Json good = LogEntry(it);
  BOOST_TEST(Verdict(BundleOf(it, {good, TilesEntry(it)}, stamps)) == "good");
  const Json bad[] = {
      LogEntry(it.SignedAgain()),
      tiles.Entry("hashedrekord", "0.0.2", DigestOfIt(it.SignedAgain()), std::nullopt),
      stranger.Entry("dsse", "0.0.1", EnvelopeOfIt(it), signed_at),
      good,
  };
  for (const Json& other : bad) {
    BOOST_TEST(Verdict(BundleOf(it, {good, other}, stamps)) == "transparency-log");
    BOOST_TEST(Verdict(BundleOf(it, {other, good}, stamps)) == "transparency-log");
  }
}

// Nothing signs the number that a log of the second kind gives outside of the proof.
BOOST_AUTO_TEST_CASE(AnEntryTwice_UnderTwoNumbers_IsOne) {
  const SignedStatement it = SignedUnder(Leaf());
  Json again = TilesEntry(it);
  again["logIndex"] = "7";
  BOOST_TEST(Verdict(BundleOf(it, {again}, {Timestamp(it)})) == "good");
  BOOST_TEST(Verdict(BundleOf(it, {TilesEntry(it), again}, {Timestamp(it)})) == "transparency-log");
}

// What sigstore's older clients wrote: bundles 0.1 have the promise, and a proof to a root that
// nobody signed.
BOOST_AUTO_TEST_CASE(AProofWithoutACheckpoint_CountsAsNone) {
  const SignedStatement it = SignedUnder(Leaf());
  Json bundle = BundleOf(it, {LogEntry(it)});
  Json& entry = bundle["verificationMaterial"]["tlogEntries"][0];
  entry["inclusionProof"].erase("checkpoint");
  const auto as = [&](const std::string& version) {
    Json of_that = bundle;
    of_that["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=" + version;
    return Verdict(of_that);
  };
  BOOST_TEST(as("0.1") == "good");
  BOOST_TEST(as("0.2") == "transparency-log");
  BOOST_TEST(as("0.3") == "transparency-log");
  entry["inclusionProof"]["checkpoint"] = {{"envelope", ""}};
  BOOST_TEST(as("0.1") == "good");
  BOOST_TEST(as("0.2") == "transparency-log");
  // There is one, and it is wrong.
  entry["inclusionProof"]["checkpoint"] = {{"envelope", "x"}};
  BOOST_TEST(as("0.1") == "transparency-log");
  // The promise is all that there was.
  entry["inclusionProof"].erase("checkpoint");
  entry.erase("inclusionPromise");
  BOOST_TEST(as("0.1") == "transparency-log");
}

BOOST_AUTO_TEST_CASE(Tiles_WithoutACheckpointOrAProof_AreRefusedInEveryVersion) {
  const SignedStatement it = SignedUnder(Leaf());
  for (const char* version : {"0.1", "0.2", "0.3"}) {
    Json bundle = BundleOf(it, {TilesEntry(it)}, {Timestamp(it)});
    bundle["mediaType"] =
        std::string("application/vnd.dev.sigstore.bundle+json;version=") + version;
    BOOST_TEST(Verdict(bundle) == "good");
    Json& entry = bundle["verificationMaterial"]["tlogEntries"][0];
    entry["inclusionProof"].erase("checkpoint");
    BOOST_TEST(Verdict(bundle) == "transparency-log");
    entry.erase("inclusionProof");
    BOOST_TEST(Verdict(bundle) == "transparency-log");
  }
}

// Lines of a checkpoint that are not there, though the log signed it so.
BOOST_AUTO_TEST_CASE(ACheckpoint_HasOriginSizeAndRoot) {
  const SignedStatement it = SignedUnder(Leaf());
  Json bundle = BundleOf(it, {TilesEntry(it)}, {Timestamp(it)});
  const std::string root = RootHashOf(bundle);
  const auto signed_note = [&](const std::string& text) {
    NoteOf(bundle) = text + "\n" + tiles.NoteLine(text);
    return Verdict(bundle);
  };
  BOOST_TEST(signed_note("tiles.test\n1\n" + root + "\n") == "good");
  BOOST_TEST(signed_note("tiles.test\n1\n" + root + "\nand more\n") == "good");
  BOOST_TEST(signed_note("1\n" + root + "\n") == "transparency-log");
  BOOST_TEST(signed_note("tiles.test\n" + root + "\n") == "transparency-log");
  BOOST_TEST(signed_note("tiles.test\n1\n") == "transparency-log");
  BOOST_TEST(signed_note("other.test\n1\n" + root + "\n") == "transparency-log");
  BOOST_TEST(signed_note("tiles.test\n2\n" + root + "\n") == "transparency-log");
  BOOST_TEST(signed_note("tiles.test\n1\n" + Base64Of(RawSha256("x")) + "\n") ==
             "transparency-log");
  NoteOf(bundle) = "tiles.test\n1\n" + root + "\n\n";
  BOOST_TEST(Verdict(bundle) == "transparency-log");
}

BOOST_AUTO_TEST_CASE(ACheckpoint_WithSignaturesOfOthers_NeedsTheLogsWhereverItStands) {
  const SignedStatement it = SignedUnder(Leaf());
  Json bundle = BundleOf(it, {TilesEntry(it)}, {Timestamp(it)});
  const std::string text = "tiles.test\n1\n" + RootHashOf(bundle) + "\n";
  const std::string own = tiles.NoteLine(text);
  const std::string again = tiles.NoteLine(text);
  const std::string witness = MadeLog{MadeKey::Ed25519(), "witness.test"}.NoteLine(text);
  const std::string second = MadeLog{MadeKey::P256(), "second.test"}.NoteLine(text);
  // The log's name and hint, and another key's signature.
  const std::string forged = "\xe2\x80\x94 tiles.test " +
                             Base64Of(tiles.Id().substr(0, 4) + MadeKey::P256().Sign(text)) + "\n";
  // The log's signature under another hint.
  const std::string misnamed =
      "\xe2\x80\x94 tiles.test " + Base64Of("hint" + tiles.key.Sign(text)) + "\n";
  const auto with = [&](const std::string& lines) {
    NoteOf(bundle) = text + "\n" + lines;
    return Verdict(bundle);
  };
  for (const std::string& lines : {own, own + witness, witness + own, witness + second + own,
                                   own + again, own + again + witness, forged + own}) {
    BOOST_TEST(with(lines) == "good");
  }
  for (const std::string& lines : {std::string(), witness, witness + second, forged, misnamed}) {
    BOOST_TEST(with(lines) == "transparency-log");
  }
}

BOOST_AUTO_TEST_CASE(Tiles_SignWithEd25519Too) {
  const MadeLog ed25519{MadeKey::Ed25519(), "tiles.test"};
  trusted["tlogs"] = Json::array({LogOfRoot(ed25519, {signed_at, std::nullopt})});
  const SignedStatement it = SignedUnder(Leaf());
  const Json good = ed25519.Entry("hashedrekord", "0.0.2", DigestOfIt(it), std::nullopt);
  BOOST_TEST(Verdict(BundleOf(it, {good}, {Timestamp(it)})) == "good");
  const Json other =
      ed25519.Entry("hashedrekord", "0.0.2", DigestOfIt(it.SignedAgain()), std::nullopt);
  BOOST_TEST(Verdict(BundleOf(it, {other}, {Timestamp(it)})) == "transparency-log");
  Json bundle = BundleOf(it, {good}, {Timestamp(it)});
  std::string& note = NoteOf(bundle).get_ref<std::string&>();
  note[note.size() - 10] = note[note.size() - 10] == 'A' ? 'B' : 'A';
  BOOST_TEST(Verdict(bundle) == "transparency-log");
}

BOOST_AUTO_TEST_CASE(AChainThatCameAlong_HasALeaf_AndNoRoot) {
  const SignedStatement it = SignedUnder(Leaf());
  Json bundle = BundleOf(it, {LogEntry(it)});
  bundle["verificationMaterial"].erase("certificate");
  const auto with = [&](const std::string& version, const std::vector<std::string>& chain) {
    Json certificates = Json::array();
    for (const std::string& der : chain) certificates.push_back({{"rawBytes", Base64Of(der)}});
    bundle["verificationMaterial"]["x509CertificateChain"] = {{"certificates", certificates}};
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=" + version;
    return Verdict(bundle);
  };
  for (const char* version : {"0.1", "0.2"}) {
    BOOST_TEST(with(version, {it.certificate}) == "good");
    BOOST_TEST(with(version, {it.certificate, intermediate.der}) == "good");
    BOOST_TEST(with(version, {}) == "malformed");
    BOOST_TEST(with(version, {it.certificate, authority.der}) == "malformed");
    BOOST_TEST(with(version, {it.certificate, authority.der, intermediate.der}) == "malformed");
    BOOST_TEST(with(version, {it.certificate, stamping_authority.der}) == "malformed");
    BOOST_TEST(with(version, {it.certificate, "no certificate"}) == "malformed");
    BOOST_TEST(with(version, {intermediate.der, it.certificate}) != "good");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::sigstore
