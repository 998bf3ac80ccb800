// SPDX-License-Identifier: Apache-2.0
#include "trust/io/store/file_store.h"

#include <sys/stat.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/trust_io/memory_disk.h"
#include "tests/support/trust_io/temporary_folder.h"
#include "trust/decide/record_room.h"

namespace crivet::trust {
namespace {

using Crash = MemoryDisk::Crash;
using Scope = FileStore::Change::Scope;

const CollectionId kId{"notary", "https://notary.example", "docker.io/acme/web"};
const CollectionId kOther{"notary", "https://notary.example", "docker.io/acme/db"};
constexpr TimePoint kThen{std::chrono::seconds(1'780'000'000)};

StoredFile File(const std::string& name, const std::string& content) {
  return {name, Sha256Of(content), content};
}

std::string Key(const std::string& text) { return ToHex(Sha256Of(text)); }

// The state at version `version`: every file new, floors at that version.
FileStore::Change Edition(std::int64_t version) {
  const std::string v = std::to_string(version);
  FileStore::Change change;
  for (const char* name : {"1.root", "timestamp", "snapshot", "targets", "targets/releases"}) {
    change.files.push_back(File(name, std::string(name) + " " + v));
  }
  for (const std::string role : {"root", "timestamp", "snapshot"}) {
    change.floors.emplace(role, Floor{version, Sha256Of(role + v), {Key("k"), Key("l")}});
  }
  change.verified_at = kThen + std::chrono::seconds(version);
  return change;
}

VerifiedRecord Record(const std::string& tag) {
  return {
      tag,  Sha256Digest(Sha256Of(tag)), {{"targets", {Key("k")}}}, Sha256Of("root"), {Key("r")},
      kThen};
}

std::string FolderOf(const CollectionId& id) {
  return "state/repositories/" + ToHex(Sha256Of(id.url + std::string(1, '\0') + id.name));
}

std::unique_ptr<FileStore> Opened(FileSystem& disk) {
  Result<std::unique_ptr<FileStore>> store = FileStore::Open("state", disk);
  BOOST_REQUIRE_MESSAGE(store, (store ? "" : store.error().detail));
  return *std::move(store);
}

FileStore::Stamp Committed(FileStore& store, std::int64_t version) {
  const auto committed = store.Commit(kId, store.StampOf(kId), Edition(version));
  BOOST_REQUIRE_MESSAGE(committed, (committed ? "" : committed.error().error.detail));
  return *committed;
}

std::int64_t FloorIn(const FileStore::Loaded& loaded) {
  return loaded.manifest ? loaded.manifest->floors.at("timestamp").version : 0;
}

// Whether every file that the manifest names is there and whole.
bool IsWhole(const FileStore& store, const Manifest& manifest) {
  for (const auto& [name, sha256] : manifest.files) {
    if (!store.ReadFile(kId, sha256, 1024)) return false;
  }
  return true;
}

BOOST_AUTO_TEST_SUITE(FileStoreTest, *boost::unit_test::label("sequential"))

BOOST_AUTO_TEST_CASE(Commit_IsReadBackByAnotherProcess) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  const FileStore::Stamp stamp = Committed(*store, 2);
  auto other = Opened(disk);
  const Result<FileStore::Loaded> loaded = other->Load(kId);
  BOOST_REQUIRE(loaded);
  BOOST_REQUIRE(loaded->manifest);
  BOOST_TEST((loaded->manifest->floors == Edition(2).floors));
  BOOST_TEST((loaded->manifest->verified_at == Edition(2).verified_at));
  BOOST_TEST((loaded->manifest->id == kId));
  BOOST_TEST((loaded->stamp == stamp));
  BOOST_TEST(loaded->manifest->files.size() == 5U);
  BOOST_TEST(other->ReadFile(kId, Sha256Of("targets 2"), 1024)->bytes == "targets 2");
  BOOST_TEST((other->List() == std::vector<CollectionId>{kId}));
}

BOOST_AUTO_TEST_CASE(Load_OfAnUnknownRepository_IsEmpty) {
  MemoryDisk disk;
  auto store = Opened(disk);
  const Result<FileStore::Loaded> loaded = store->Load(kOther);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(!loaded->manifest);
  BOOST_TEST(!loaded->stamp);
}

BOOST_AUTO_TEST_CASE(Commit_RemovesWhatNoManifestNames) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  Committed(*store, 2);
  // Five files, two manifests.
  BOOST_TEST(disk.NamesAt(FolderOf(kId)).size() == 7U);
  BOOST_TEST(!store->ReadFile(kId, Sha256Of("targets 1"), 1024));
}

BOOST_AUTO_TEST_CASE(Commit_OfAChain_KeepsTheSet) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  FileStore::Change chain;
  chain.files = {File("2.root", "two"), File("3.root", "three")};
  chain.floors = Edition(7).floors;
  chain.scope = Scope::kAnchors;
  chain.is_anchor = [](std::string_view name) { return name.ends_with(".root"); };
  BOOST_REQUIRE(store->Commit(kId, store->StampOf(kId), chain));
  const Result<FileStore::Loaded> loaded = store->Load(kId);
  BOOST_REQUIRE(loaded);
  const Manifest& manifest = *loaded->manifest;
  BOOST_TEST(manifest.files.size() == 6U);
  BOOST_TEST(!manifest.files.contains("1.root"));
  BOOST_TEST(manifest.files.contains("3.root"));
  BOOST_TEST((manifest.verified_at == Edition(1).verified_at));
  BOOST_TEST(FloorIn(*loaded) == 7);
  BOOST_TEST(IsWhole(*store, manifest));
}

BOOST_AUTO_TEST_CASE(Commit_OnTopOfAnOldState_IsAConflict) {
  MemoryDisk disk;
  auto store = Opened(disk);
  auto other = Opened(disk);
  const FileStore::Stamp before = Committed(*store, 1);
  Committed(*other, 5);
  const auto late = store->Commit(kId, before, Edition(2));
  BOOST_REQUIRE(!late);
  BOOST_TEST(late.error().conflict);
  BOOST_TEST(FloorIn(*store->Load(kId)) == 5);
}

BOOST_AUTO_TEST_CASE(Commit_AfterAForgetOfAnotherProcess_IsAConflict) {
  MemoryDisk disk;
  auto store = Opened(disk);
  const FileStore::Stamp before = Committed(*store, 1);
  BOOST_REQUIRE(Opened(disk)->Forget(kId));
  const auto late = store->Commit(kId, before, Edition(2));
  BOOST_REQUIRE(!late);
  BOOST_TEST(late.error().conflict);
}

BOOST_AUTO_TEST_CASE(Forget_TakesEverything) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  BOOST_REQUIRE(store->UpdateRecords(kId, [](Records) { return Records{Record("1.0")}; }));
  BOOST_REQUIRE(store->Forget(kId));
  BOOST_REQUIRE(store->Forget(kId));
  const Result<FileStore::Loaded> loaded = store->Load(kId);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(!loaded->manifest);
  BOOST_TEST(loaded->records.empty());
  BOOST_TEST(disk.NamesAt("state/repositories").empty());
}

