// SPDX-License-Identifier: Apache-2.0
#include "trust/base/bytes.h"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>

using namespace crivet::trust;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(BytesTest)

struct Encoding {
  std::string bytes;
  const char* base64;
  const char* hex;
};
std::ostream& operator<<(std::ostream& out, const Encoding& e) { return out << e.base64; }

// RFC 4648 section 10, and bytes that need the alphabet's end.
const Encoding kEncodings[] = {
    {"", "", ""},
    {"f", "Zg==", "66"},
    {"fo", "Zm8=", "666f"},
    {"foo", "Zm9v", "666f6f"},
    {"foob", "Zm9vYg==", "666f6f62"},
    {"fooba", "Zm9vYmE=", "666f6f6261"},
    {"foobar", "Zm9vYmFy", "666f6f626172"},
    {"\xfb\xff\xfe"s, "+//+", "fbfffe"},
    {"\0\0\0"s, "AAAA", "000000"},
};

BOOST_DATA_TEST_CASE(Encoding_BothWays_IsExact, data::make(kEncodings), row) {
  BOOST_TEST(ToBase64(AsBytes(row.bytes)) == row.base64);
  BOOST_TEST(ToHex(AsBytes(row.bytes)) == row.hex);
  BOOST_TEST(FromBase64(row.base64).value() == row.bytes);
  BOOST_TEST(FromHex(row.hex).value() == row.bytes);
}

BOOST_AUTO_TEST_CASE(Encoding_EveryByteValue_SurvivesBothWays) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (std::size_t cut = 0; cut < 4; ++cut) {
    const std::string bytes = all.substr(cut);
    BOOST_TEST(FromBase64(ToBase64(AsBytes(bytes))).value() == bytes);
    BOOST_TEST(FromHex(ToHex(AsBytes(bytes))).value() == bytes);
  }
}

const char* const kNotBase64[] = {
    "Z",    "Zg",    "Zg=",      "Zm8",   "=",     "==",       "====",     "Z===",
    "Zg=g", "Zg===", "Zg==Zg==", "Zm9v=", "Zm9v ", " Zm9v",    "Zm-v",     "Zm_v",
    "Zm.v", "Zg=\n", "Zm9v\t",   "=Zg=",  "Zm8==", "Zm9v\xc3", "Zm9v====",
};
BOOST_DATA_TEST_CASE(FromBase64_OtherThanStandardWithPadding_IsRefused, data::make(kNotBase64),
                     text) {
  BOOST_TEST(!FromBase64(text).has_value());
}

BOOST_AUTO_TEST_CASE(FromBase64_LineBreaks_AreIgnoredAsGoDoes) {
  BOOST_TEST(FromBase64("Zm9v\r\nYmFy\n").value() == "foobar");
  BOOST_TEST(FromBase64("\nZ\ng\n=\r=\n").value() == "f");
  BOOST_TEST(FromBase64("\r\n").value().empty());
}

BOOST_AUTO_TEST_CASE(FromBase64_UnusedBitsThatAreNotZero_AreRefused) {
  // All of these are "f" or "fo" to Go.
  for (const char* text : {"Zh==", "Zv==", "Zm9=", "Zm+="}) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST(!FromBase64(text).has_value()); }
  }
}

const char* const kNotHex[] = {"a", "abc", "AB", "0G", "g0", "0x12", " 12", "12 ", "1\n", "-1"};
BOOST_DATA_TEST_CASE(FromHex_OtherThanLowerCasePairs_IsRefused, data::make(kNotHex), text) {
  BOOST_TEST(!FromHex(text).has_value());
}

BOOST_AUTO_TEST_CASE(Sha256From_OtherThanThirtyTwoBytes_IsRefused) {
  const std::string hex(64, 'a');
  BOOST_TEST(ToHex(Sha256FromHex(hex).value()) == hex);
  for (const std::string& wrong : {hex.substr(1), hex + "a", hex + "aa", hex.substr(2), ""s,
                                   std::string(64, 'A'), hex.substr(1) + "g"}) {
    BOOST_TEST_CONTEXT(wrong) { BOOST_TEST(!Sha256FromHex(wrong).has_value()); }
  }
  for (const std::size_t size : {0u, 31u, 32u, 33u, 48u, 64u}) {
    const std::string bytes(size, 'x');
    BOOST_TEST_CONTEXT(size) {
      BOOST_TEST(Sha256FromBase64(ToBase64(AsBytes(bytes))).has_value() == (size == 32));
    }
  }
}

// FIPS 180-4's examples.
BOOST_AUTO_TEST_CASE(Sha_KnownMessages_HaveKnownDigests) {
  BOOST_TEST(ToHex(Sha256Of("abc")) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(ToHex(Sha256Of("")) ==
             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(ToHex(Sha512Of("abc")) ==
             "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

BOOST_AUTO_TEST_CASE(Sha256Stream_AnyPieces_IsTheHashOfTheWhole) {
  const std::string whole(1000, 'w');
  for (const std::size_t piece : {1u, 7u, 64u, 1000u}) {
    Sha256Stream stream;
    for (std::size_t i = 0; i < whole.size(); i += piece) {
      stream.Add(std::string_view(whole).substr(i, piece));
    }
    BOOST_TEST_CONTEXT(piece) { BOOST_TEST((stream.Finish() == Sha256Of(whole))); }
  }
  BOOST_TEST((Sha256Stream().Finish() == Sha256Of("")));
}

BOOST_AUTO_TEST_SUITE_END()
