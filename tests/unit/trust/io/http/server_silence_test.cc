// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/server_silence.h"

#include <boost/test/unit_test.hpp>

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Company = ServerSilence::Company;

const CollectionId kOne{"a kind", "https://notary.example", "a.example/one"};
const CollectionId kTwo{"a kind", "https://notary.example", "a.example/two"};

constexpr NetworkCause kTimeout = NetworkCause::kTimeout;

BOOST_AUTO_TEST_SUITE(ServerSilenceTest)

BOOST_AUTO_TEST_CASE(OneNameOfSeveral_SilencesNobody_TwoDo) {
  ServerSilence silence;
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 0s, 5s, Company::kOthersThere);
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 5s, 10s, Company::kOthersThere);
  BOOST_TEST(!silence.HeldBackBy(10s));
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kTwo, 6s, 11s, Company::kOthersThere);
  BOOST_TEST((silence.HeldBackBy(11s) == NetworkCause::kTimeout));
  BOOST_TEST(silence.HeldBackBy(40999ms).has_value());
  BOOST_TEST(!silence.HeldBackBy(41s));
}

BOOST_AUTO_TEST_CASE(TheOnlyOne_Suffices) {
  ServerSilence silence;
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 0s, 5s, Company::kAlone);
  BOOST_TEST(silence.HeldBackBy(5s).has_value());
}

BOOST_AUTO_TEST_CASE(NoConnection_Suffices_WithItsCause) {
  ServerSilence silence;
  silence.NoteFailure(Heard::kNoConnection, NetworkCause::kTls, kOne, 0s, 1s,
                      Company::kOthersThere);
  BOOST_TEST((silence.HeldBackBy(1s) == NetworkCause::kTls));
}

BOOST_AUTO_TEST_CASE(WhatSaysNothingOfTheServer_DoesNotCount) {
  ServerSilence silence;
  for (const Heard heard : {Heard::kAnswer, Heard::kNotAsked, Heard::kNothingToTell}) {
    silence.NoteFailure(heard, kTimeout, kOne, 0s, 5s, Company::kAlone);
    silence.NoteFailure(heard, kTimeout, kTwo, 0s, 5s, Company::kAlone);
  }
  BOOST_TEST(!silence.HeldBackBy(5s));
}

BOOST_AUTO_TEST_CASE(TheFirstAnswer_EndsIt) {
  ServerSilence silence;
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 0s, 5s, Company::kAlone);
  silence.NoteAnswer(6s);
  BOOST_TEST(!silence.HeldBackBy(6s));
  // Those before it do not count with those after it.
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kTwo, 7s, 12s, Company::kOthersThere);
  BOOST_TEST(!silence.HeldBackBy(12s));
}

// Somebody's name takes long while the server answers others.
BOOST_AUTO_TEST_CASE(AServerThatAnsweredMeanwhile_IsNotSilent) {
  ServerSilence silence;
  silence.NoteAnswer(2s);
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 1s, 6s, Company::kAlone);
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kTwo, 1s, 6s, Company::kAlone);
  BOOST_TEST(!silence.HeldBackBy(6s));
}

BOOST_AUTO_TEST_CASE(Probes_GoOneAtATime) {
  ServerSilence silence;
  silence.NoteFailure(Heard::kNoFirstByte, kTimeout, kOne, 0s, 5s, Company::kAlone);
  BOOST_TEST(silence.TakeProbe(6s, 5s));
  BOOST_TEST(!silence.TakeProbe(7s, 5s));
  BOOST_TEST(silence.TakeProbe(11s, 5s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
