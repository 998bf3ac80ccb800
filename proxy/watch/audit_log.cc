// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/audit_log.h"

#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <variant>

#include "proxy/owned_fd.h"
#include "proxy/watch/pod_answers.h"
#include "trust/base/fetch_cause.h"
#include "trust/decide/decide.h"

namespace crivet::proxy {
namespace {

using Json = nlohmann::ordered_json;

// What a caller wrote may be as long as a message; a line of the log may not.
constexpr std::size_t kMaxTextBytes = 512;
constexpr std::size_t kMaxRoles = 64;

std::string Cut(std::string_view text) {
  if (text.size() <= kMaxTextBytes) return std::string(text);
  return std::string(text.substr(0, kMaxTextBytes)) + "...";
}

std::string TimeText(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds);
  std::string text = trust::FormatRfc3339(seconds);
  char fraction[8];
  (void)std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(millis.count()));
  text.replace(text.size() - 1, 1, fraction);
  return text;
}

std::string_view VerdictOf(const AuditEntry& entry) {
  return trust::WordOf(trust::AnswerOf(entry.decision.verdict));
}

// The labels of the trusts on which the verdict stands: of any_of one, of all_of each.
Json TrustsOf(const trust::Decision& decision) {
  const auto& members = decision.applied.rule->members;
  Json trusts = Json::array();
  if (decision.member < members.size()) trusts.push_back(members[decision.member].trust);
  for (const auto& other : decision.others) trusts.push_back(members[other.member].trust);
  return trusts;
}

Json DisagreeingOf(const trust::Decision& decision) {
  const auto& members = decision.applied.rule->members;
  Json others = Json::array();
  for (const auto& other : decision.disagree) {
    others.push_back({{"trust", members[other.member].trust}, {"digest", other.digest.ToString()}});
  }
  return others;
}

Json RolesOf(const trust::Evidence& evidence) {
  Json roles = Json::array();
  for (const auto& part : evidence.parts) {
    if (roles.size() >= kMaxRoles) break;
    // What was asked and nobody has signed yet has no version.
    if (part->version == 0) continue;
    Json role = {{"role", part->name}, {"version", part->version}, {"keys", part->signed_by}};
    if (part->expires != trust::TimePoint{}) role["expires"] = trust::FormatRfc3339(part->expires);
    roles.push_back(std::move(role));
  }
  return roles;
}

std::string Dump(const Json& json) {
  // Bytes that are not UTF-8 and characters that a terminal would act on come out escaped.
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

void AddEvidence(const AuditEntry& entry, Json& line) {
  const auto& evidence = entry.decision.evidence;
  if (evidence.from_record) line["from_record"] = true;
  const bool is_signed = trust::BindingOf(entry.decision) == trust::Evidence::Binding::kSigned;
  if (!is_signed) line["binding"] = "registry";
  if (evidence.tag_went_back) {
    line["tag_went_back"] = trust::FormatRfc3339(*evidence.tag_went_back);
  }
  if (!entry.decision.disagree.empty()) line["members_disagree"] = DisagreeingOf(entry.decision);
  if (!evidence.vouching.empty()) {
    line["vouching"] = evidence.vouching;
  }
  if (!evidence.parts.empty()) line["roles"] = RolesOf(evidence);
  if (evidence.verified_at) {
    const auto age = std::chrono::floor<std::chrono::seconds>(entry.time) - *evidence.verified_at;
    line["metadata_age_s"] = age.count();
  }
}

std::string LineOf(const AuditEntry& entry, std::optional<std::uint64_t> repeat) {
  const auto& rule = *entry.decision.applied.rule;
  const std::optional<trust::WhyRefused> refused = trust::RefusalOf(entry.decision.verdict);
  Json line = {{"schema", "crivet.audit/1"},
               {"time", TimeText(entry.time)},
               {"method", entry.method},
               {"reference", Cut(entry.reference)},
               {"canonical", Cut(entry.canonical)}};
  const auto* allow = std::get_if<trust::Allow>(&entry.decision.verdict);
  if (allow != nullptr && allow->digest) line["digest"] = allow->digest->ToString();
  if (entry.local) line["local"] = entry.local->ToString();
  line["verdict"] = VerdictOf(entry);
  if (refused) {
    line["reason"] = trust::CodeOf(refused->reason);
    line["found"] = Cut(refused->found);
    const auto& why = entry.decision.evidence.why;
    if (why) line["why"] = Cut(trust::Explained(*why));
  }
  line["rule"] = Cut(rule.name);
  if (!rule.members.empty()) line["trusts"] = TrustsOf(entry.decision);
  line["mode"] = trust::WordOf(rule.mode);
  if (rule.action == trust::Action::kAllow && rule.until) {
    line["until"] = trust::FormatRfc3339(*rule.until);
    line["break_glass"] = Cut(rule.reason);
  }
  if (entry.would_pin) line["would_pin"] = entry.would_pin->ToString();
  if (entry.moved) line["moved"] = *entry.moved;
  AddEvidence(entry, line);
  line["latency_us"] = std::chrono::duration_cast<std::chrono::microseconds>(entry.latency).count();
  line["pod"] = {{"namespace", Cut(entry.pod.name_space)},
                 {"name", Cut(entry.pod.name)},
                 {"uid", Cut(entry.pod.uid)}};
  if (repeat) line["repeat"] = *repeat;
  line["peer"] = {{"pid", entry.peer.pid}, {"uid", entry.peer.uid}};
  return Dump(line);
}

}  // namespace

