// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/memory_disk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace crivet::trust {
namespace {

constexpr std::uint64_t kRoot = 1;
constexpr std::uint64_t kNone = 0;

}  // namespace

MemoryDisk::MemoryDisk() { nodes_[kRoot].folder = true; }

std::unique_ptr<MemoryDisk> MemoryDisk::After(Crash crash, std::uint32_t seed) const {
  const std::lock_guard lock(mutex_);
  auto after = std::make_unique<MemoryDisk>();
  std::minstd_rand random(seed + 1);
  const auto coin = [&] { return (random() >> 8) % 2 == 0; };
  after->nodes_ = nodes_;
  after->next_node_ = next_node_;
  after->ticks_ = ticks_;
  for (auto& [id, node] : after->nodes_) {
    switch (crash) {
      case Crash::kKilled:
        break;
      case Crash::kPowerLost:
        node.names = node.synced_names;
        node.content = node.synced_content;
        break;
      case Crash::kPowerLostNamesOn:
        node.content = node.synced_content;
        break;
      case Crash::kPowerLostAtRandom: {
        std::map<std::string, Id> names = node.synced_names;
        for (const auto& [name, child] : node.names) {
          if (coin()) names[name] = child;
        }
        for (const auto& [name, child] : node.synced_names) {
          if (!node.names.contains(name) && coin()) names.erase(name);
        }
        node.names = std::move(names);
        if (coin()) node.content = node.synced_content;
        break;
      }
    }
    node.synced_names = node.names;
    node.synced_content = node.content;
  }
  return after;
}

std::uint64_t MemoryDisk::steps() const {
  const std::lock_guard lock(mutex_);
  return steps_;
}

void MemoryDisk::DieAt(std::uint64_t step) {
  const std::lock_guard lock(mutex_);
  dies_at_ = step;
}

void MemoryDisk::FailAt(std::uint64_t step, int error) {
  const std::lock_guard lock(mutex_);
  fails_at_ = {step, error};
}

void MemoryDisk::FailAll(int error) {
  const std::lock_guard lock(mutex_);
  fails_always_ = error;
}

void MemoryDisk::FailReads(int error) {
  const std::lock_guard lock(mutex_);
  fails_reads_ = error;
}

void MemoryDisk::Heal() {
  const std::lock_guard lock(mutex_);
  fails_reads_.reset();
  fails_always_.reset();
  fails_at_.reset();
}

// Under the lock. The error with which this step fails, if it does.
std::optional<int> MemoryDisk::Step() {
  const std::uint64_t step = steps_++;
  if (dies_at_ && step >= *dies_at_) return -EIO;
  if (fails_always_) return -*fails_always_;
  if (fails_at_ && step == fails_at_->first) return -fails_at_->second;
  return std::nullopt;
}

MemoryDisk::Id MemoryDisk::Find(Id folder, const std::string& name) const {
  const auto& names = nodes_.at(folder).names;
  const auto found = names.find(name);
  return found == names.end() ? kNone : found->second;
}

MemoryDisk::Id MemoryDisk::Walk(const std::string& path) const {
  Id at = kRoot;
  std::istringstream parts(path);
  for (std::string part; at != kNone && std::getline(parts, part, '/');) {
    if (!part.empty() && part != ".") at = Find(at, part);
  }
  return at;
}

MemoryDisk::Id MemoryDisk::Make(Id folder, const std::string& name, bool is_folder) {
  const Id made = next_node_++;
  nodes_[made].folder = is_folder;
  nodes_[made].modified = ++ticks_;
  nodes_[folder].names[name] = made;
  return made;
}

int MemoryDisk::Opened(Id node) {
  open_[next_descriptor_] = {node, 0, false};
  return next_descriptor_++;
}

FileSystem::Facts MemoryDisk::FactsOf(Id id) const {
  const Node& node = nodes_.at(id);
  return {.inode = id,
          .modified_ns = node.modified,
          .size = node.content.size(),
          .owner = 0,
          .mode = static_cast<mode_t>(node.folder ? S_IFDIR | 0700 : S_IFREG | 0600)};
}

std::string MemoryDisk::ReadAt(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return nodes_.at(Walk(path)).content;
}

void MemoryDisk::WriteAt(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  Node& node = nodes_.at(Walk(path));
  node.content = std::move(content);
  node.synced_content = node.content;
  node.modified = ++ticks_;
}

void MemoryDisk::RemoveAt(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto slash = path.rfind('/');
  Node& folder = nodes_.at(Walk(path.substr(0, slash)));
  folder.names.erase(path.substr(slash + 1));
  folder.synced_names.erase(path.substr(slash + 1));
}

std::vector<std::string> MemoryDisk::NamesAt(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, id] : nodes_.at(Walk(path)).names) names.push_back(name);
  return names;
}

