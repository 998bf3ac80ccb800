// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config_error.h"
#include "proxy/config/config_values.h"
#include "proxy/config/named_files.h"
#include "trust/toml/toml_document.h"

namespace crivet::proxy {

using trust::ParseToml;
using trust::TextPosition;
using trust::TomlArray;
using trust::TomlLocalTime;
using trust::TomlMember;
using trust::TomlTable;
using trust::TomlValue;

/// Shown is a key or a word of the file as a message shows it: short, on one line.
std::string Shown(std::string_view text);

/// ConfigFindings gathers what is wrong and what is only doubtful. Not thread-safe.
class ConfigFindings {
 public:
  /// `files` are what the texts are called, by their number in a TextPosition; never empty.
  /// `named` reads the files that they name.
  ConfigFindings(std::vector<std::string> files, NamedFiles named)
      : files_(std::move(files)), named_(std::move(named)) {}

  void Wrong(TextPosition at, std::string what);
  void Warn(TextPosition at, std::string what);
  /// What stands there names a file that cannot be used: wrong, unless the file may be set aside
  /// (Strictness).
  void WrongFile(TextPosition at, const std::string& path, const std::string& what);
  /// What was found of files that were set aside, as far as that is beyond the first `count` of
  /// them: why what has been read since cannot be used. Empty where nothing was found.
  std::string SetAsideSince(std::size_t count) const;
  std::size_t set_aside() const { return set_aside_.size(); }

  /// How a message about `from` names another place: `line 12`, or `FILE:12` where that is another
  /// file's.
  std::string PlaceOf(TextPosition at, TextPosition from) const;

  /// The files that the texts name, and where they are.
  NamedFiles& named() { return named_; }
  const std::string& root() const { return named_.root(); }

  bool any_wrong() const { return !wrong_.empty(); }
  /// In the order of the texts.
  std::vector<ConfigError> TakeWrong();
  std::vector<std::string> TakeWarnings();

 private:
  struct Finding {
    TextPosition at;
    std::string what;
  };
  std::vector<ConfigError> InOrder(std::vector<Finding> findings) const;
  const std::string& FileOf(TextPosition at) const;

  std::vector<std::string> files_;
  NamedFiles named_;
  std::vector<Finding> wrong_;
  std::vector<Finding> warnings_;
  std::vector<std::string> set_aside_;
};

/// A value that a reader found, with its place.
template <typename T>
struct Placed {
  T value;
  TextPosition at;
};

/// TableReader reads one table strictly: each key that is asked for becomes a valid key of the
/// table, and Finish refuses all others, naming the nearest valid one. Where a value has the wrong
/// type or does not pass its check, that is recorded and the answer is nullopt, as for a missing
/// key. References must outlive it.
class TableReader {
 public:
  /// `name` is what messages call the table: `[gate]`; empty for the top level.
  TableReader(const TomlTable& table, TextPosition at, std::string name, ConfigFindings& findings)
      : table_(table), at_(at), name_(std::move(name)), findings_(findings) {}

  bool Has(const std::string& key) const;
  bool HasEmptyArray(const std::string& key) const;
  /// Every key of the table, in the order of the text.
  std::vector<std::string> Names() const;
  TextPosition at() const { return at_; }
  /// Where a key stands; the table's own place where it does not.
  TextPosition PositionOf(const std::string& key) const;

  std::optional<Placed<std::string>> String(const std::string& key);
  std::optional<Placed<bool>> Bool(const std::string& key);
  std::optional<Placed<std::int64_t>> Integer(const std::string& key, std::int64_t least,
                                              std::int64_t most);
  /// A number with or without a fraction.
  std::optional<Placed<double>> Number(const std::string& key, double above, double most);
  std::optional<Placed<trust::TimePoint>> Time(const std::string& key);
  std::optional<Placed<std::chrono::milliseconds>> Duration(const std::string& key,
                                                            std::chrono::milliseconds least,
                                                            std::chrono::milliseconds most);
  std::optional<Placed<std::vector<Placed<std::string>>>> Strings(const std::string& key);
  /// A sub-table, to be read by a TableReader of its own.
  std::optional<Placed<const TomlTable*>> Table(const std::string& key);
  bool IsTable(const std::string& key) const;
  /// An array of tables, `[[key]]`.
  std::vector<Placed<const TomlTable*>> Tables(const std::string& key);

  /// One of a closed set of words: its index.
  std::optional<Placed<std::size_t>> Word(const std::string& key,
                                          const std::vector<std::string>& words);

  /// A string that passes `check`.
  using Check = std::function<Valued<std::string>(const std::string&)>;
  std::optional<Placed<std::string>> Checked(const std::string& key, const Check& check);
  /// Strings that each pass `check`.
  std::vector<Placed<std::string>> EachChecked(const std::string& key, const Check& check);

  /// The key is valid somewhere, but not beside what else this table says.
  void Refuse(const std::string& key, const std::string& why);

  /// Records that `key` is missing.
  void Missing(const std::string& key, const std::string& why);

  /// Refuses every key that nothing asked for.
  void Finish();

 private:
  const TomlMember* Find(const std::string& key);
  std::string NameOf(const std::string& key) const;
  void WrongType(const TomlMember& member, std::string_view wanted);

  const TomlTable& table_;
  TextPosition at_;
  std::string name_;
  ConfigFindings& findings_;
  std::vector<std::string> known_;
};

}  // namespace crivet::proxy
