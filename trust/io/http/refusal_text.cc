// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/refusal_text.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "trust/base/quoted.h"
#include "trust/signed/json.h"

namespace crivet::trust {
namespace {

constexpr std::size_t kMaxBody = 4096;

// Of the distribution specification and of Notary's server.
constexpr std::string_view kCodes[] = {
    "DENIED",       "GUN_UNKNOWN",  "INVALID_GUN",     "METADATA_NOT_FOUND",
    "NAME_INVALID", "NAME_UNKNOWN", "TOOMANYREQUESTS", "UNAUTHORIZED",
    "UNAVAILABLE",  "UNKNOWN",      "UNSUPPORTED",
};

std::string TextAt(const std::optional<JsonValue>& object, std::string_view name) {
  const std::optional<JsonValue> value = object ? object->Find(name) : std::nullopt;
  return std::string(value ? value->AsString().value_or("") : "");
}

std::optional<JsonValue> FirstError(const JsonDocument& document) {
  const std::optional<JsonValue> errors = document.root().Find("errors");
  const std::optional<JsonElements> list = errors ? errors->AsArray() : std::nullopt;
  if (!list || list->begin() == list->end()) return std::nullopt;
  return *list->begin();
}

std::string Joined(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + ": " + b;
}

std::string TitleOf(std::string_view page) {
  constexpr std::string_view kBegin = "<title>";
  const std::size_t begin = page.find(kBegin);
  if (begin == std::string_view::npos) return {};
  const std::string_view title = page.substr(begin + kBegin.size());
  return std::string(title.substr(0, title.find('<')));
}

}  // namespace

std::string ReasonIn(std::string_view body, Sent sent) {
  body = body.substr(0, kMaxBody);
  const Result<JsonDocument> document =
      JsonDocument::Parse(body, JsonLimits{.max_bytes = kMaxBody, .max_values = 256});
  const std::optional<JsonValue> error = document ? FirstError(*document) : std::nullopt;
  const std::string code = TextAt(error, "code");
  if (sent == Sent::kSecrets) {
    const bool known = std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
    return known ? code : "";
  }
  if (error) return Quoted(Joined(code, TextAt(error, "message")));
  if (document) {
    for (const char* name : {"error_description", "message", "details", "error"}) {
      const std::string text = TextAt(document->root(), name);
      if (!text.empty()) return Quoted(text);
    }
    return {};
  }
  if (body.find('<') != std::string_view::npos) return Quoted(TitleOf(body));
  return Quoted(body.substr(0, body.find('\n')));
}

}  // namespace crivet::trust
