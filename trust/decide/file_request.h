// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trust/base/bytes.h"
#include "trust/base/fetch_cause.h"
#include "trust/base/result.h"
#include "trust/decide/registry_request.h"

namespace crivet::trust {

/// FileRequest is one file that a kind of trust wants next. The kind forms the names; whoever
/// fetches knows none of them.
struct FileRequest {
  /// On a server, below its URL: begins with a slash, percent-encoded where it has to be.
  std::string path;
  /// The repository for which a token's `pull` is asked, where the server wants one.
  std::string scope;
  /// In a folder that a person fills: the first of these that is there.
  std::vector<std::string> file_names;
  /// In the store, where the content is not known.
  std::string stored_as;
  std::size_t max_bytes = 0;
  /// Set where the file is named by its content: what the bytes must hash to.
  std::optional<Sha256> sha256;
  /// Set where it is asked of an image registry; `path` and `scope` count for nothing then.
  std::optional<RegistryRequest> registry = {};
  /// What `path` is below: the server's address, or that of the files which other trusts read
  /// (Kind::files_url_key).
  enum class Below : std::uint8_t { kUrl, kFilesUrl } below = Below::kUrl;
};

/// FetchedFile is what a request brought.
struct FetchedFile {
  // Most files are their bytes and nothing else.
  FetchedFile(std::string content) : bytes(std::move(content)) {}  // NOLINT(google-explicit-*)
  FetchedFile(std::string content, RegistryAnswer answer)
      : bytes(std::move(content)), registry(std::move(answer)) {}

  std::string bytes;
  /// Set where a registry was asked, or something that stands for one.
  std::optional<RegistryAnswer> registry;
};

/// FetchFailure is why a wanted file could not be had. Of a request to a registry kNotFound says
/// that its upstream itself has answered that there is none; for referrers also that it has no API
/// for them.
struct FetchFailure {
  enum class Kind : std::uint8_t { kNotFound, kNetwork, kTooLarge } kind = Kind::kNotFound;
  /// Of kNetwork.
  NetworkCause cause = NetworkCause::kUnreachable;
  /// All that is known of it, for people; null where nothing more is.
  std::shared_ptr<const FetchCause> why = nullptr;

  /// Of kNetwork, with the word that belongs to the cause.
  static FetchFailure Network(FetchCause why);
};

using Fetched = tl::expected<FetchedFile, FetchFailure>;

}  // namespace crivet::trust
