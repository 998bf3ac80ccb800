#include "proxy/audit_event.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "proxy/owned_fd.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace crivet::proxy {

trust::Result<void> AuditForget(const std::string& target, const trust::RepositoryId& id,
                                trust::TimePoint now) {
  const nlohmann::json event = {{"schema", "crivet.audit/1"},
                                {"time", trust::FormatRfc3339(now)},
                                {"event", "forget"},
                                {"server", id.url},
                                {"gun", id.gun.text()}};
  const std::string line = event.dump();
  if (target == "journal") {
    std::array<std::string, 4> fields = {"MESSAGE=" + line, "PRIORITY=5",
                                         "SYSLOG_IDENTIFIER=crivet-audit", "CRIVET_EVENT=forget"};
    std::array<iovec, fields.size()> parts{};
    for (std::size_t i = 0; i < fields.size(); ++i) parts[i] = {fields[i].data(), fields[i].size()};
    const int sent = sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    if (sent >= 0) return {};
    return trust::Fail(trust::Reason::kState, "the journal takes no audit line: " +
                                                  std::generic_category().message(-sent));
  }
  const OwnedFd file(open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
  const std::string text = line + "\n";
  if (file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return {};
  }
  return trust::Fail(trust::Reason::kState,
                     target + ": takes no audit line: " + std::generic_category().message(errno));
}

}  // namespace crivet::proxy