int MemoryDisk::OpenPath(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const Id found = Walk(path);
  return found == kNone ? -ENOENT : Opened(found);
}

int MemoryDisk::OpenFolder(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (fails_reads_) return -*fails_reads_;
  const Id found = Find(open_.at(folder).node, name);
  if (found == kNone) return -ENOENT;
  return nodes_.at(found).folder ? Opened(found) : -ENOTDIR;
}

int MemoryDisk::OpenToRead(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Id found = Find(open_.at(folder).node, name);
  return found == kNone ? -ENOENT : Opened(found);
}

int MemoryDisk::CreateToWrite(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto error = Step()) return *error;
  const Id at = open_.at(folder).node;
  return Find(at, name) == kNone ? Opened(Make(at, name, false)) : -EEXIST;
}

int MemoryDisk::OpenToLock(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Id at = open_.at(folder).node;
  const Id found = Find(at, name);
  if (found != kNone) return Opened(found);
  if (const auto error = Step()) return *error;
  return Opened(Make(at, name, false));
}

int MemoryDisk::TryLock(int file) {
  const std::lock_guard lock(mutex_);
  Open& mine = open_.at(file);
  for (const auto& [descriptor, other] : open_) {
    if (other.locks && other.node == mine.node && descriptor != file) return -EWOULDBLOCK;
  }
  mine.locks = true;
  return 0;
}

void MemoryDisk::Close(int descriptor) {
  const std::lock_guard lock(mutex_);
  open_.erase(descriptor);
}

ssize_t MemoryDisk::Read(int file, char* into, std::size_t size) {
  const std::lock_guard lock(mutex_);
  Open& open = open_.at(file);
  const std::string& content = nodes_.at(open.node).content;
  const std::size_t got = std::min(size, content.size() - std::min(open.position, content.size()));
  std::memcpy(into, content.data() + open.position, got);
  open.position += got;
  return static_cast<ssize_t>(got);
}

ssize_t MemoryDisk::Write(int file, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (const auto error = Step()) return *error;
  // In two pieces, so that a death in between leaves half a file.
  const std::size_t piece = bytes.size() > 1 ? bytes.size() / 2 : bytes.size();
  Node& node = nodes_.at(open_.at(file).node);
  node.content.append(bytes.substr(0, piece));
  node.modified = ++ticks_;
  return static_cast<ssize_t>(piece);
}

int MemoryDisk::Sync(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (const auto error = Step()) return *error;
  Node& node = nodes_.at(open_.at(descriptor).node);
  node.synced_content = node.content;
  node.synced_names = node.names;
  return 0;
}

int MemoryDisk::MakePath(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto error = Step()) return *error;
  const auto slash = path.rfind('/');
  const Id parent = slash == std::string::npos ? kRoot : Walk(path.substr(0, slash));
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (parent == kNone) return -ENOENT;
  if (Find(parent, name) != kNone) return -EEXIST;
  Make(parent, name, true);
  return 0;
}

int MemoryDisk::MakeFolder(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Id at = open_.at(folder).node;
  if (Find(at, name) != kNone) return -EEXIST;
  if (const auto error = Step()) return *error;
  Make(at, name, true);
  return 0;
}

int MemoryDisk::Rename(int folder, const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const Id at = open_.at(folder).node;
  const Id moved = Find(at, from);
  if (moved == kNone) return -ENOENT;
  if (const auto error = Step()) return *error;
  Node& node = nodes_.at(at);
  node.names.erase(from);
  node.names[to] = moved;
  return 0;
}

int MemoryDisk::Unlink(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Id at = open_.at(folder).node;
  if (Find(at, name) == kNone) return -ENOENT;
  if (const auto error = Step()) return *error;
  nodes_.at(at).names.erase(name);
  return 0;
}

int MemoryDisk::RemoveFolder(int folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const Id at = open_.at(folder).node;
  const Id found = Find(at, name);
  if (found == kNone) return -ENOENT;
  if (!nodes_.at(found).names.empty()) return -ENOTEMPTY;
  if (const auto error = Step()) return *error;
  nodes_.at(at).names.erase(name);
  return 0;
}

int MemoryDisk::Restrict(int /*folder*/) { return 0; }

int MemoryDisk::Stat(int descriptor, Facts& facts) {
  const std::lock_guard lock(mutex_);
  facts = FactsOf(open_.at(descriptor).node);
  return 0;
}

int MemoryDisk::StatAt(int folder, const std::string& name, Facts& facts) {
  const std::lock_guard lock(mutex_);
  const Id found = Find(open_.at(folder).node, name);
  if (found == kNone) return -ENOENT;
  facts = FactsOf(found);
  return 0;
}

int MemoryDisk::List(int folder, std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, id] : nodes_.at(open_.at(folder).node).names) names.push_back(name);
  return 0;
}

}  // namespace crivet::trust
