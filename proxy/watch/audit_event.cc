// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/audit_event.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "proxy/watch/audit_file.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace crivet::proxy {

namespace {

constexpr std::string_view kJournal = "journal";

trust::Result<void> SendToJournal(const std::string& line) {
  std::array<std::string, 4> fields = {"MESSAGE=" + line, "PRIORITY=5",
                                       "SYSLOG_IDENTIFIER=crivet-audit", "CRIVET_EVENT=forget"};
  std::array<iovec, fields.size()> parts{};
  for (std::size_t i = 0; i < fields.size(); ++i) parts[i] = {fields[i].data(), fields[i].size()};
  const int sent = sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  if (sent >= 0) return {};
  return trust::Fail(trust::Reason::kState,
                     "the journal takes no audit line: " + std::generic_category().message(-sent));
}

nlohmann::json EventOf(const trust::CollectionId& id, trust::TimePoint now) {
  return {{"schema", "crivet.audit/1"},
          {"time", trust::FormatRfc3339(now)},
          {"event", "forget"},
          {"server", id.url},
          {"gun", id.name}};
}

}  // namespace

trust::Result<AuditEvents> AuditEvents::Open(const std::string& target) {
  if (target == kJournal) return AuditEvents(target, OwnedFd());
  auto file = OpenAuditFile(target);
  if (!file) return tl::unexpected(std::move(file.error()));
  return AuditEvents(target, *std::move(file));
}

trust::Result<void> AuditEvents::Forgotten(const trust::CollectionId& id,
                                           trust::TimePoint now) const {
  return Write(EventOf(id, now).dump());
}

trust::Result<void> AuditEvents::ForgottenNames(const trust::CollectionId& id,
                                                const trust::ImageReference& signed_as,
                                                trust::TimePoint now) const {
  nlohmann::json event = EventOf(id, now);
  event["records_of"] = signed_as.repository();
  return Write(event.dump());
}

trust::Result<void> AuditEvents::ForgottenTag(const trust::CollectionId& id, const std::string& tag,
                                              trust::TimePoint now) const {
  nlohmann::json event = EventOf(id, now);
  event["floor_of"] = tag;
  return Write(event.dump());
}

trust::Result<void> AuditEvents::ForgottenEvidence(const trust::CollectionId& id,
                                                   trust::TimePoint now) const {
  nlohmann::json event = EventOf(id, now);
  event["evidence"] = true;
  return Write(event.dump());
}

trust::Result<void> AuditEvents::Write(const std::string& line) const {
  if (!file_) return SendToJournal(line);
  const std::string text = line + "\n";
  if (write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return trust::Fail(trust::Reason::kState,
                     target_ + ": takes no audit line: " + std::generic_category().message(errno));
}

}  // namespace crivet::proxy
