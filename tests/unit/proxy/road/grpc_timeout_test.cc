// SPDX-License-Identifier: Apache-2.0
#include "proxy/road/grpc_timeout.h"

#include <boost/test/unit_test.hpp>

namespace crivet::proxy {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(GrpcTimeoutTest)

BOOST_AUTO_TEST_CASE(EveryUnit_IsRead) {
  BOOST_TEST((ParseGrpcTimeout("1H") == 1h));
  BOOST_TEST((ParseGrpcTimeout("2M") == 2min));
  BOOST_TEST((ParseGrpcTimeout("3S") == 3s));
  BOOST_TEST((ParseGrpcTimeout("4m") == 4ms));
  BOOST_TEST((ParseGrpcTimeout("5u") == 5us));
  BOOST_TEST((ParseGrpcTimeout("6n") == 6ns));
  BOOST_TEST((ParseGrpcTimeout("0m") == 0ms));
  BOOST_TEST((ParseGrpcTimeout("99999999M") == 99'999'999min));
}

BOOST_AUTO_TEST_CASE(AnythingElse_IsNothing) {
  for (const char* text : {"", "m", "1", "1x", "1ms", "-1m", "+1m", " 1m", "1 m", "1.5S",
                           "123456789m", "99999999H", "0x1m"}) {
    BOOST_TEST(!ParseGrpcTimeout(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace crivet::proxy
