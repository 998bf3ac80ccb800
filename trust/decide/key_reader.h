// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crivet::trust {

/// KeyReader is how a kind reads its own keys of a rule, whatever the configuration is written in.
/// Each key that is asked for becomes a valid one. Where a value has the wrong type or does not
/// pass its check, that is recorded with its place, and the answer is nullopt, as for a missing
/// key. Not thread-safe.
class KeyReader {
 public:
  virtual ~KeyReader() = default;

  /// Where something stands in the text.
  struct Place {
    std::size_t line = 0;
    std::size_t column = 0;
    std::size_t text = 0;  ///< which of several texts that are read as one
  };
  struct Text {
    std::string value;
    Place at;
  };

  virtual bool Has(const std::string& key) const = 0;
  virtual bool HasEmptyArray(const std::string& key) const = 0;
  /// Every key of the table, in the order of the text.
  virtual std::vector<std::string> Names() const = 0;
  /// Of a key; of the table itself where the key is not there.
  virtual Place PlaceOf(const std::string& key) const = 0;
  /// Of the table.
  virtual Place place() const = 0;

  virtual std::optional<Text> String(const std::string& key) = 0;
  virtual std::optional<std::vector<Text>> Strings(const std::string& key) = 0;
  virtual std::optional<bool> Bool(const std::string& key) = 0;
  virtual std::optional<std::int64_t> Integer(const std::string& key, std::int64_t least,
                                              std::int64_t most) = 0;
  /// Strings that each pass `check`, which says what is wrong with one; nothing: it is good.
  using Check = std::function<std::string(const std::string&)>;
  virtual std::vector<Text> EachChecked(const std::string& key, const Check& check) = 0;
  struct Span {
    std::chrono::seconds value;
    std::string shown;  ///< as people write it
    Place at;
  };
  virtual std::optional<Span> Duration(const std::string& key, std::chrono::seconds least,
                                       std::chrono::seconds most) = 0;
  struct File {
    std::string path;
    std::string content;
    Place at;  ///< of the path
  };
  /// The file whose absolute path stands there. What cannot be read has been recorded.
  virtual std::optional<File> ReadFile(const std::string& key) = 0;
  /// The files whose absolute paths stand there.
  virtual std::vector<File> ReadFiles(const std::string& key) = 0;
  /// A table below this one. The reader lives no longer than this one; Finish it.
  virtual std::unique_ptr<KeyReader> Table(const std::string& key) = 0;
  /// Whether one stands there, where another value may too.
  virtual bool IsTable(const std::string& key) const = 0;
  /// The tables of a list, each as Table's.
  virtual std::vector<std::unique_ptr<KeyReader>> Tables(const std::string& key) = 0;

  virtual void Wrong(Place at, const std::string& what) = 0;
  /// The same of what a file holds that was read: it may be right again without the text being
  /// changed.
  virtual void WrongFile(const File& file, const std::string& what) = 0;
  virtual void Warn(Place at, const std::string& what) = 0;
  /// Records, where the key is there, why it must not be.
  virtual void Refuse(const std::string& key, const std::string& why) = 0;
  /// Records that a key is missing, with what it is for.
  virtual void Missing(const std::string& key, const std::string& why) = 0;
  /// Refuses every key of a table below that nothing asked for.
  virtual void Finish() = 0;

  /// Whether the rule is known to verify: only then is a missing key an error.
  virtual bool verifies() const = 0;
};

}  // namespace crivet::trust
