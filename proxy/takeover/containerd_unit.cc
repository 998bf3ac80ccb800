// SPDX-License-Identifier: Apache-2.0
#include "proxy/takeover/containerd_unit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace crivet::proxy {
namespace {

using trust::Fail;
using trust::Reason;
using trust::Result;
using Words = std::vector<std::string>;

constexpr std::string_view kBlanks = " \t\r\n";

Words SplitWords(std::string_view text) {
  Words words;
  while (true) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is zero
}

// The value of `key=` at the beginning of a line.
std::optional<std::string_view> Property(std::string_view shown, std::string_view key) {
  while (!shown.empty()) {
    const auto end = std::min(shown.find('\n'), shown.size());
    const std::string_view line = shown.substr(0, end);
    shown.remove_prefix(std::min(end + 1, shown.size()));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      return line.substr(key.size() + 1);
    }
  }
  return std::nullopt;
}

// Between `name` and the next field, in systemd's `{ path=… ; argv[]=… ; flags=… }`.
std::string_view Field(std::string_view exec, std::string_view name) {
  const auto begin = exec.find(name);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = exec.substr(begin + name.size());
  const auto end = rest.find(" ;");
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

std::string PrefixOf(std::string_view exec, std::string_view exec_ex) {
  std::string prefix;
  for (const std::string& flag : SplitWords(Field(exec_ex, " flags="))) {
    for (const auto& [name, sign] : {std::pair{"ignore-failure", "-"}, std::pair{"privileged", "+"},
                                     std::pair{"no-setuid", "!"}, std::pair{"ambient", "!!"},
                                     std::pair{"no-env-expand", ":"}}) {
      if (flag == name) prefix += sign;
    }
  }
  if (prefix.empty() && Field(exec, " ignore_errors=") == "yes") prefix = "-";
  return prefix;
}

// Programs that run another one in their own place, with words that can be told from its.
bool IsWrapperWord(std::string_view word) {
  constexpr std::array<std::string_view, 7> kWrappers = {"env",     "nice",  "ionice", "chrt",
                                                         "taskset", "choom", "numactl"};
  const std::string_view name = BaseName(word);
  return std::find(kWrappers.begin(), kWrappers.end(), name) != kWrappers.end() ||
         word.starts_with('-') || word.find('=') != std::string_view::npos ||
         word.find_first_not_of("0123456789,-") == std::string_view::npos;
}

// Where containerd's own command line begins in the unit's.
Result<std::size_t> FindProgram(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (BaseName(words[i]) == "containerd") return i;
    if (!IsWrapperWord(words[i])) break;
  }
  return Fail(
      Reason::kMalformed,
      fmt::format("containerd.service starts containerd by way of `{}`: give it containerd's "
                  "own command line in ExecStart= first",
                  fmt::join(words, " ")));
}

// The name of the first variable, empty where there is none.
std::string FirstVariable(const Words& words, std::size_t from) {
  for (std::size_t i = from; i < words.size(); ++i) {
    const std::string& word = words[i];
    for (std::size_t at = 0; (at = word.find('$', at)) != std::string::npos; at += 2) {
      const bool braced = at + 1 < word.size() && word[at + 1] == '{';
      if (braced) return word.substr(at, word.find('}', at) - at + 1);
      if (at == 0 && word.size() > 1 && word[1] != '$') return word;
    }
  }
  return {};
}