BOOST_AUTO_TEST_CASE(Records_AreReadBack_AndWrittenOnlyWhereTheyChanged) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  const Records two{Record("1.0"), Record("2.0")};
  BOOST_REQUIRE(store->UpdateRecords(kId, [&](Records) { return two; }));
  BOOST_TEST((Opened(disk)->Load(kId)->records == two));
  const std::uint64_t steps = disk.steps();
  const Result<Records> same = store->UpdateRecords(kId, [](Records records) { return records; });
  BOOST_REQUIRE(same);
  BOOST_TEST((*same == two));
  BOOST_TEST(disk.steps() == steps);
}

BOOST_AUTO_TEST_CASE(Records_Damaged_CountAsNone) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  BOOST_REQUIRE(store->UpdateRecords(kId, [](Records) { return Records{Record("1.0")}; }));
  std::string text = disk.ReadAt(FolderOf(kId) + "/records.json");
  text.replace(text.find("1.0"), 3, "6.6");
  disk.WriteAt(FolderOf(kId) + "/records.json", text);
  BOOST_TEST(store->Load(kId)->records.empty());
  BOOST_TEST(FloorIn(*store->Load(kId)) == 1);
}

BOOST_AUTO_TEST_CASE(MetadataFile_Damaged_IsNotThere) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  const std::string path = FolderOf(kId) + "/" + ToHex(Sha256Of("targets 1")) + ".json";
  disk.WriteAt(path, "targets 2");
  BOOST_TEST(!store->ReadFile(kId, Sha256Of("targets 1"), 1024));
  disk.WriteAt(path, "");
  BOOST_TEST(!store->ReadFile(kId, Sha256Of("targets 1"), 1024));
  disk.WriteAt(path, "targets 1");
  BOOST_TEST(store->ReadFile(kId, Sha256Of("targets 1"), 1024).has_value());
  BOOST_TEST(!store->ReadFile(kId, Sha256Of("targets 1"), 8));
}

