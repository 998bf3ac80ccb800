// SPDX-License-Identifier: Apache-2.0
#include "trust/io/service/files_fetcher.h"

#include "trust/io/http/http_url.h"

namespace crivet::trust {
namespace {

bool IsOneServer(const std::string& a, const std::string& b) {
  const Result<HttpUrl> one = HttpUrl::Parse(a);
  const Result<HttpUrl> other = HttpUrl::Parse(b);
  return one && other && one->https == other->https && one->host == other->host &&
         one->port == other->port;
}

}  // namespace

TrustServer ForFiles(const TrustServer& server) {
  TrustServer files = server;
  files.url = server.files_url;
  if (!IsOneServer(server.url, server.files_url)) {
    files.client_cert.clear();
    files.client_key.clear();
  }
  return files;
}

MetadataFetcher::Answer FilesFetcher::Fetch(const FileRequest& request, const Terms& terms) {
  if (request.below == FileRequest::Below::kUrl) return own_->Fetch(request, terms);
  const Result<std::shared_ptr<MetadataFetcher>> files = Files();
  if (files) {
    Answer answer = (*files)->Fetch(request, terms);
    // Hashes vouch for its bytes, so it may be anybody's mirror; nothing vouches for its clock.
    answer.server_date.reset();
    return answer;
  }
  FetchFailure failure;
  failure.kind = FetchFailure::Kind::kNetwork;
  return {tl::unexpected(std::move(failure)), std::nullopt};
}

Result<std::shared_ptr<MetadataFetcher>> FilesFetcher::Files() {
  const std::lock_guard lock(mutex_);
  if (files_) return files_;
  Result<std::shared_ptr<MetadataFetcher>> made = make_files_();
  if (made) files_ = *made;
  return made;
}

}  // namespace crivet::trust
