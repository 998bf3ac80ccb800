// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/file_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "trust/decide/evidence_holder.h"
#include "trust/signed/json.h"

namespace crivet::trust {
namespace {

constexpr char kRepositories[] = "repositories";
constexpr char kLock[] = "lock";
constexpr char kCurrent[] = "current.json";
constexpr char kSpare[] = "spare.json";
constexpr char kRecords[] = "records.json";
constexpr std::string_view kForgotten = "forgotten-";

// Commits take milliseconds. Whoever holds the lock for longer has been stopped, and must not stop
// this process too.
constexpr std::chrono::milliseconds kLockPatience{2000};
constexpr std::chrono::milliseconds kLockPause{5};

std::string FolderName(const CollectionId& id) {
  std::string text = id.url + std::string(1, '\0') + id.name;
  // The first kind's folders were named before there were others.
  if (id.kind != kFirstKind) text = id.kind + std::string(1, '\0') + text;
  return ToHex(Sha256Of(text));
}

std::string FileName(const Sha256& sha256) { return ToHex(sha256) + ".json"; }

bool IsMetadataFile(const std::string& name) {
  return name.size() == 69 && name.ends_with(".json") &&
         Sha256FromHex(std::string_view(name).substr(0, 64)).has_value();
}

Manifest ManifestOf(const CollectionId& id, const std::optional<Manifest>& before,
                    const FileStore::Change& change) {
  Manifest manifest{id, {}, change.floors, change.verified_at};
  if (change.scope == FileStore::Change::Scope::kAnchors && before) {
    manifest.files = before->files;
    std::erase_if(manifest.files, [&](const auto& file) { return change.is_anchor(file.first); });
    manifest.verified_at = before->verified_at;
  }
  for (const StoredFile& file : change.files)
    manifest.files.insert_or_assign(file.name, file.sha256);
  return manifest;
}

tl::unexpected<Error> OfLaterFormat(const std::string& what, std::int64_t format) {
  return Fail(Reason::kState, what + " was written by a later version of crivet (format " +
                                  std::to_string(format) + ")");
}

// Makes the name of a folder that was just made durable, as well as that can be done.
void SyncParent(FileSystem& files, const std::string& path) {
  const auto slash = path.rfind('/');
  const int parent = files.OpenPath(slash == std::string::npos ? "." : path.substr(0, slash + 1));
  if (parent < 0) return;
  files.Sync(parent);
  files.Close(parent);
}

// What no manifest names any more, and what killed processes left.
void RemoveUnreferenced(DurableFolder& folder, const Manifest& manifest) {
  std::set<std::string> wanted;
  for (const auto& [name, sha256] : manifest.files) wanted.insert(FileName(sha256));
  for (const std::string& name : folder.Names()) {
    const bool unreferenced = IsMetadataFile(name) && !wanted.contains(name);
    if (unreferenced || name.ends_with(".tmp")) folder.Remove(name);
  }
}

}  // namespace

// The lock on the whole store, for as long as the object lives.
class FileStore::Lock {
 public:
  static Result<Lock> Take(const FileStore& store) {
    const int file = store.files_.OpenToLock(store.root_.descriptor(), kLock);
    if (file < 0) return StorageFailure("cannot open the lock of " + store.state_dir_, file);
    Lock lock(store.files_, file);
    const auto until = std::chrono::steady_clock::now() + kLockPatience;
    while (true) {
      const int taken = store.files_.TryLock(file);
      if (taken == 0) return lock;
      if (taken != -EWOULDBLOCK) return StorageFailure("cannot lock " + store.state_dir_, taken);
      if (std::chrono::steady_clock::now() > until) {
        return Fail(Reason::kState, "another process holds the lock of " + store.state_dir_);
      }
      std::this_thread::sleep_for(kLockPause);
    }
  }

