// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/trust/notary_rule.h"
#include "tests/support/trust_io/memory_disk.h"
#include "tests/support/trust_io/simulated_server.h"
#include "trust/io/service/service_engine.h"
#include "trust/io/service/trust_service.h"

namespace crivet::trust {

/// TestNode is a node with a TrustService, its clock, its disk and the servers that it asks, all of
/// them in the test's hands. It begins at SigningRepository::kNow.
class TestNode {
 public:
  static constexpr char kUrl[] = "https://notary.acme.example";
  static constexpr char kWeb[] = "registry.acme.example/shop/web";

  TestNode();

  /// The server behind the label `acme`, and others by their label.
  SimulatedServer& server() { return Server("acme"); }
  SimulatedServer& Server(const std::string& label) { return *servers_.at(label); }
  TrustServer& AddServer(const std::string& label, const std::string& url);
  TrustServer& Settings(const std::string& label = "acme");
  /// For a server of another kind than Notary's.
  void AddKind(const Kind* kind) { kinds_.push_back(kind); }
  void SetFetcher(const std::string& label, std::shared_ptr<MetadataFetcher> fetcher) {
    fetchers_[label] = std::move(fetcher);
  }

  /// A rule that verifies, pinned to the first root of the server's collection.
  NotaryRule VerifyRule(const std::string& pattern, const std::string& pinned_gun,
                        const std::string& label = "acme");
  static NotaryRule ActionRule(const std::string& pattern, Action action);
  /// What no rule matches is refused, unless `fallback` says otherwise.
  void SetRules(std::vector<NotaryRule> rules, NotaryRule fallback = {});
  /// With rules of any trusts.
  void SetRules(std::vector<Rule> rules, Rule fallback, std::vector<FileReader> files = {});

  /// Takes the place of the service that runs. Ends the test where it cannot be made.
  void Start(TrustService::Refreshing refreshing = TrustService::Refreshing::kOnlyWhenAsked);
  void Stop() { service_.reset(); }
  /// Tells the service of servers and rules; also lets it look at once at what is due.
  void Reconfigure();
  /// Another process on the same disk.
  std::unique_ptr<TrustService> Beside();

  TrustService& service() { return *service_; }
  MemoryDisk& disk() { return *disk_; }
  void SetDisk(std::unique_ptr<MemoryDisk> disk) { disk_ = std::move(disk); }
  std::vector<std::string> Lines() const;

  void Advance(std::chrono::seconds by);
  /// Sets the wall clock alone.
  void SetWall(TimePoint wall);
  TimePoint wall() const;
  /// Of the service that is started next.
  void SetMaxResidentBytes(std::size_t bytes) { max_resident_bytes_ = bytes; }
  void SetMaxEvidenceBytes(std::size_t bytes) { max_evidence_bytes_ = bytes; }
  void SetThreads(std::function<std::unique_ptr<ServiceThreads>()> make_threads) {
    make_threads_ = std::move(make_threads);
  }
  void SetBuildDate(TimePoint date) { build_date_ = date; }
  void SetChangedFiles(std::function<bool(std::function<void()> then)> await) {
    await_changed_files_ = std::move(await);
  }

  static Question Ask(const std::string& reference);
  static Question AskAs(const std::string& reference, const std::string& username);
  Decision Pull(const std::string& reference) { return service_->DecideNow(Ask(reference)); }

  static CollectionId IdOf(const std::string& gun);
  RepositoryStatus StatusOf(const std::string& gun) const;

 private:
  struct Machine {
    std::mutex mutex;
    Moment moment;
    std::vector<std::string> lines;
  };

  std::unique_ptr<TrustService> Made(TrustService::Refreshing refreshing);

  std::shared_ptr<Machine> machine_ = std::make_shared<Machine>();
  std::unique_ptr<MemoryDisk> disk_ = std::make_unique<MemoryDisk>();
  std::map<std::string, std::shared_ptr<SimulatedServer>> servers_;
  Kinds kinds_ = {&NotaryKind()};
  std::map<std::string, std::shared_ptr<MetadataFetcher>> fetchers_;
  std::vector<TrustServer> settings_;
  std::shared_ptr<const Policy> policy_;
  TimePoint build_date_{};
  std::optional<std::size_t> max_resident_bytes_;
  std::optional<std::size_t> max_evidence_bytes_;
  std::function<bool(std::function<void()> then)> await_changed_files_;
  std::function<std::unique_ptr<ServiceThreads>()> make_threads_ = OwnThreads;
  std::unique_ptr<TrustService> service_;
};

/// The digest of an Allow, as text; the reason's code of a refusal; "allow" without a digest.
std::string Outcome(const Decision& decision);
/// What is found, of a refusal.
std::string Found(const Decision& decision);

}  // namespace crivet::trust
