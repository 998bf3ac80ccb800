// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/config/config.h"

namespace spdlog {
class logger;
}

namespace crivet::proxy {

/// Log writes lines for people, by spdlog: structured to the journal when systemd reads our stderr,
/// else as text to stderr, `2026-11-24T09:12:00Z warn message name=value`. Thread-safe; a line is
/// written whole, and line breaks and other control characters in it are replaced. What is decided
/// about images goes to the AuditLog, not here. Nothing secret may be given to it.
class Log {
 public:
  /// Names are as the journal wants them: upper-case letters, digits, `_`.
  using Field = std::pair<std::string_view, std::string>;
  using Fields = std::vector<Field>;
  using Level = Config::LogLevel;

  explicit Log(Level level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void SetLevel(Level level);

  void Debug(std::string_view message, const Fields& fields = {}) {
    Write(Level::kDebug, message, fields);
  }
  void Info(std::string_view message, const Fields& fields = {}) {
    Write(Level::kInfo, message, fields);
  }
  void Warn(std::string_view message, const Fields& fields = {}) {
    Write(Level::kWarn, message, fields);
  }
  void Error(std::string_view message, const Fields& fields = {}) {
    Write(Level::kError, message, fields);
  }

 private:
  void Write(Level level, std::string_view message, const Fields& fields);

  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace crivet::proxy