 private:
  Lock(FileSystem& files, int file) : file_(files, file) {}
  DurableFolder file_;  // closing it gives the lock back
};

Result<std::unique_ptr<FileStore>> FileStore::Open(std::string state_dir, FileSystem& files) {
  int descriptor = files.OpenPath(state_dir);
  if (descriptor == -ENOENT) {
    if (const int made = files.MakePath(state_dir); made < 0 && made != -EEXIST) {
      return StorageFailure("cannot make " + state_dir, made);
    }
    SyncParent(files, state_dir);
    descriptor = files.OpenPath(state_dir);
  }
  if (descriptor < 0) return StorageFailure("cannot open " + state_dir, descriptor);
  DurableFolder root(files, descriptor);

  FileSystem::Facts facts;
  if (const int failed = files.Stat(descriptor, facts); failed < 0) {
    return StorageFailure("cannot examine " + state_dir, failed);
  }
  // What this node trusts, and which names it pulls, is nobody else's to change or to read.
  if ((facts.mode & 077) != 0 && files.Restrict(descriptor) < 0 && (facts.mode & 022) != 0) {
    return Fail(Reason::kState, "others may write to " + state_dir);
  }
  std::unique_ptr<FileStore> store(new FileStore(files, std::move(state_dir), std::move(root)));
  const int made = files.MakeFolder(store->root_.descriptor(), kRepositories);
  if (made == 0) files.Sync(store->root_.descriptor());
  Result<std::optional<DurableFolder>> repositories = store->OpenRepositories();
  if (!repositories) return tl::unexpected(repositories.error());
  if (*repositories) {
    // A `forget` that was interrupted after it took effect.
    for (const std::string& name : (*repositories)->Names()) {
      if (name.starts_with(kForgotten)) store->RemoveFolder(**repositories, name);
    }
  }
  return store;
}

FileStore::FileStore(FileSystem& files, std::string state_dir, DurableFolder root)
    : files_(files), state_dir_(std::move(state_dir)), root_(std::move(root)) {}

FileStore::~FileStore() = default;

Result<std::optional<DurableFolder>> FileStore::OpenRepositories() const {
  const int folder = files_.OpenFolder(root_.descriptor(), kRepositories);
  if (folder == -ENOENT) return std::optional<DurableFolder>();
  if (folder < 0) return StorageFailure("cannot open the repositories of " + state_dir_, folder);
  return std::optional<DurableFolder>(DurableFolder(files_, folder));
}

Result<std::optional<DurableFolder>> FileStore::OpenFolderOf(const CollectionId& id) const {
  Result<std::optional<DurableFolder>> parent = OpenRepositories();
  if (!parent || !*parent) return parent;
  const int folder = files_.OpenFolder((*parent)->descriptor(), FolderName(id));
  if (folder == -ENOENT) return std::optional<DurableFolder>();
  if (folder < 0) return StorageFailure("cannot open the state of " + id.name, folder);
  return std::optional<DurableFolder>(DurableFolder(files_, folder));
}

Result<DurableFolder> FileStore::MakeFolderOf(const CollectionId& id) {
  Result<std::optional<DurableFolder>> parent = OpenRepositories();
  if (!parent) return tl::unexpected(parent.error());
  if (!*parent) return Fail(Reason::kState, state_dir_ + " takes no writes");
  const std::string name = FolderName(id);
  int folder = files_.OpenFolder((*parent)->descriptor(), name);
  if (folder == -ENOENT) {
    const int made = files_.MakeFolder((*parent)->descriptor(), name);
    if (made < 0) return StorageFailure("cannot make the state of " + id.name, made);
    if (Result<void> synced = (*parent)->Sync(); !synced) return tl::unexpected(synced.error());
    folder = files_.OpenFolder((*parent)->descriptor(), name);
  }
  if (folder < 0) return StorageFailure("cannot open the state of " + id.name, folder);
  return DurableFolder(files_, folder);
}

Result<std::optional<Manifest>> FileStore::LoadManifest(const CollectionId& id,
                                                        const DurableFolder& folder) const {
  bool damaged = false;
  for (const char* name : {kCurrent, kSpare}) {
    const Result<std::optional<std::string>> text = folder.Read(name, kMaxManifestBytes);
    if (text && !*text) continue;
    Result<Manifest> manifest = text ? ReadManifest(**text) : tl::unexpected(text.error());
    if (manifest && manifest->id == id) return std::optional(*std::move(manifest));
    if (const auto format = text ? LaterFormatIn(**text) : std::nullopt) {
      return OfLaterFormat("the state of " + id.name + " in " + state_dir_, *format);
    }
    damaged = true;
  }
  // The spare manifest is written before any metadata file: with neither, a first commit was
  // interrupted before it began.
  for (const std::string& name : folder.Names()) damaged = damaged || IsMetadataFile(name);
  if (!damaged) return std::optional<Manifest>();
  return Fail(Reason::kState,
              "the state of " + id.name + " in " + state_dir_ + " is damaged beyond repair");
}

FileStore::Stamp FileStore::StampIn(const DurableFolder& folder) const {
  FileSystem::Facts facts;
  if (files_.StatAt(folder.descriptor(), kCurrent, facts) < 0) return std::nullopt;
  return facts;
}

FileStore::Stamp FileStore::StampOf(const CollectionId& id) const {
  const Result<std::optional<DurableFolder>> folder = OpenFolderOf(id);
  return folder && *folder ? StampIn(**folder) : std::nullopt;
}

std::size_t FileStore::BytesOf(const CollectionId& id) const {
  const Result<std::optional<DurableFolder>> folder = OpenFolderOf(id);
  if (!folder || !*folder) return 0;
  std::size_t bytes = 0;
  for (const std::string& name : (*folder)->Names()) {
    FileSystem::Facts facts;
    if (!IsMetadataFile(name) || files_.StatAt((*folder)->descriptor(), name, facts) < 0) continue;
    bytes += StoredSize(static_cast<std::size_t>(facts.size));
  }
  return bytes;
}

Result<FileStore::Loaded> FileStore::Load(const CollectionId& id) const {
  Loaded loaded;
  const Result<std::optional<DurableFolder>> folder = OpenFolderOf(id);
  if (!folder) return tl::unexpected(folder.error());
  if (!*folder) return loaded;
  // Before the manifest is read: a commit in between makes the stamp old, not wrong.
  loaded.stamp = StampIn(**folder);
  Result<std::optional<Manifest>> manifest = LoadManifest(id, **folder);
  if (!manifest) return tl::unexpected(manifest.error());
  loaded.manifest = *std::move(manifest);
  const Result<std::optional<std::string>> text = (*folder)->Read(kRecords, kMaxRecordsBytes);
  if (text && *text) loaded.records = ReadRecords(id, **text).value_or(Records());
  return loaded;
}

Fetched FileStore::ReadFile(const CollectionId& id, const Sha256& sha256,
                            std::size_t max_bytes) const {
  const Result<std::optional<DurableFolder>> folder = OpenFolderOf(id);
  if (folder && *folder) {
    Result<std::optional<std::string>> text = (*folder)->Read(FileName(sha256), max_bytes);
    if (text && *text && Sha256Of(**text) == sha256) return **std::move(text);
  }
  return tl::unexpected(FetchFailure{FetchFailure::Kind::kNotFound, {}});
}

tl::expected<FileStore::Stamp, FileStore::CommitFailure> FileStore::Commit(const CollectionId& id,
                                                                           const Stamp& based_on,
                                                                           const Change& change) {
  const auto failed = [](Error error) {
    return tl::unexpected(CommitFailure{false, std::move(error)});
  };
  const Result<Lock> lock = Lock::Take(*this);
  if (!lock) return failed(lock.error());
  if (StampOf(id) != based_on) {
    return tl::unexpected(
        CommitFailure{true, {Reason::kState, "another process changed the state meanwhile"}});
  }
  Result<DurableFolder> folder = MakeFolderOf(id);
  if (!folder) return failed(folder.error());
  Result<std::optional<Manifest>> before = LoadManifest(id, *folder);
  if (!before) return failed(before.error());

  const Manifest manifest = ManifestOf(id, *before, change);
  const std::string text = WriteManifest(manifest);
  // The order is what a power cut at any point leaves behind: floors first, then what the manifest
  // names, then the manifest.
  Result<void> done = folder->Replace(kSpare, text);
  if (done && !*before) done = folder->Sync();
  for (const StoredFile& file : change.files) {
    if (done && file.bytes) done = folder->Replace(FileName(file.sha256), *file.bytes);
  }
  if (done) done = folder->Sync();
  if (done) done = folder->Replace(kCurrent, text);
  if (done) done = folder->Sync();
  if (!done) return failed(std::move(done.error()));
  RemoveUnreferenced(*folder, manifest);
  return StampIn(*folder);
}

Result<Records> FileStore::UpdateRecords(const CollectionId& id,
                                         const std::function<Records(Records)>& change) {
  const Result<Lock> lock = Lock::Take(*this);
  if (!lock) return tl::unexpected(lock.error());
  const Result<std::optional<DurableFolder>> existing = OpenFolderOf(id);
  if (!existing) return tl::unexpected(existing.error());
  Records before;
  bool damaged = false;
  if (*existing) {
    const Result<std::optional<std::string>> text = (*existing)->Read(kRecords, kMaxRecordsBytes);
    Result<Records> read = !text || !*text ? Records() : ReadRecords(id, **text);
    if (const auto format = !read ? LaterFormatIn(**text) : std::nullopt) {
      return OfLaterFormat("the records of " + id.name + " in " + state_dir_, *format);
    }
    damaged = !text || !read;
    before = std::move(read).value_or(Records());
  }
  Records after = change(before);
  if (after == before && !damaged) return after;
  Result<DurableFolder> folder = MakeFolderOf(id);
  if (!folder) return tl::unexpected(folder.error());
  Result<void> done = folder->Replace(kRecords, WriteRecords(id, after));
  if (done) done = folder->Sync();
  if (!done) return tl::unexpected(std::move(done.error()));
  return after;
}

Result<void> FileStore::Forget(const CollectionId& id) {
  const Result<Lock> lock = Lock::Take(*this);
  if (!lock) return tl::unexpected(lock.error());
  Result<std::optional<DurableFolder>> parent = OpenRepositories();
  if (!parent) return tl::unexpected(parent.error());
  if (!*parent) return {};
  const std::string name = FolderName(id);
  const std::string forgotten = std::string(kForgotten) + name;
  RemoveFolder(**parent, forgotten);
  const int renamed = files_.Rename((*parent)->descriptor(), name, forgotten);
  if (renamed == -ENOENT) return {};
  if (renamed < 0) return StorageFailure("cannot remove the state of " + id.name, renamed);
  if (Result<void> synced = (*parent)->Sync(); !synced) return synced;
  RemoveFolder(**parent, forgotten);
  return {};
}

void FileStore::RemoveFolder(const DurableFolder& parent, const std::string& name) const {
  const int descriptor = files_.OpenFolder(parent.descriptor(), name);
  if (descriptor < 0) return;
  {
    DurableFolder folder(files_, descriptor);
    for (const std::string& file : folder.Names()) folder.Remove(file);
  }
  files_.RemoveFolder(parent.descriptor(), name);
}

std::vector<CollectionId> FileStore::List() const {
  std::vector<CollectionId> found;
  const Result<std::optional<DurableFolder>> parent = OpenRepositories();
  if (!parent || !*parent) return found;
  for (const std::string& name : (*parent)->Names()) {
    if (!Sha256FromHex(name)) continue;
    const int descriptor = files_.OpenFolder((*parent)->descriptor(), name);
    if (descriptor < 0) continue;
    const DurableFolder folder(files_, descriptor);
    for (const char* file : {kCurrent, kSpare}) {
      const Result<std::optional<std::string>> text = folder.Read(file, kMaxManifestBytes);
      const Result<Manifest> manifest =
          text && *text ? ReadManifest(**text) : Fail(Reason::kState, "missing");
      if (!manifest || FolderName(manifest->id) != name) continue;
      found.push_back(manifest->id);
      break;
    }
  }
  return found;
}

}  // namespace crivet::trust
