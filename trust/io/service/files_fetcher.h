// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "trust/base/result.h"
#include "trust/io/http/metadata_fetcher.h"
#include "trust/io/http/trust_server.h"

namespace crivet::trust {

/// With which settings files are asked for below TrustServer::files_url. The client certificate is
/// for the server of the metadata alone: another host or port is not shown who asks.
TrustServer ForFiles(const TrustServer& server);

/// FilesFetcher asks a server below its own address, and for files that other trusts read
/// (FileRequest::Below) below another. That one is made when it is first needed, and is not
/// believed what time it is. Thread-safe.
class FilesFetcher final : public MetadataFetcher {
 public:
  using Make = std::function<Result<std::shared_ptr<MetadataFetcher>>()>;

  FilesFetcher(std::shared_ptr<MetadataFetcher> own, Make make_files)
      : own_(std::move(own)), make_files_(std::move(make_files)) {}

  Answer Fetch(const FileRequest& request, const Terms& terms) override;

 private:
  Result<std::shared_ptr<MetadataFetcher>> Files();

  const std::shared_ptr<MetadataFetcher> own_;
  const Make make_files_;
  std::mutex mutex_;
  std::shared_ptr<MetadataFetcher> files_;
};

}  // namespace crivet::trust
