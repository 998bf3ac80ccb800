// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/files_fetcher.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>

#include "tests/support/trust/signing_repository.h"

namespace crivet::trust {
namespace {

BOOST_AUTO_TEST_SUITE(FilesFetcherTest)

// Answers everything, and says what time it is.
class Dated final : public MetadataFetcher {
 public:
  Answer Fetch(const FileRequest& /*request*/, const Terms& /*terms*/) override {
    return {FetchedFile("bytes"), SigningRepository::kNow};
  }
};

BOOST_AUTO_TEST_CASE(WhoeverServesFiles_SaysNothingOfTheTime) {
  FilesFetcher fetcher(std::make_shared<Dated>(), [] {
    return Result<std::shared_ptr<MetadataFetcher>>(std::make_shared<Dated>());
  });
  FileRequest request;
  BOOST_TEST(fetcher.Fetch(request, {}).server_date.has_value());
  request.below = FileRequest::Below::kFilesUrl;
  const MetadataFetcher::Answer answer = fetcher.Fetch(request, {});
  BOOST_TEST(answer.fetched->bytes == "bytes");
  BOOST_TEST(!answer.server_date.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
