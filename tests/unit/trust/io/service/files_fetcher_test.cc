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

BOOST_AUTO_TEST_CASE(AnotherServer_IsNotShownTheClientCertificate) {
  TrustServer server;
  server.url = "https://tuf.example/metadata";
  server.ca_file = "/ca";
  server.client_cert = "/crt";
  server.client_key = "/key";
  for (const char* same : {"https://tuf.example/targets", "https://tuf.example:443/targets"}) {
    server.files_url = same;
    BOOST_TEST(ForFiles(server).url == same);
    BOOST_TEST(ForFiles(server).client_cert == "/crt");
    BOOST_TEST(ForFiles(server).client_key == "/key");
  }
  for (const char* other : {"https://cdn.example/targets", "https://tuf.example:8443/targets",
                            "https://tuf.example.cdn.example/targets",
                            "http://tuf.example:443/targets", "file:///srv/targets"}) {
    server.files_url = other;
    BOOST_TEST(ForFiles(server).url == other);
    BOOST_TEST(ForFiles(server).ca_file == "/ca");
    BOOST_TEST(ForFiles(server).client_cert.empty(), other);
    BOOST_TEST(ForFiles(server).client_key.empty(), other);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
