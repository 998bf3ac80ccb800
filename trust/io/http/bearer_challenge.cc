// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/bearer_challenge.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxHeaderBytes = 8 * 1024;
constexpr std::size_t kMaxChallenges = 16;

// Locale must not change what a header means.
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsTokenChar(char c) {
  if ((c >= '0' && c <= '9') || (Lower(c) >= 'a' && Lower(c) <= 'z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool SameWord(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return Lower(x) == y; });
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void BackTo(std::string_view rest) { rest_ = rest; }

  void SkipSpace() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }

  // RFC 7230 7: a list may hold empty elements.
  void SkipSeparators() {
    SkipSpace();
    while (TakeChar(',')) SkipSpace();
  }

  bool TakeChar(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view TakeToken() {
    const auto* end = std::find_if_not(rest_.begin(), rest_.end(), IsTokenChar);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  // Nothing where a quoted string does not end or holds a control character.
  std::optional<std::string> TakeValue() {
    if (!TakeChar('"')) return std::string(TakeToken());
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      // Whether a char has a sign depends on the machine.
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) return std::nullopt;
      value += c;
    }
    return std::nullopt;
  }

  // A credential-like word after a scheme (`Negotiate abc==`): of no use to us.
  void SkipToken68() {
    while (!rest_.empty() && (IsTokenChar(rest_.front()) || rest_.front() == '/')) {
      rest_.remove_prefix(1);
    }
    while (TakeChar('=')) continue;
  }

 private:
  std::string_view rest_;
};

enum class Ending : std::uint8_t { kComplete, kBroken };

struct Challenge {
  AuthChallenge value;
  std::vector<std::string> names;
  bool named_twice = false;

  void Set(std::string_view name, std::string text) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
    if (std::find(names.begin(), names.end(), lower) != names.end()) {
      named_twice = true;
      return;
    }
    if (lower == "realm") {
      value.realm = std::move(text);
    } else if (lower == "service") {
      value.service = std::move(text);
    }
    // A server that sends more parameters than any scheme knows gains no time by it.
    if (names.size() < 32) names.push_back(std::move(lower));
  }
};

// Reads `name=value` pairs until the next challenge begins or the text ends.
Ending TakeParameters(Scanner& scanner, Challenge& challenge) {
  while (true) {
    scanner.SkipSeparators();
    if (scanner.AtEnd()) return Ending::kComplete;
    const std::string_view before = scanner.rest();
    const std::string_view name = scanner.TakeToken();
    if (name.empty()) return Ending::kBroken;
    scanner.SkipSpace();
    if (!scanner.TakeChar('=')) {
      scanner.BackTo(before);
      return Ending::kComplete;
    }
    scanner.SkipSpace();
    if (scanner.AtEnd() || scanner.rest().front() == ',') return Ending::kBroken;
    std::optional<std::string> value = scanner.TakeValue();
    if (!value) return Ending::kBroken;
    challenge.Set(name, *std::move(value));
    scanner.SkipSpace();
    if (!scanner.AtEnd() && scanner.rest().front() != ',') return Ending::kBroken;
  }
}

}  // namespace

std::vector<AuthChallenge> ParseChallenges(std::string_view header) {
  std::vector<AuthChallenge> found;
  if (header.size() > kMaxHeaderBytes) return found;
  Scanner scanner(header);
  while (found.size() < kMaxChallenges) {
    scanner.SkipSeparators();
    const std::string_view scheme = scanner.TakeToken();
    if (scheme.empty()) return found;
    scanner.SkipSpace();
    const bool bearer = SameWord(scheme, "bearer");
    Challenge challenge;
    challenge.value.scheme =
        bearer ? AuthChallenge::Scheme::kBearer : AuthChallenge::Scheme::kBasic;
    if (!bearer && !SameWord(scheme, "basic")) {
      // `Scheme token68` and `Scheme name=value` cannot be told apart by their first word alone.
      const std::string_view before = scanner.rest();
      scanner.SkipToken68();
      scanner.SkipSpace();
      if (!scanner.AtEnd() && scanner.rest().front() != ',') scanner.BackTo(before);
      if (TakeParameters(scanner, challenge) == Ending::kBroken) return found;
      continue;
    }
    const Ending ending = TakeParameters(scanner, challenge);
    const bool usable = !challenge.named_twice && !(bearer && challenge.value.realm.empty());
    if (usable) found.push_back(std::move(challenge.value));
    if (ending == Ending::kBroken) return found;
  }
  return found;
}

}  // namespace crivet::trust
