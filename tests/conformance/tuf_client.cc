// SPDX-License-Identifier: Apache-2.0

// A client of TUF 1.0 with the command line that the conformance suite drives, over the reader, the
// workflow and the HTTP client of the daemon:
//
//   tuf_client --metadata-dir D init ROOT
//   tuf_client --metadata-dir D --metadata-url U refresh
//   tuf_client --metadata-dir D --metadata-url U --target-name N... --target-dir T
//              --target-base-url B download
//
// D holds what is trusted, as it was served. Exit: 0, or 1 where anything was refused.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/percent_encoding.h"
#include "trust/io/http/http_client.h"
#include "trust/tuf1/role_search.h"
#include "trust/tuf1/update.h"

namespace crivet::trust::tuf1 {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::map<std::string, std::string> options;
  std::vector<std::string> targets;
  std::string command;
  std::string root;
};

Arguments Read(int argc, char** argv) {
  Arguments read;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--target-name" && i + 1 < argc) {
      read.targets.emplace_back(argv[++i]);
    } else if (word.starts_with("--") && i + 1 < argc) {
      read.options[word] = argv[++i];
    } else {
      (read.command.empty() ? read.command : read.root) = word;
    }
  }
  return read;
}

std::optional<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

bool WriteFile(const fs::path& path, std::string_view bytes) {
  const fs::path fresh = path.string() + ".new";
  std::ofstream out(fresh, std::ios::binary);
  out << bytes;
  out.close();
  std::error_code failed;
  fs::rename(fresh, path, failed);
  return out && !failed;
}

// A name that is one component, whatever the role's is; too long for a file system: empty.
std::string StoredName(const std::string& role) {
  constexpr std::size_t kLongest = 250;
  std::string name = PercentEncoded(role) + ".json";
  return name.size() > kLongest ? std::string() : name;
}

// The reverse of the encoding above.
std::string RoleOf(std::string_view stem) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string role;
  while (!stem.empty()) {
    if (stem.front() == '%' && stem.size() > 2) {
      role += static_cast<char>(kDigits.find(stem[1]) * 16 + kDigits.find(stem[2]));
      stem.remove_prefix(3);
    } else {
      role += stem.front();
      stem.remove_prefix(1);
    }
  }
  return role;
}

// What was trusted. Files that no longer verify are as if they were not there.
std::optional<Trusted> Load(const fs::path& folder) {
  const Caps caps;
  const auto root_bytes = ReadFile(folder / "root.json");
  if (!root_bytes) return std::nullopt;
  auto root = ReadFirstRoot(*root_bytes, caps);
  if (!root) return std::nullopt;
  Trusted trusted{.roots = {*std::move(root)}};
  if (const auto bytes = ReadFile(folder / "timestamp.json")) {
    if (auto read = ReadTimestamp(*bytes, trusted.root(), caps)) {
      trusted.timestamp = *std::move(read);
    }
  }
  if (const auto bytes = ReadFile(folder / "snapshot.json")) {
    if (auto read = ReadSnapshot(*bytes, trusted.root(), caps)) trusted.snapshot = *std::move(read);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    const std::string role = RoleOf(entry.path().stem().string());
    const auto bytes = ReadFile(entry.path());
    if (!bytes || (IsTopLevel(role) && role != kTargets)) continue;
    if (auto read = ReadUnverified(*bytes, caps)) trusted.roles[role] = *std::move(read);
  }
  return trusted;
}

bool Store(const fs::path& folder, const Trusted& trusted) {
  bool stored = WriteFile(folder / "root.json", *trusted.roots.back().bytes);
  if (trusted.timestamp) {
    stored = WriteFile(folder / "timestamp.json", *trusted.timestamp->bytes) && stored;
  }
  if (trusted.snapshot) {
    stored = WriteFile(folder / "snapshot.json", *trusted.snapshot->bytes) && stored;
  }
  for (const auto& [role, file] : trusted.roles) {
    const std::string name = StoredName(role);
    if (!name.empty()) stored = WriteFile(folder / name, *file.bytes) && stored;
  }
  return stored;
}

