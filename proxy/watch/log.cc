#include "proxy/watch/log.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>

// The library would otherwise note the place in this file for every message.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "proxy/wall_clock.h"

namespace crivet::proxy {
namespace {

// systemd.exec(5): JOURNAL_STREAM names the device and inode of the stream that goes to the
// journal; stderr may have been sent elsewhere since.
bool StderrIsTheJournal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::string_view WordOf(Log::Level level) {
  switch (level) {
    case Log::Level::kDebug:
      return "debug";
    case Log::Level::kInfo:
      return "info";
    case Log::Level::kWarn:
      return "warn";
    case Log::Level::kError:
      return "error";
  }
  return "error";
}

// The numbers of syslog(3).
int PriorityOf(Log::Level level) {
  switch (level) {
    case Log::Level::kDebug:
      return 7;
    case Log::Level::kInfo:
      return 6;
    case Log::Level::kWarn:
      return 4;
    case Log::Level::kError:
      return 3;
  }
  return 3;
}

std::string OnOneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

void SendToJournal(Log::Level level, std::string_view message, const Log::Fields& fields) {
  std::vector<std::string> entries = {fmt::format("MESSAGE={}", OnOneLine(message)),
                                      fmt::format("PRIORITY={}", PriorityOf(level)),
                                      "SYSLOG_IDENTIFIER=crivet"};
  for (const auto& [name, value] : fields) {
    entries.push_back(fmt::format("CRIVET_{}={}", name, value));
  }
  std::vector<iovec> parts;
  for (std::string& entry : entries) parts.push_back({entry.data(), entry.size()});
  // Where the journal is gone, so is everybody who could be told.
  (void)sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace

Log::Log(Level level) : level_(level), to_journal_(StderrIsTheJournal()) {}

void Log::Write(Level level, std::string_view message, const Fields& fields) {
  if (level < level_.load(std::memory_order_relaxed)) return;
  if (to_journal_) return SendToJournal(level, message, fields);
  const std::string line = LogLine(Now(), level, message, fields) + "\n";
  // One write: lines of several threads do not mix.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

std::string LogLine(trust::TimePoint time, Log::Level level, std::string_view message,
                    const Log::Fields& fields) {
  std::string line =
      fmt::format("{} {} {}", trust::FormatRfc3339(time), WordOf(level), OnOneLine(message));
  for (const auto& [name, value] : fields) {
    line += ' ';
    for (const char c : name) {
      line += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    line += '=' + OnOneLine(value);
  }
  return line;
}

}  // namespace crivet::proxy
