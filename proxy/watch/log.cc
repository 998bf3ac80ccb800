// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/log.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

// The words of the text form, and of `[log] level`.
#define SPDLOG_LEVEL_NAMES \
  { "trace", "debug", "info", "warn", "error", "critical", "off" }
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

// The library would otherwise note the place in this file for every message.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace crivet::proxy {
namespace {

// spdlog's messages have no fields: they go beside one, from Log::Write to its sink, on one thread.
thread_local const Log::Fields* fields_of_this_message = nullptr;

class FieldsBeside {
 public:
  explicit FieldsBeside(const Log::Fields& fields) { fields_of_this_message = &fields; }
  ~FieldsBeside() { fields_of_this_message = nullptr; }
  FieldsBeside(const FieldsBeside&) = delete;
  FieldsBeside& operator=(const FieldsBeside&) = delete;
};

void AppendOnOneLine(spdlog::string_view_t text, spdlog::memory_buf_t& line) {
  for (const char c : text) {
    line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c);
  }
}

class MessageAndFields final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    AppendOnOneLine(message.payload, line);
    for (const auto& [name, value] : *fields_of_this_message) {
      line.push_back(' ');
      for (const char c : name) {
        line.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
      }
      line.push_back('=');
      AppendOnOneLine(value, line);
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<MessageAndFields>();
  }
};

spdlog::sink_ptr ToStderr() {
  auto formatter =
      std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
  formatter->add_flag<MessageAndFields>('*').set_pattern("%Y-%m-%dT%H:%M:%SZ %l %*");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(std::move(formatter));
  return sink;
}

// sd_journal_sendv(3) takes calls of several threads at once.
class JournalSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // The numbers of syslog(3), from trace to off.
    static constexpr std::array kPriorities = {"7", "7", "6", "4", "3", "2", "6"};
    spdlog::memory_buf_t text;
    AppendOnOneLine(message.payload, text);
    std::vector<std::string> entries = {
        "MESSAGE=" + fmt::to_string(text),
        std::string("PRIORITY=") + kPriorities[static_cast<std::size_t>(message.level)],
        "SYSLOG_IDENTIFIER=crivet"};
    entries.reserve(entries.size() + fields_of_this_message->size());
    for (const auto& [name, value] : *fields_of_this_message) {
      entries.push_back(fmt::format("CRIVET_{}={}", name, value));
    }
    std::vector<iovec> parts;
    parts.reserve(entries.size());
    for (std::string& entry : entries) parts.push_back({entry.data(), entry.size()});
    // Where the journal is gone, so is everybody who could be told.
    (void)sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }
  void flush_() override {}
};

// systemd.exec(5): JOURNAL_STREAM names the device and inode of the stream that goes to the
// journal; stderr may have been sent elsewhere since.
bool StderrIsTheJournal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

spdlog::level::level_enum LevelOf(Log::Level level) {
  switch (level) {
    case Log::Level::kDebug:
      return spdlog::level::debug;
    case Log::Level::kInfo:
      return spdlog::level::info;
    case Log::Level::kWarn:
      return spdlog::level::warn;
    case Log::Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

Log::Log(Level level)
    : logger_(std::make_unique<spdlog::logger>(
          "crivet", StderrIsTheJournal() ? std::make_shared<JournalSink>() : ToStderr())) {
  // There is nobody to tell that a line could not be written.
  logger_->set_error_handler([](const std::string&) {});
  SetLevel(level);
}

Log::~Log() = default;

void Log::SetLevel(Level level) { logger_->set_level(LevelOf(level)); }

void Log::Write(Level level, std::string_view message, const Fields& fields) {
  if (!logger_->should_log(LevelOf(level))) return;
  const FieldsBeside beside(fields);
  logger_->log(LevelOf(level), spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace crivet::proxy
