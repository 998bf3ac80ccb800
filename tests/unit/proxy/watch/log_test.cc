// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/log.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <regex>
#include <thread>

namespace crivet::proxy {
namespace {

/// What stderr is given while this lives.
class CaughtStderr {
 public:
  CaughtStderr() : file_(std::tmpfile()), kept_(dup(STDERR_FILENO)) {
    dup2(fileno(file_), STDERR_FILENO);
  }
  ~CaughtStderr() {
    Release();
    std::fclose(file_);
  }
  CaughtStderr(const CaughtStderr&) = delete;
  CaughtStderr& operator=(const CaughtStderr&) = delete;

  std::vector<std::string> Lines() {
    Release();
    std::rewind(file_);
    std::vector<std::string> lines(1);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      if (c == '\n') {
        lines.emplace_back();
      } else {
        lines.back() += static_cast<char>(c);
      }
    }
    BOOST_TEST(lines.back().empty());  // every line ended
    lines.pop_back();
    return lines;
  }

 private:
  void Release() {
    if (kept_ < 0) return;
    dup2(kept_, STDERR_FILENO);
    close(kept_);
    kept_ = -1;
  }

  std::FILE* file_;
  int kept_;
};

// The moment in front is the machine's: it is looked at and cut off.
std::string WithoutTime(const std::string& line) {
  static const std::regex kTime("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z ");
  std::smatch found;
  BOOST_TEST_REQUIRE(std::regex_search(line, found, kTime, std::regex_constants::match_continuous),
                     line);
  return found.suffix();
}

BOOST_AUTO_TEST_SUITE(LogTest)

BOOST_AUTO_TEST_CASE(Line_HasTimeLevelMessageAndFields) {
  CaughtStderr caught;
  Log log(Log::Level::kInfo);
  log.Warn("it failed", {{"GUN", "x/y"}, {"COUNT", "2"}});
  log.Error("it {} and {failed}");  // a message is no format
  const auto lines = caught.Lines();
  BOOST_TEST_REQUIRE(lines.size() == 2u);
  BOOST_TEST(WithoutTime(lines[0]) == "warn it failed gun=x/y count=2");
  BOOST_TEST(WithoutTime(lines[1]) == "error it {} and {failed}");
}

BOOST_AUTO_TEST_CASE(Line_OfSeveralLines_IsOne) {
  CaughtStderr caught;
  Log(Log::Level::kInfo).Info("a\nb\r\x1B[31m", {{"X", "c\nd"}});
  const auto lines = caught.Lines();
  BOOST_TEST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(WithoutTime(lines[0]) == "info a b  [31m x=c d");
}

BOOST_AUTO_TEST_CASE(Level_ChangesWhileRunning) {
  CaughtStderr caught;
  Log log(Log::Level::kWarn);
  log.Info("unheard");
  log.SetLevel(Log::Level::kDebug);
  log.Debug("heard");
  log.SetLevel(Log::Level::kError);
  log.Warn("unheard again");
  const auto lines = caught.Lines();
  BOOST_TEST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(WithoutTime(lines[0]) == "debug heard");
}

BOOST_AUTO_TEST_CASE(Lines_OfSeveralThreads_AreWhole_WithTheirOwnFields) {
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  CaughtStderr caught;
  Log log(Log::Level::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log, t] {
      const std::string own = std::string(200, static_cast<char>('a' + t));
      for (int i = 0; i < kLines; ++i) log.Info(own, {{"OWN", own}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = caught.Lines();
  BOOST_TEST_REQUIRE(lines.size() == std::size_t{kThreads * kLines});
  for (const std::string& line : lines) {
    const std::string text = WithoutTime(line);
    const std::string own(200, text[5]);
    BOOST_TEST_REQUIRE(text == "info " + own + " own=" + own);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crivet::proxy
