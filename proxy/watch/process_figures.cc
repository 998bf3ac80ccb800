// SPDX-License-Identifier: Apache-2.0
#include "proxy/watch/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace crivet::proxy {
namespace {

double Seconds(const timeval& time) {
  constexpr double kMicrosPerSecond = 1e6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kMicrosPerSecond;
}

std::uint64_t OpenDescriptors() {
  std::error_code failed;
  std::filesystem::directory_iterator fd("/proc/self/fd", failed);
  std::uint64_t open = 0;
  for (; !failed && fd != std::filesystem::directory_iterator(); fd.increment(failed)) ++open;
  // The one that looks is none of the others.
  return failed || open == 0 ? 0 : open - 1;
}

}  // namespace

ProcessFigures ReadProcessFigures(trust::TimePoint started) {
  ProcessFigures figures;
  figures.started = started;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    figures.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> pages >> resident_pages) {
    const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    figures.virtual_bytes = pages * page_bytes;
    figures.resident_bytes = resident_pages * page_bytes;
  }
  figures.open_fds = OpenDescriptors();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = limit.rlim_cur;
  return figures;
}

}  // namespace crivet::proxy
