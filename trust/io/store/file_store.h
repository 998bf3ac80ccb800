// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"
#include "trust/decide/collection_id.h"
#include "trust/decide/record.h"
#include "trust/decide/refresh.h"
#include "trust/io/store/durable_folder.h"
#include "trust/io/store/file_system.h"
#include "trust/io/store/state_document.h"

namespace crivet::trust {

/// FileStore keeps what was verified, on disk, for every repository of a node:
///
///     STATE_DIR/lock                              held while something is written
///     STATE_DIR/repositories/<sha256 of the collection>/
///         current.json                            the manifest: which files are the state; floors
///         spare.json                              a second manifest, written before the first
///         records.json                            what this node verified (trust/RULES.md#records)
///         <sha256>.json                           metadata files, named by their content
///
/// A commit makes every file durable, then renames `current.json` into place: that is the moment at
/// which it counts. No text of a server or a publisher ever becomes part of a path. Nothing here is
/// believed when it is read: metadata is verified again by whoever loads it.
///
/// Where `current.json` is damaged, `spare.json` answers: it holds the same floors or later ones
/// that were verified too, so that damage never lowers a floor. Missing or damaged metadata files
/// are the loader's to fetch again. Only where both manifests are gone although files are there,
/// the floors are unknown, and the answer is kState until `crivet forget`: an empty start would be
/// a rollback for free.
///
/// Processes work beside each other: writing takes the lock, and a commit says on which state it
/// stands. Thread-safe.
class FileStore {
 public:
  /// Stamp tells whether somebody else committed since; equal stamps, equal state.
  using Stamp = std::optional<FileSystem::Facts>;

  struct Loaded {
    std::optional<Manifest> manifest;  ///< nothing: no state of this repository
    Records records;
    Stamp stamp;
  };

  /// What to commit. Files without bytes are on disk already, or will be fetched again.
  struct Change {
    std::vector<StoredFile> files;
    Floors floors;
    TimePoint verified_at;
    enum class Scope : std::uint8_t {
      kWhole,    ///< `files` are the whole state
      kAnchors,  ///< `files` take the place of the anchors; the set stays as it is
    } scope = Scope::kWhole;
    /// Of kAnchors: which of the stored files were the anchors.
    std::function<bool(std::string_view stored_as)> is_anchor = nullptr;
  };

  struct CommitFailure {
    bool conflict = false;  ///< somebody committed since: load again
    Error error;
  };

  /// kState where the folder can neither be read nor made, or others may write to it. A folder that
  /// only cannot be written to is opened: commits will fail.
  static Result<std::unique_ptr<FileStore>> Open(std::string state_dir,
                                                 FileSystem& files = FileSystem::Posix());
  ~FileStore();

  /// kState where there is state that cannot be read, and where a later version wrote it: what that
  /// says is not known here, and it is left as it is.
  Result<Loaded> Load(const CollectionId& id) const;

  /// One metadata file. kNotFound where it is missing or not what its name says.
  Fetched ReadFile(const CollectionId& id, const Sha256& sha256, std::size_t max_bytes) const;

  Stamp StampOf(const CollectionId& id) const;

  /// What the metadata files of a repository take, by StoredSize.
  std::size_t BytesOf(const CollectionId& id) const;

  /// Commits on top of the state that `based_on` stands for. Where it fails, the state on disk is
  /// the one before (or, after the rename, this one).
  tl::expected<Stamp, CommitFailure> Commit(const CollectionId& id, const Stamp& based_on,
                                            const Change& change);

  /// Applies `change` to the records on disk, under the lock, and writes them where that changed
  /// anything; gives back the new ones. Damaged records count as none.
  Result<Records> UpdateRecords(const CollectionId& id,
                                const std::function<Records(Records)>& change);

  /// Removes all that is kept of a repository, whole or not at all. Nothing to remove is success.
  Result<void> Forget(const CollectionId& id);

  /// Repositories with readable state.
  std::vector<CollectionId> List() const;

 private:
  class Lock;
  FileStore(FileSystem& files, std::string state_dir, DurableFolder root);

  Result<std::optional<DurableFolder>> OpenRepositories() const;
  Result<std::optional<DurableFolder>> OpenFolderOf(const CollectionId& id) const;
  Result<DurableFolder> MakeFolderOf(const CollectionId& id);
  Result<std::optional<Manifest>> LoadManifest(const CollectionId& id,
                                               const DurableFolder& folder) const;
  Stamp StampIn(const DurableFolder& folder) const;
  void RemoveFolder(const DurableFolder& parent, const std::string& name) const;

  FileSystem& files_;
  const std::string state_dir_;
  const DurableFolder root_;
};

}  // namespace crivet::trust
