// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "proxy/config/config_reader.h"
#include "trust/decide/key_reader.h"

namespace crivet::proxy {

/// RuleKeys lets a kind of trust read its own keys out of a table of the configuration. What is
/// referred to must outlive it.
class RuleKeys final : public trust::KeyReader {
 public:
  enum class Verifies : std::uint8_t { kNo, kYes };

  RuleKeys(TableReader& table, ConfigFindings& findings, Verifies verifies)
      : table_(table), findings_(findings), verifies_(verifies) {}

  bool Has(const std::string& key) const override { return table_.Has(key); }
  bool HasEmptyArray(const std::string& key) const override { return table_.HasEmptyArray(key); }
  std::vector<std::string> Names() const override { return table_.Names(); }
  Place PlaceOf(const std::string& key) const override;
  Place place() const override;
  std::optional<Text> String(const std::string& key) override;
  std::optional<std::vector<Text>> Strings(const std::string& key) override;
  std::optional<bool> Bool(const std::string& key) override;
  std::optional<std::int64_t> Integer(const std::string& key, std::int64_t least,
                                      std::int64_t most) override;
  std::vector<Text> EachChecked(const std::string& key, const Check& check) override;
  std::optional<Span> Duration(const std::string& key, std::chrono::seconds least,
                               std::chrono::seconds most) override;
  std::optional<File> ReadFile(const std::string& key) override;
  std::vector<File> ReadFiles(const std::string& key) override;
  std::unique_ptr<KeyReader> Table(const std::string& key) override;
  bool IsTable(const std::string& key) const override { return table_.IsTable(key); }
  std::vector<std::unique_ptr<KeyReader>> Tables(const std::string& key) override;
  void Wrong(Place at, const std::string& what) override;
  void WrongFile(const File& file, const std::string& what) override;
  void Warn(Place at, const std::string& what) override;
  void Refuse(const std::string& key, const std::string& why) override {
    // Where it is not there, nobody must be told to write it.
    if (table_.Has(key)) table_.Refuse(key, why);
  }
  void Missing(const std::string& key, const std::string& why) override;
  void Finish() override { table_.Finish(); }
  bool verifies() const override { return verifies_ == Verifies::kYes; }

 private:
  TableReader& table_;
  ConfigFindings& findings_;
  const Verifies verifies_;
};

}  // namespace crivet::proxy