struct Harm {
  std::string name;
  std::function<void(MemoryDisk&, const std::string& path)> apply;
};
std::ostream& operator<<(std::ostream& out, const Harm& harm) { return out << harm.name; }

const std::vector<Harm> kHarms = {
    {"missing", [](MemoryDisk& disk, const std::string& path) { disk.RemoveAt(path); }},
    {"empty", [](MemoryDisk& disk, const std::string& path) { disk.WriteAt(path, ""); }},
    {"cut", [](MemoryDisk& disk,
               const std::string& path) { disk.WriteAt(path, disk.ReadAt(path).substr(0, 200)); }},
    {"floor_lowered_by_a_bit",
     [](MemoryDisk& disk, const std::string& path) {
       std::string text = disk.ReadAt(path);
       text.replace(text.find("\"version\": 7"), 12, "\"version\": 6");
       disk.WriteAt(path, text);
     }},
    {"of_another_repository",
     [](MemoryDisk& disk, const std::string& path) {
       Manifest manifest = ReadManifest(disk.ReadAt(path)).value();
       manifest.id = kOther;
       disk.WriteAt(path, WriteManifest(manifest));
     }},
    {"zeros", [](MemoryDisk& disk,
                 const std::string& path) { disk.WriteAt(path, std::string(4096, '\0')); }},
    {"larger_than_its_cap",
     [](MemoryDisk& disk, const std::string& path) {
       disk.WriteAt(path, disk.ReadAt(path) + std::string(kMaxManifestBytes, ' '));
     }},
};

BOOST_DATA_TEST_CASE(Manifest_Harmed_TheSpareKeepsTheFloors, boost::unit_test::data::make(kHarms),
                     harm) {
  MemoryDisk disk;
  Committed(*Opened(disk), 7);
  harm.apply(disk, FolderOf(kId) + "/current.json");
  auto store = Opened(disk);
  const Result<FileStore::Loaded> loaded = store->Load(kId);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(FloorIn(*loaded) == 7);
  BOOST_TEST((store->List() == std::vector<CollectionId>{kId}));
  // The next commit heals it.
  BOOST_REQUIRE(store->Commit(kId, loaded->stamp, Edition(8)));
  BOOST_TEST(FloorIn(*Opened(disk)->Load(kId)) == 8);
}

void MakeLater(MemoryDisk& disk, const std::string& path) {
  std::string text = disk.ReadAt(path);
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  disk.WriteAt(path, text);
}

BOOST_AUTO_TEST_CASE(Manifest_OfALaterFormat_IsNotDamage_AndIsLeftAlone) {
  for (const char* name : {"/current.json", "/spare.json"}) {
    MemoryDisk disk;
    Committed(*Opened(disk), 7);
    MakeLater(disk, FolderOf(kId) + name);
    // The spare answers only where the first is harmed.
    if (std::string(name) == "/spare.json") disk.WriteAt(FolderOf(kId) + "/current.json", "");
    const std::string before = disk.ReadAt(FolderOf(kId) + name);
    auto store = Opened(disk);
    const Result<FileStore::Loaded> loaded = store->Load(kId);
    BOOST_REQUIRE(!loaded);
    BOOST_TEST((loaded.error().reason == Reason::kState));
    BOOST_TEST(loaded.error().detail.find("a later version of crivet (format 2)") !=
               std::string::npos);
    BOOST_TEST(loaded.error().detail.find("damaged") == std::string::npos);
    BOOST_TEST(!store->Commit(kId, store->StampOf(kId), Edition(8)));
    BOOST_TEST(disk.ReadAt(FolderOf(kId) + name) == before);
  }
}

