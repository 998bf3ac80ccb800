// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/config_values.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace crivet::proxy {
namespace {

constexpr std::chrono::milliseconds kLongestDuration = std::chrono::hours{24 * 365 * 100};

struct Unit {
  std::string_view name;
  std::chrono::milliseconds length;
};
constexpr std::array<Unit, 5> kUnits{{{"d", std::chrono::hours{24}},
                                      {"h", std::chrono::hours{1}},
                                      {"m", std::chrono::minutes{1}},
                                      {"s", std::chrono::seconds{1}},
                                      {"ms", std::chrono::milliseconds{1}}}};

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsIdentifierLetter(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

std::optional<std::uint64_t> ParseNumber(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

bool IsPort(std::string_view digits) {
  const auto port = ParseNumber(digits);
  return port && *port >= 1 && *port <= std::numeric_limits<std::uint16_t>::max() &&
         digits.front() != '0';
}

struct HostAndPort {
  std::string host;
  std::string_view port;
};

std::optional<HostAndPort> SplitHostAndPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return HostAndPort{std::string(text.substr(0, colon)), text.substr(colon + 1)};
}

// Texts of the file: what is shown of them stays on one short line.
std::string ShownPath(std::string text) {
  if (text.size() > 120) text.resize(120);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c == 0x7F; }, '?');
  return text;
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_up(b.size() + 1);
  std::vector<std::size_t> up(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) up[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = up[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({up[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_up[j - 2] + 1);
      }
    }
    two_up.swap(up);
    up.swap(row);
  }
  return up[b.size()];
}

std::string NearestWord(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 64;
  if (word.size() > kLongestWord) return {};
  std::string nearest;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    // Words cut short or drawn out: `state` for `state_dir`, `warning` for `warn`.
    const bool is_stem = std::min(word.size(), candidate.size()) >= 3 &&
                         (candidate.starts_with(word) || word.starts_with(candidate));
    const std::size_t distance = is_stem ? 1 : EditDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  if (const std::string nearest = NearestWord(word, candidates); !nearest.empty()) {
    return " (did you mean \"" + nearest + "\"?)";
  }
  if (candidates.empty()) return {};
  std::string all = " (valid here: ";
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) all += ", ";
    all += candidates[i];
  }
  return all + ")";
}

Valued<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const auto malformed = [&] {
    return tl::unexpected<std::string>("\"" + std::string(text.substr(0, 40)) +
                                       "\" is not a duration such as \"5m\", \"30d\" or \"0s\"");
  };
  std::chrono::milliseconds total{0};
  std::size_t next_unit = 0;
  std::string_view rest = text;
  if (rest.empty()) return malformed();
  while (!rest.empty()) {
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto number = ParseNumber(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const std::size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto* const unit =
        std::find_if(kUnits.begin() + next_unit, kUnits.end(),
                     [&](const Unit& u) { return u.name == rest.substr(0, letters); });
    if (!number || unit == kUnits.end()) return malformed();
    rest.remove_prefix(letters);
    next_unit = static_cast<std::size_t>(unit - kUnits.begin()) + 1;
    const auto most = static_cast<std::uint64_t>((kLongestDuration - total) / unit->length);
    if (*number > most) return tl::unexpected<std::string>("is longer than 100 years");
    total += unit->length * static_cast<std::int64_t>(*number);
  }
  return total;
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  std::string text;
  for (const Unit& unit : kUnits) {
    if (const auto count = duration / unit.length; count > 0) {
      text += std::to_string(count);
      text += unit.name;
      duration -= unit.length * count;
    }
  }
  return text.empty() ? "0s" : text;
}

Valued<std::string> CheckAbsolutePath(const std::string& text, PathUse use) {
  // As kubelet and crictl write it.
  for (const std::string_view scheme : {"unix://", "unix:"}) {
    if (!text.starts_with(scheme)) continue;
    return tl::unexpected<std::string>(fmt::format("must be a path, without \"{}\": write \"{}\"",
                                                   scheme, ShownPath(text.substr(scheme.size()))));
  }
  if (text.empty() || text.front() != '/') {
    return tl::unexpected<std::string>("must be an absolute path");
  }
  if (text.find('\0') != std::string::npos) {
    return tl::unexpected<std::string>("must not contain a NUL");
  }
  for (std::size_t from = 1; from <= text.size();) {
    const std::size_t slash = std::min(text.find('/', from), text.size());
    const std::string_view component = std::string_view(text).substr(from, slash - from);
    if (component.empty() || component == "." || component == "..") {
      return tl::unexpected<std::string>(
          "must be a plain absolute path, without \".\", \"..\" or empty components");
    }
    from = slash + 1;
  }
  if (use == PathUse::kSocket && text.size() >= sizeof(sockaddr_un::sun_path)) {
    return tl::unexpected<std::string>(
        "is longer than the 107 bytes that a socket's path may have");
  }
  return text;
}

Valued<std::string> CheckListenAddress(const std::string& text) {
  const auto wrong = tl::unexpected<std::string>(
      "must be a numeric address and a port, such as \"127.0.0.1:9477\" or \"[::1]:9477\"");
  auto parts = SplitHostAndPort(text);
  if (!parts || !IsPort(parts->port)) return wrong;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::string& host = parts->host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), address.data()) != 1) return wrong;
  } else if (inet_pton(AF_INET, host.c_str(), address.data()) != 1) {
    return wrong;
  }
  return text;
}

bool IsLoopbackAddress(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]:");
}

Valued<std::string> CheckMethodPath(const std::string& text) {
  const std::size_t slash = text.find('/', 1);
  const auto wrong = tl::unexpected<std::string>(
      "must be a full method path, such as \"/package.Service/Method\"");
  if (text.empty() || text.front() != '/' || slash == std::string::npos) return wrong;
  const std::string_view service = std::string_view(text).substr(1, slash - 1);
  const std::string_view method = std::string_view(text).substr(slash + 1);
  const auto is_service_letter = [](char c) { return IsIdentifierLetter(c) || c == '.'; };
  if (service.empty() || method.empty() ||
      !std::all_of(service.begin(), service.end(), is_service_letter) ||
      !std::all_of(method.begin(), method.end(), IsIdentifierLetter)) {
    return wrong;
  }
  return text;
}

Valued<std::string> CheckNamespaceGlob(const std::string& text) {
  const auto is_letter = [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '*'; };
  if (text.empty() || text.size() > 63 || !std::all_of(text.begin(), text.end(), is_letter)) {
    return tl::unexpected<std::string>("\"" + text.substr(0, 64) +
                                       "\" is not a namespace or a pattern such as \"prod-*\"");
  }
  return text;
}

Valued<std::string> CheckHostName(const std::string& written) {
  std::string text = written;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string host = text;
  bool good = true;
  if (auto parts = SplitHostAndPort(text)) {
    good = IsPort(parts->port);
    host = parts->host;
  }
  const auto is_letter = [](char c) { return IsLowerOrDigit(c) || c == '-' || c == '.'; };
  if (!good || host.empty() || host.front() == '.' || host.front() == '-' ||
      !std::all_of(host.begin(), host.end(), is_letter)) {
    return tl::unexpected<std::string>("\"" + text.substr(0, 64) + "\" is not a host name");
  }
  return text;
}

}  // namespace crivet::proxy
