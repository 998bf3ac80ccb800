// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/road/listener.h"
#include "proxy/watch/audit_file.h"
#include "trust/base/result.h"
#include "trust/decide/verdict.h"

namespace crivet::proxy {

/// PodIdentity is whom a call was for, as its sandbox config says; empty where it says nothing.
struct PodIdentity {
  std::string name_space;
  std::string name;
  std::string uid;
};

/// AuditEntry is one decision (trust/RULES.md#reasons). Texts of the caller are cut and escaped
/// when it is written; nothing in it is secret.
struct AuditEntry {
  std::chrono::system_clock::time_point time;
  std::string_view method;  ///< of the closed table
  std::string reference;    ///< as written
  std::string canonical;
  trust::Decision decision;
  std::chrono::nanoseconds latency{0};
  PodIdentity pod;
  PeerCredentials peer;
  /// Local content that was judged; unset for a pull.
  std::optional<trust::Sha256Digest> local;
  /// Audit mode only: what enforcing would have pulled, and whether the registry's tag differs.
  std::optional<trust::Sha256Digest> would_pin;
  std::optional<bool> moved;
};

/// AuditLine is the entry as one line of JSON without its newline. Pure.
std::string AuditLine(const AuditEntry& entry);

/// AuditLog writes one line for each decision to the journal or to a file. Thread-safe. Write never
/// blocks on the disk: a thread of its own writes, from a queue with a cap; what does not fit is
/// dropped and reported through `on_drop`.
class AuditLog {
 public:
  static constexpr std::size_t kMaxQueued = 4096;

  struct Options {
    /// "journal", or the path of a file that is appended to (made with mode 0640).
    std::string target = "journal";
    std::function<void()> on_drop = [] {};
    /// How the file is opened: a test has one that hangs.
    std::function<trust::Result<OwnedFd>(const std::string& path)> open = OpenAuditFile;
  };

  /// kState where the file cannot be opened (OpenAuditFile).
  static trust::Result<std::unique_ptr<AuditLog>> Create(Options options);

  /// Writes what is queued, then ends.
  ~AuditLog();

  void Write(const AuditEntry& entry);

  /// Opens the file again, after it was rotated away.
  void Reopen();

 private:
  class Writer;
  explicit AuditLog(std::unique_ptr<Writer> writer);
  std::unique_ptr<Writer> writer_;
};

}  // namespace crivet::proxy