BOOST_AUTO_TEST_CASE(Records_OfALaterFormat_AreNotWrittenOver) {
  MemoryDisk disk;
  auto store = Opened(disk);
  Committed(*store, 1);
  const auto add = [](Records records) { return WithRecord(std::move(records), Record("1.0")); };
  BOOST_REQUIRE(store->UpdateRecords(kId, add));
  MakeLater(disk, FolderOf(kId) + "/records.json");
  const std::string before = disk.ReadAt(FolderOf(kId) + "/records.json");
  BOOST_TEST(!store->UpdateRecords(kId, add));
  BOOST_TEST(disk.ReadAt(FolderOf(kId) + "/records.json") == before);
}

BOOST_DATA_TEST_CASE(BothManifests_Harmed_AreStateThatCannotBeRead,
                     boost::unit_test::data::make(kHarms), harm) {
  MemoryDisk disk;
  Committed(*Opened(disk), 7);
  harm.apply(disk, FolderOf(kId) + "/current.json");
  harm.apply(disk, FolderOf(kId) + "/spare.json");
  auto store = Opened(disk);
  const Result<FileStore::Loaded> loaded = store->Load(kId);
  BOOST_REQUIRE(!loaded);
  BOOST_TEST((loaded.error().reason == Reason::kState));
  BOOST_TEST(!store->Commit(kId, store->StampOf(kId), Edition(1)));
  // And `crivet forget` is all that is needed.
  BOOST_REQUIRE(store->Forget(kId));
  BOOST_REQUIRE(store->Load(kId));
  BOOST_TEST(store->Commit(kId, store->StampOf(kId), Edition(1)).has_value());
}

// A process that commits edition after edition and stops at step `stop` of its writing.
struct Story {
  std::int64_t committed = 0;
  std::uint64_t steps = 0;
};

Story Tell(MemoryDisk& disk) {
  Story story;
  Result<std::unique_ptr<FileStore>> store = FileStore::Open("state", disk);
  if (!store) return story;
  for (std::int64_t version = 1; version <= 3; ++version) {
    if (!(*store)->Commit(kId, (*store)->StampOf(kId), Edition(version))) break;
    story.committed = version;
  }
  story.steps = disk.steps();
  return story;
}

struct Stop {
  std::string name;
  Crash crash;
};
std::ostream& operator<<(std::ostream& out, const Stop& stop) { return out << stop.name; }

const std::vector<Stop> kStops = {{"killed", Crash::kKilled},
                                  {"power_lost", Crash::kPowerLost},
                                  {"power_lost_names_written", Crash::kPowerLostNamesOn},
                                  {"power_lost_at_random", Crash::kPowerLostAtRandom}};