std::string_view ValueOf(const ContainerdProcess& process, std::string_view name) {
  for (const std::string& entry : process.environment) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

// systemd's replacement within a word: `${NAME}`, and `$$` for the sign.
std::string ExpandWithin(std::string_view word, const ContainerdProcess& process) {
  std::string out;
  while (!word.empty()) {
    const auto dollar = std::min(word.find('$'), word.size());
    out += word.substr(0, dollar);
    word.remove_prefix(dollar);
    const auto close = word.starts_with("${") ? word.find('}') : std::string_view::npos;
    if (close != std::string_view::npos) {
      out += ValueOf(process, word.substr(2, close - 2));
      word.remove_prefix(close + 1);
    } else if (!word.empty()) {
      out += '$';
      word.remove_prefix(word.starts_with("$$") ? 2 : 1);
    }
  }
  return out;
}

struct Expanded {
  Words words;
  std::vector<std::size_t> origin;  // which word of the unit each came from
};

// As systemd does: a word that is `$NAME` and nothing else becomes any number of words.
Expanded Expand(const ContainerdUnit& unit, std::size_t from, const ContainerdProcess& process) {
  Expanded expanded;
  const bool as_written = unit.prefix.find(':') != std::string::npos;
  for (std::size_t i = from; i < unit.words.size(); ++i) {
    const std::string& word = unit.words[i];
    Words pieces;
    if (as_written) {
      pieces = {word};
    } else if (word.size() > 1 && word[0] == '$' && word[1] != '{' && word[1] != '$') {
      pieces = SplitWords(ValueOf(process, std::string_view(word).substr(1)));
    } else {
      pieces = {ExpandWithin(word, process)};
    }
    for (std::string& piece : pieces) {
      expanded.words.push_back(std::move(piece));
      expanded.origin.push_back(i);
    }
  }
  return expanded;
}

// For a unit file: specifiers, quotes and blanks escaped, variables as they are.
std::string Quoted(const std::string& word) {
  std::string out;
  for (const char c : word) {
    if (c == '%') out += '%';
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  const bool plain = !word.empty() && word.find_first_of(" \t\"'\\;") == std::string::npos;
  return plain ? out : '"' + out + '"';
}

Words WithConfig(const ContainerdUnit& unit, const Expanded& expanded,
                 const ContainerdOptions& options, const std::string& config_file) {
  Words words = unit.words;
  // With `@` a name is only what the program is told, and systemd found the program by a path.
  if (words.front().find('/') == std::string::npos) words.front() = unit.program;
  const char* written = "--config";
  if (options.config) {
    const auto& option = *options.config;
    const std::size_t origin = expanded.origin[option.word];
    const auto pieces = std::count(expanded.origin.begin(), expanded.origin.end(), origin);
    if (pieces == 1 && option.word != option.name_word) {
      words[origin] = config_file;
      return words;
    }
    const std::string head = option.written + "=";
    if (pieces == 1 && words[origin].starts_with(head)) {
      words[origin] = head + config_file;
      return words;
    }
    written = option.written.c_str();
  }
  words.emplace_back(written);
  words.push_back(config_file);
  return words;
}

}  // namespace

Result<Words> CommandOf(std::string_view exec_start) {
  constexpr std::string_view kNone =
      "containerd.service has no ExecStart: is containerd started by another unit?";
  if (exec_start.find("argv[]=") == std::string_view::npos) {
    return Fail(Reason::kMalformed, std::string(kNone));
  }
  Words command = SplitWords(Field(exec_start, "argv[]="));
  if (command.empty()) return Fail(Reason::kMalformed, std::string(kNone));
  return command;
}

Result<ContainerdUnit> ParseContainerdUnit(std::string_view shown) {
  if (const auto state = Property(shown, "LoadState"); state && *state != "loaded") {
    return Fail(
        Reason::kState,
        fmt::format("systemd knows no containerd.service ({}): a runtime that another program "
                    "starts (k3s, RKE2, Docker) cannot be moved; let kubelet use crivet's own "
                    "socket instead",
                    *state));
  }
  ContainerdUnit unit;
  if (const auto pid = Property(shown, "MainPID")) {
    int number = 0;
    std::from_chars(pid->data(), pid->data() + pid->size(), number);
    unit.main_pid = number;
  }
  const std::string_view exec = Property(shown, "ExecStart").value_or("");
  auto words = CommandOf(exec);
  if (!words) return tl::unexpected(words.error());
  unit.words = std::move(*words);
  unit.program = std::string(Field(exec, "path="));
  unit.prefix = PrefixOf(exec, Property(shown, "ExecStartEx").value_or(""));
  unit.drop_ins = SplitWords(Property(shown, "DropInPaths").value_or(""));
  if (exec.find("argv[]=") != exec.rfind("argv[]=") ||
      BaseName(unit.program) != BaseName(unit.words.front())) {
    return Fail(
        Reason::kMalformed,
        fmt::format("the ExecStart of containerd.service ({} as `{}`) is of a form that crivet "
                    "does not rewrite",
                    unit.program, fmt::join(unit.words, " ")));
  }
  return unit;
}

Result<ContainerdOptions> ParseContainerdOptions(const Words& arguments) {
  constexpr std::array<std::string_view, 8> kOptions = {"config",  "c", "log-level", "l",
                                                        "address", "a", "root",      "state"};
  ContainerdOptions options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const auto dashes = word.find_first_not_of('-');
    const auto equals = word.find('=');
    const std::string_view name =
        dashes == 1 || dashes == 2
            ? std::string_view(word).substr(dashes,
                                            equals == std::string::npos ? equals : equals - dashes)
            : std::string_view();
    const bool known = std::find(kOptions.begin(), kOptions.end(), name) != kOptions.end();
    if (!known || (equals == std::string::npos && i + 1 == arguments.size())) {
      return Fail(
          Reason::kMalformed,
          fmt::format("containerd's command line has the word \"{}\", which is no option that "
                      "crivet knows",
                      word));
    }
    ContainerdOptions::Option option{
        .value = {}, .word = i, .name_word = i, .written = word.substr(0, equals)};
    if (equals == std::string::npos) {
      option.word = ++i;
      option.value = arguments[i];
    } else {
      option.value = word.substr(equals + 1);
    }
    if (name == "config" || name == "c") options.config = option;
    if (name == "address" || name == "a") options.address = option;
  }
  return options;
}

