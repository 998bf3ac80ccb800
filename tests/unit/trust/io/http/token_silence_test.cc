// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/token_silence.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "trust/base/bytes.h"

namespace crivet::trust {
namespace {

using namespace std::chrono_literals;
using Company = ServerSilence::Company;

const CollectionId kOne{"a kind", "https://notary.example", "a.example/one"};
constexpr NetworkCause kTimeout = NetworkCause::kTimeout;

CredentialsClass Of(const std::string& name) { return Sha256Of(name); }

bool HeldBack(const TokenSilence& tokens, const std::string& name, ServerSilence::Time now) {
  const auto silence = tokens.Of(Of(name));
  return silence && silence->HeldBackBy(now);
}

BOOST_AUTO_TEST_SUITE(TokenSilenceTest)

BOOST_AUTO_TEST_CASE(Silence_IsThatOfOneSecretAlone_UntilItIsAnswered) {
  TokenSilence tokens;
  tokens.NoteFailure(Of("alice"), Heard::kNoFirstByte, kTimeout, kOne, 0s, 5s, Company::kAlone);
  BOOST_TEST(HeldBack(tokens, "alice", 5s));
  BOOST_TEST(!HeldBack(tokens, "bob", 5s));
  tokens.NoteAnswer(Of("bob"), 6s);
  BOOST_TEST(HeldBack(tokens, "alice", 6s));
  tokens.NoteAnswer(Of("alice"), 7s);
  BOOST_TEST(!HeldBack(tokens, "alice", 7s));
}

BOOST_AUTO_TEST_CASE(WhatSaysNothingOfTheTokenServer_IsNotKept) {
  TokenSilence tokens;
  for (const Heard heard : {Heard::kNotAsked, Heard::kNothingToTell}) {
    tokens.NoteFailure(Of("alice"), heard, kTimeout, kOne, 0s, 5s, Company::kAlone);
  }
  BOOST_TEST(!tokens.Of(Of("alice")));
}

BOOST_AUTO_TEST_CASE(AStrangersSecrets_PushNobodyOutWhoIsHeldBack_AndMakeRoomLater) {
  TokenSilence tokens;
  const auto silent = [&](const std::string& name, ServerSilence::Time now) {
    tokens.NoteFailure(Of(name), Heard::kNoFirstByte, kTimeout, kOne, now - 5s, now,
                       Company::kAlone);
  };
  silent("alice", 10s);
  for (std::size_t i = 0; i < 2 * TokenSilence::kMaxClasses; ++i) {
    silent("stranger " + std::to_string(i), 10s);
  }
  BOOST_TEST(HeldBack(tokens, "alice", 10s));
  silent("bob", 10s);
  BOOST_TEST(!HeldBack(tokens, "bob", 10s));
  silent("bob", 41s);
  BOOST_TEST(HeldBack(tokens, "bob", 41s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