BOOST_DATA_TEST_CASE(Stopped_AtEveryWrite_FloorsStandAndTheNextStartNeedsNobody,
                     boost::unit_test::data::make(kStops), stop) {
  MemoryDisk whole;
  const std::uint64_t all = Tell(whole).steps;
  BOOST_REQUIRE(all > 50);
  const std::uint32_t seeds = stop.crash == Crash::kPowerLostAtRandom ? 20 : 1;
  for (std::uint64_t step = 0; step <= all; ++step) {
    MemoryDisk disk;
    disk.DieAt(step);
    const Story story = Tell(disk);
    for (std::uint32_t seed = 0; seed < seeds; ++seed) {
      BOOST_TEST_CONTEXT("step " << step << " seed " << seed) {
        const std::unique_ptr<MemoryDisk> after = disk.After(stop.crash, seed);
        auto store = Opened(*after);
        const Result<FileStore::Loaded> loaded = store->Load(kId);
        BOOST_REQUIRE_MESSAGE(loaded, (loaded ? "" : loaded.error().detail));
        BOOST_TEST(FloorIn(*loaded) >= story.committed);
        BOOST_TEST(FloorIn(*loaded) <= story.committed + 1);
        // What counts is whole; a state whose commit was broken off may have to be fetched again.
        const bool counts = loaded->stamp && FloorIn(*loaded) == story.committed;
        if (counts) BOOST_TEST(IsWhole(*store, *loaded->manifest));
        BOOST_TEST(store->Commit(kId, loaded->stamp, Edition(9)).has_value());
        BOOST_TEST(IsWhole(*store, *store->Load(kId)->manifest));
        for (const std::string& name : after->NamesAt(FolderOf(kId))) {
          BOOST_TEST(!name.ends_with(".tmp"));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(EveryWrite_FailingOnce_IsReportedAndTheStateBeforeStands) {
  MemoryDisk whole;
  const std::uint64_t all = Tell(whole).steps;
  for (std::uint64_t step = 3; step < all; ++step) {
    for (const int error : {ENOSPC, EIO, EROFS}) {
      BOOST_TEST_CONTEXT("step " << step << " errno " << error) {
        MemoryDisk disk;
        disk.FailAt(step, error);
        const Story story = Tell(disk);
        disk.Heal();
        auto store = Opened(disk);
        const Result<FileStore::Loaded> loaded = store->Load(kId);
        BOOST_REQUIRE(loaded);
        BOOST_TEST(FloorIn(*loaded) >= story.committed);
        BOOST_TEST(FloorIn(*loaded) <= story.committed + 1);
        BOOST_TEST(store->Commit(kId, loaded->stamp, Edition(9)).has_value());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(FullDisk_CommitFailsWithItsReason) {
  MemoryDisk disk;
  auto store = Opened(disk);
  const FileStore::Stamp before = Committed(*store, 1);
  disk.FailAll(ENOSPC);
  const auto full = store->Commit(kId, before, Edition(2));
  BOOST_REQUIRE(!full);
  BOOST_TEST(!full.error().conflict);
  BOOST_TEST(full.error().error.detail.find("No space left on device") != std::string::npos);
  BOOST_TEST(FloorIn(*store->Load(kId)) == 1);
}

BOOST_AUTO_TEST_CASE(ForgetStopped_AtEveryWrite_IsWholeOrNotAtAll) {
  for (std::uint64_t step = 0; step < 12; ++step) {
    for (const Stop& stop : kStops) {
      MemoryDisk disk;
      auto store = Opened(disk);
      Committed(*store, 3);
      disk.DieAt(disk.steps() + step);
      const bool done = store->Forget(kId).has_value();
      const std::unique_ptr<MemoryDisk> after = disk.After(stop.crash, 5);
      auto next = Opened(*after);
      const Result<FileStore::Loaded> loaded = next->Load(kId);
      BOOST_REQUIRE(loaded);
      if (done) BOOST_TEST(!loaded->manifest);
      if (loaded->manifest) BOOST_TEST(IsWhole(*next, *loaded->manifest));
      for (const std::string& name : after->NamesAt("state/repositories")) {
        BOOST_TEST(!name.starts_with("forgotten"));
      }
    }
  }
}

// On the real file system.

BOOST_AUTO_TEST_CASE(Folders_AreForTheOwnerAlone) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "state");
  std::filesystem::permissions(folder / "state", std::filesystem::perms(0755));
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  BOOST_REQUIRE((*store)->Commit(kId, std::nullopt, Edition(1)));
  struct stat status {};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "state")) {
    BOOST_REQUIRE(lstat(entry.path().c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 077) == 0U);
  }
  BOOST_REQUIRE(stat((folder / "state").c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0700U);
}

BOOST_AUTO_TEST_CASE(Files_MadeByRoot_BelongToTheFoldersOwner) {
  if (geteuid() != 0) return;
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "state");
  BOOST_REQUIRE(chown((folder / "state").c_str(), 12345, 54321) == 0);
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  BOOST_REQUIRE((*store)->Commit(kId, std::nullopt, Edition(1)));
  BOOST_REQUIRE((*store)->UpdateRecords(kId, [](Records) { return Records{Record("1")}; }));
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "state")) {
    struct stat status {};
    BOOST_REQUIRE(lstat(entry.path().c_str(), &status) == 0);
    BOOST_TEST(status.st_uid == 12345U);
    BOOST_TEST(status.st_gid == 54321U);
    ++seen;
  }
  BOOST_TEST(seen == 11U);
}

// The daemon's user may have put another's file there, under a second name.
BOOST_AUTO_TEST_CASE(LockThatIsThereAlready_KeepsItsOwner) {
  if (geteuid() != 0) return;
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "state");
  BOOST_REQUIRE(chmod((folder / "state").c_str(), 0700) == 0);
  BOOST_REQUIRE(chown((folder / "state").c_str(), 12345, 54321) == 0);
  std::ofstream(folder / "roots") << "secret";
  std::filesystem::create_hard_link(folder / "roots", folder / "state/lock");
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  BOOST_REQUIRE((*store)->Commit(kId, std::nullopt, Edition(1)));
  struct stat status {};
  BOOST_REQUIRE(stat((folder / "roots").c_str(), &status) == 0);
  BOOST_TEST(status.st_uid == 0u);
}

BOOST_AUTO_TEST_CASE(SymbolicLinks_AreNotFollowed) {
  const TemporaryFolder folder;
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  BOOST_REQUIRE((*store)->Commit(kId, std::nullopt, Edition(1)));
  const std::string mine = folder / FolderOf(kId);
  std::ofstream(folder / "elsewhere") << "untouched";
  std::filesystem::remove(mine + "/current.json");
  std::filesystem::create_symlink(folder / "elsewhere", mine + "/current.json");
  std::filesystem::create_symlink(folder / "elsewhere", mine + "/current.json.tmp");
  const Result<FileStore::Loaded> loaded = (*store)->Load(kId);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(FloorIn(*loaded) == 1);
  BOOST_REQUIRE((*store)->Commit(kId, loaded->stamp, Edition(2)));
  std::string content;
  std::ifstream(folder / "elsewhere") >> content;
  BOOST_TEST(content == "untouched");
  BOOST_TEST(!std::filesystem::is_symlink(mine + "/current.json"));
}

BOOST_AUTO_TEST_CASE(Names_OfAnyShape_StayInTheFolder) {
  const TemporaryFolder folder;
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  // File names come from role names, which a parent's metadata chooses; they are never paths.
  FileStore::Change change = Edition(1);
  for (const char* name : {"../../../evil", "/etc/evil", "targets/..", "a\nb"}) {
    change.files.push_back(File(name, name));
  }
  BOOST_REQUIRE((*store)->Commit(kId, std::nullopt, change));
  std::size_t outside = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    const bool inside = entry.path().string().starts_with(folder / "state");
    if (!inside) ++outside;
    BOOST_TEST(entry.path().string().find("evil") == std::string::npos);
  }
  BOOST_TEST(outside == 0U);
  BOOST_TEST((*store)->Load(kId)->manifest->files.size() == 9U);
}

BOOST_AUTO_TEST_CASE(ManyThreads_CommitOneAfterTheOther) {
  const TemporaryFolder folder;
  auto store = FileStore::Open(folder / "state");
  BOOST_REQUIRE(store);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&store] {
      for (int done = 0; done < 5;) {
        const Result<FileStore::Loaded> loaded = (*store)->Load(kId);
        const std::int64_t next = loaded ? FloorIn(*loaded) + 1 : 1;
        if (loaded && (*store)->Commit(kId, loaded->stamp, Edition(next))) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Result<FileStore::Loaded> loaded = (*store)->Load(kId);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(FloorIn(*loaded) == 20);
  BOOST_TEST(IsWhole(**store, *loaded->manifest));
}

BOOST_AUTO_TEST_CASE(StateFolder_ThatCannotBeMade_IsAState_Error) {
  const auto store = FileStore::Open("/proc/crivet-cannot-be-here");
  BOOST_REQUIRE(!store);
  BOOST_TEST((store.error().reason == Reason::kState));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::trust