class Client {
 public:
  explicit Client(Arguments arguments)
      : arguments_(std::move(arguments)),
        http_({}),
        now_(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())) {}

  bool Run() {
    const fs::path folder = arguments_.options["--metadata-dir"];
    if (arguments_.command == "init") {
      const auto root = ReadFile(arguments_.root);
      std::error_code ignored;
      fs::create_directories(folder, ignored);
      return root && WriteFile(folder / "root.json", *root);
    }
    auto trusted = Load(folder);
    if (!trusted) return Refuse("no root that meets its own threshold");
    Update update({.trusted = *std::move(trusted), .now = now_});
    while (update.Wanted()) update.Supply(FetchMetadata(*update.Wanted()));
    if (!Store(folder, update.trusted())) return Refuse("the files cannot be stored");
    if (update.failure()) return Refuse(update.failure()->error.detail);
    if (arguments_.command == "refresh") return true;
    return arguments_.command == "download" && Download(folder, update.trusted());
  }

 private:
  static bool Refuse(const std::string& why) {
    std::fprintf(stderr, "tuf_client: %s\n", why.c_str());
    return false;
  }

  Fetched Fetch(const std::string& url, std::size_t max_bytes) {
    HttpRequest request;
    request.url = url;
    request.max_bytes = max_bytes;
    request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    auto answer = http_.Ask(request);
    if (!answer) return tl::unexpected(answer.error());
    using Kind = FetchFailure::Kind;
    if (answer->status == 200) return std::move(answer->body);
    if (answer->status == 404) return tl::unexpected(FetchFailure{Kind::kNotFound, {}});
    const auto cause =
        answer->status == 403 ? NetworkCause::kCredentialsRefused : NetworkCause::kServerError;
    return tl::unexpected(FetchFailure{Kind::kNetwork, cause});
  }

  static std::string Below(const std::string& base, const std::string& path) {
    return base.ends_with('/') ? base + path : base + '/' + path;
  }

  Fetched FetchMetadata(const MetadataRequest& wanted) {
    return Fetch(Below(arguments_.options["--metadata-url"], wanted.file), wanted.max_bytes);
  }

  bool Download(const fs::path& folder, Trusted trusted) {
    for (const std::string& name : arguments_.targets) {
      RoleSearch search(std::move(trusted), {.name = name, .now = now_}, {});
      while (search.Wanted()) search.Supply(FetchMetadata(*search.Wanted()));
      trusted = search.trusted();
      if (!Store(folder, trusted)) return Refuse("the files cannot be stored");
      const auto* const found = std::get_if<Search::Found>(&search.outcome());
      if (found == nullptr) return Refuse(name + " is not found");
      const TargetEntry& entry = *found->hits.front().entry;
      if (entry.fault || !Take(name, entry, trusted.root().consistent_snapshot())) {
        return Refuse(name + " is not what is signed");
      }
    }
    return true;
  }

  bool Take(const std::string& name, const TargetEntry& entry, bool with_hash) {
    const fs::path path = fs::path(arguments_.options["--target-dir"]) / PercentEncoded(name);
    const auto fits = [&](const std::string& bytes) {
      return bytes.size() == static_cast<std::size_t>(entry.length) && entry.hashes.Fit(bytes);
    };
    const auto there = ReadFile(path);
    if (there && fits(*there)) return true;
    if (!entry.hashes.HasKnown()) return false;
    std::string file = PercentEncoded(name, "/");
    if (with_hash) {
      const std::string hash =
          entry.hashes.sha256 ? ToHex(*entry.hashes.sha256) : ToHex(*entry.hashes.sha512);
      file.insert(file.rfind('/') + 1, hash + ".");
    }
    const Fetched fetched = Fetch(Below(arguments_.options["--target-base-url"], file),
                                  static_cast<std::size_t>(entry.length));
    return fetched && fits(fetched->bytes) && WriteFile(path, fetched->bytes);
  }

  Arguments arguments_;
  HttpClient http_;
  const TimePoint now_;
};

}  // namespace
}  // namespace crivet::trust::tuf1

int main(int argc, char** argv) {
  using namespace crivet::trust::tuf1;
  return Client(Read(argc, argv)).Run() ? 0 : 1;
}
