// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "trust/base/image_reference.h"
#include "trust/decide/file_request.h"
#include "trust/decide/kind.h"

namespace crivet::trust {

/// SignatureFolder is a folder with copies of signatures, asked before a registry is: OCI image
/// layouts, the folder itself or those in it, and files in it that are one signature each
/// (trust/RULES.md#asking-a-registry): of JSON that says its media type, named
/// `sha256-<hex of the image>.….json`, or with an ending that a kind knows. An image's own manifest
/// may lie beside them, `sha256-<its hex>.json`. What the folder holds is worth what a registry's
/// answer is. It never says which digest a tag is. Read again where an index.json, or a file of one
/// signature, has changed. Thread-safe.
class SignatureFolder {
 public:
  static constexpr std::size_t kMaxLayouts = 256;
  static constexpr std::size_t kMaxFiles = 4096;

  /// Empty: there is none. `loose` are files of kinds.
  explicit SignatureFolder(std::string path, std::vector<Kind::LooseSignature> loose = {})
      : path_(std::move(path)), loose_(std::move(loose)) {}

  bool IsThere() const { return !path_.empty(); }
  /// nullopt where it has nothing to say to that, which is no answer: the registry has to be asked.
  /// What is named by a digest hashes to it.
  std::optional<FetchedFile> Answer(const FileRequest& request);
  /// Those of which it holds something that may be a signature, by manifest or by tag.
  std::vector<Sha256Digest> Images();

 private:
  using Path = std::filesystem::path;
  struct Layout {
    Path folder;  ///< or the file of one signature
    std::filesystem::file_time_type written;
    friend bool operator==(const Layout&, const Layout&) = default;
  };
  /// A manifest of something that is about an image.
  struct Referrer {
    Sha256Digest digest;
    std::uint64_t size = 0;
    std::string artifact_type;
  };
  struct Tagged {
    Path folder;
    Sha256Digest digest;
  };

  std::vector<Layout> LayoutsNow() const;
  void ReadAgainIfChanged();
  void ReadIndex(const Layout& layout, std::string_view text, int depth);
  /// Of which image a file of one signature is, or the manifest, by its name; nothing where it is
  /// neither.
  std::optional<Sha256Digest> ImageOf(const Path& file) const;
  const Kind::LooseSignature* LooseOf(const Path& file) const;
  void ReadSignature(const Path& file);
  std::optional<std::string> Content(const Sha256Digest& digest, std::size_t max_bytes) const;
  std::optional<std::string> ReferrersOf(const Sha256Digest& image) const;

  const std::string path_;
  const std::vector<Kind::LooseSignature> loose_;
  std::mutex mutex_;
  std::vector<Layout> layouts_;
  std::map<Sha256Digest, std::vector<Referrer>> referrers_;  ///< by their subject
  std::map<std::string, Tagged> tags_;
  std::map<Sha256Digest, std::string> made_;  ///< manifests about the files
  std::map<Sha256Digest, Path> files_;        ///< those of one signature, by their content
};

}  // namespace crivet::trust
