// SPDX-License-Identifier: Apache-2.0
#include "trust/notation/chain_memory.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "trust/notation/chain.h"
#include "trust/notation/parse_envelope.h"

namespace crivet::trust::notation {
namespace {

std::string Read(const std::string& name) {
  std::ifstream in(std::string(CRIVET_TEST_DATA) + "/sigstore/notation/envelopes/" + name,
                   std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Certificate> ChainOf(const std::string& name) {
  return ParseEnvelope(kJwsMediaType, Read(name)).value().chain;
}

BOOST_AUTO_TEST_SUITE(ChainMemoryTest)

BOOST_AUTO_TEST_CASE(Authorities_AreKept_AndNoLeaf) {
  const auto chain = ChainOf("nota-jws-intermediate-trusted.jws");
  BOOST_REQUIRE_EQUAL(chain.size(), 3U);
  ChainMemory memory;
  BOOST_TEST(!memory.Find(chain[1].der()));
  memory.Keep(chain);
  BOOST_TEST(!memory.Find(chain[0].der()));
  BOOST_TEST(!memory.Links(chain[0], chain[1]));
  BOOST_TEST(memory.Find(chain[1].der()).has_value());
  BOOST_TEST(memory.Links(chain[1], chain[2]));
  BOOST_TEST(memory.Links(chain[2], chain[2]));
  // Who signed it, and nobody else.
  BOOST_TEST(!memory.Links(chain[1], chain[1]));
  BOOST_TEST(!memory.Links(chain[2], chain[1]));
}

BOOST_AUTO_TEST_CASE(AKnownCertificate_IsTheOneThatWasDecoded) {
  const auto chain = ChainOf("nota-jws-intermediate-trusted.jws");
  ChainMemory memory;
  memory.Keep(chain);
  const auto again =
      ParseEnvelope(kJwsMediaType, Read("nota-jws-intermediate-trusted.jws"), &memory);
  BOOST_REQUIRE(again);
  BOOST_TEST(&again->chain[1].der() == &chain[1].der());
  BOOST_TEST(&again->chain[0].der() != &chain[0].der());
}

// What is known of one issuer says nothing of another with its name.
BOOST_AUTO_TEST_CASE(ALinkToAnother_IsVerifiedAllTheSame) {
  const auto chain = ChainOf("nota-jws-intermediate-trusted.jws");
  ChainMemory memory;
  memory.Keep(chain);
  BOOST_TEST(CheckLinks(chain, &memory).has_value());
  const std::vector<Certificate> swapped = {chain[0], chain[2], chain[2]};
  BOOST_TEST(!CheckLinks(swapped, &memory));
}

BOOST_AUTO_TEST_CASE(BeyondTheCap_TheFirstOnesGo) {
  const auto chain = ChainOf("nota-jws-intermediate-trusted.jws");
  ChainMemory memory;
  // Each pair is another link.
  for (std::size_t i = 0; i < ChainMemory::kMost; ++i) {
    memory.Keep({chain[0], chain[i % 2 + 1], chain[(i + 1) % 2 + 1]});
  }
  memory.Keep(chain);
  BOOST_TEST(memory.Links(chain[1], chain[2]));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust::notation