std::string ConfigFileOf(const ContainerdProcess& process, const ContainerdOptions& options) {
  if (!options.config) return "/etc/containerd/config.toml";
  const std::string& value = options.config->value;
  return value.starts_with('/') ? value : process.folder + "/" + value;
}

Result<ContainerdProcess> ProcessOfUnit(const ContainerdUnit& unit) {
  const auto begin = FindProgram(unit.words);
  if (!begin) return tl::unexpected(begin.error());
  const bool as_written = unit.prefix.find(':') != std::string::npos;
  if (const std::string variable = as_written ? "" : FirstVariable(unit.words, *begin);
      !variable.empty()) {
    return Fail(Reason::kMalformed,
                fmt::format("the value of {} in the ExecStart of containerd.service cannot be told "
                            "while containerd does not run",
                            variable));
  }
  ContainerdProcess process;
  process.program = *begin == 0 ? unit.program : unit.words[*begin];
  process.arguments.assign(unit.words.begin() + static_cast<std::ptrdiff_t>(*begin),
                           unit.words.end());
  process.folder = "/";
  return process;
}

Result<std::string> ExecStartWith(const ContainerdUnit& unit, const ContainerdProcess& process,
                                  const std::string& config_file) {
  const auto begin = FindProgram(unit.words);
  if (!begin) return tl::unexpected(begin.error());
  const Expanded expanded = Expand(unit, *begin, process);
  // argv[0] may be any name of the program.
  if (!std::equal(expanded.words.begin() + 1, expanded.words.end(), process.arguments.begin() + 1,
                  process.arguments.end())) {
    const std::string variable = FirstVariable(unit.words, *begin);
    return Fail(
        Reason::kMalformed,
        fmt::format(
            "containerd runs as `{}`, which is not what containerd.service now says: `{}`{}. "
            "Restart containerd, and try again{}",
            fmt::join(process.arguments, " "), fmt::join(unit.words, " "),
            variable.empty() ? "" : " with the value of " + variable,
            variable.empty() ? "" : ", or write the value out in ExecStart="));
  }
  const auto options = ParseContainerdOptions(expanded.words);
  if (!options) return tl::unexpected(options.error());
  std::string text = unit.prefix;
  for (const std::string& word : WithConfig(unit, expanded, *options, config_file)) {
    if (text.size() > unit.prefix.size()) text += ' ';
    text += Quoted(word);
  }
  return text;
}

}  // namespace crivet::proxy
