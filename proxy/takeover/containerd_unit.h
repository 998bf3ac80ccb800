// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// ContainerdUnit is what systemd says of containerd.service: its text, not what became of it.
struct ContainerdUnit {
  /// Of the process that runs; zero where none does, empty where systemd does not tell.
  std::optional<int> main_pid;
  std::string program;             ///< where systemd found the first word
  std::string prefix;              ///< of ExecStart, as `-` or `:`
  std::vector<std::string> words;  ///< of ExecStart, variables as written
  std::vector<std::string> drop_ins;
};

/// The properties that ParseContainerdUnit reads, for `systemctl show --property=`.
inline constexpr char kUnitProperties[] = "LoadState,MainPID,ExecStart,ExecStartEx,DropInPaths";

/// ParseContainerdUnit reads `systemctl show`. kState where there is no such unit, kMalformed where
/// its command is of a form that cannot be told from that text. Pure.
trust::Result<ContainerdUnit> ParseContainerdUnit(std::string_view shown);

/// CommandOf is the argv out of systemd's `ExecStart=` property, as the unit has it: variables are
/// not replaced, and quotes are gone. Never to be executed. kMalformed where there is none.
trust::Result<std::vector<std::string>> CommandOf(std::string_view exec_start);

/// ContainerdProcess is what containerd really runs with, as /proc tells it.
struct ContainerdProcess {
  std::string program;                   ///< absolute path of its executable
  std::vector<std::string> arguments;    ///< with argv[0]
  std::vector<std::string> environment;  ///< NAME=value
  std::string folder;                    ///< its working directory
};

/// ContainerdOptions are the options of such a command line that matter here.
struct ContainerdOptions {
  struct Option {
    std::string value;
    std::size_t word = 0;       ///< that carries the value
    std::size_t name_word = 0;  ///< that carries the name: the same in `--config=FILE`
    std::string written;        ///< the name with its dashes
  };
  std::optional<Option> config;
  std::optional<Option> address;
};

/// ParseContainerdOptions reads the words as containerd does: options alone, of which the last of
/// a kind counts. kMalformed where a word is something else. Pure.
trust::Result<ContainerdOptions> ParseContainerdOptions(const std::vector<std::string>& arguments);

/// ConfigFileOf is the configuration that the process reads, absolute.
std::string ConfigFileOf(const ContainerdProcess& process, const ContainerdOptions& options);

/// ProcessOfUnit is what a unit that does not run would run with. kMalformed where its command has
/// a variable, by name, or is not containerd's own. Pure.
trust::Result<ContainerdProcess> ProcessOfUnit(const ContainerdUnit& unit);

/// ExecStartWith is the unit's text with `config_file` as containerd's configuration, and nothing
/// else changed: where the word of it is written out or is one variable that word is replaced,
/// otherwise the option goes to the end, where it counts. kMalformed, by what a person can do,
/// where the text is not what the process was started with, or is not understood. Pure.
trust::Result<std::string> ExecStartWith(const ContainerdUnit& unit,
                                         const ContainerdProcess& process,
                                         const std::string& config_file);

}  // namespace crivet::proxy