std::string AuditLine(const AuditEntry& entry) { return LineOf(entry, std::nullopt); }

// Writer owns the queue and the thread that empties it.
class AuditLog::Writer {
 public:
  struct Line {
    std::string json;
    std::string verdict;
    std::string_view method;
  };

  explicit Writer(Options options) : options_(std::move(options)) {}

  ~Writer() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  trust::Result<void> Start() {
    if (!ToJournal()) {
      if (auto opened = Open(); !opened) return opened;
    }
    thread_ = std::thread([this] { Run(); });
    return {};
  }

  void Add(Line line) {
    {
      std::lock_guard lock(mutex_);
      if (queue_.size() < kMaxQueued) {
        queue_.push_back(std::move(line));
        wake_.notify_one();
        return;
      }
    }
    options_.on_drop();
  }

  /// How often the pod had this answer before; nothing where no pod is known.
  std::optional<std::uint64_t> RepeatOf(const AuditEntry& entry) {
    if (entry.pod.uid.empty()) return std::nullopt;
    const auto& rule = *entry.decision.applied.rule;
    const auto refused = trust::RefusalOf(entry.decision.verdict);
    const std::string verdict = std::string(VerdictOf(entry)) + ' ' +
                                std::string(refused ? trust::CodeOf(refused->reason) : "");
    return answers_.Count({.pod_uid = entry.pod.uid,
                           .canonical = entry.canonical,
                           .verdict = verdict,
                           .rule = rule.name,
                           .mode = trust::WordOf(rule.mode)});
  }

  void Reopen() {
    {
      std::lock_guard lock(mutex_);
      reopen_ = true;
    }
    wake_.notify_one();
  }

 private:
  bool ToJournal() const { return options_.target == "journal"; }

  trust::Result<void> Open() {
    auto file = options_.open(options_.target);
    if (!file) return tl::unexpected(std::move(file.error()));
    file_ = *std::move(file);
    return {};
  }

  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || reopen_ || !queue_.empty(); });
      const bool reopen = std::exchange(reopen_, false);
      std::deque<Line> lines;
      lines.swap(queue_);
      const bool last = stopping_;
      lock.unlock();
      // A file that cannot be opened again goes on where it is.
      if (reopen && !ToJournal()) static_cast<void>(Open());
      ToJournal() ? ToJournal(lines) : ToFile(lines);
      lock.lock();
      if (last && queue_.empty()) return;
    }
  }

  void ToFile(const std::deque<Line>& lines) {
    for (const Line& line : lines) {
      const std::string text = line.json + '\n';
      std::string_view left = text;
      while (!left.empty()) {
        const ssize_t wrote = write(file_.get(), left.data(), left.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(wrote));
      }
      if (!left.empty()) options_.on_drop();
    }
  }

  void ToJournal(const std::deque<Line>& lines) {
    for (const Line& line : lines) {
      const std::array<std::string, 5> fields = {
          "MESSAGE=" + line.json, "PRIORITY=5", "SYSLOG_IDENTIFIER=crivet-audit",
          "CRIVET_VERDICT=" + line.verdict, "CRIVET_METHOD=" + std::string(line.method)};
      std::array<iovec, fields.size()> pieces{};
      for (std::size_t i = 0; i < fields.size(); ++i) {
        pieces[i] = {const_cast<char*>(fields[i].data()), fields[i].size()};
      }
      if (sd_journal_sendv(pieces.data(), static_cast<int>(pieces.size())) < 0) options_.on_drop();
    }
  }

  const Options options_;
  PodAnswers answers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Line> queue_;
  bool stopping_ = false;
  bool reopen_ = false;
  OwnedFd file_;
  std::thread thread_;
};

trust::Result<std::unique_ptr<AuditLog>> AuditLog::Create(Options options) {
  auto writer = std::make_unique<Writer>(std::move(options));
  if (auto started = writer->Start(); !started) return tl::unexpected(started.error());
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(writer)));
}

AuditLog::AuditLog(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}
AuditLog::~AuditLog() = default;

void AuditLog::Write(const AuditEntry& entry) {
  writer_->Add(
      {LineOf(entry, writer_->RepeatOf(entry)), std::string(VerdictOf(entry)), entry.method});
}

void AuditLog::Reopen() { writer_->Reopen(); }

}  // namespace crivet::proxy
