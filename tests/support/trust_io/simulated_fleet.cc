// SPDX-License-Identifier: Apache-2.0
#include "tests/support/trust_io/simulated_fleet.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <variant>

namespace crivet::trust {

using std::chrono::seconds;

namespace {

constexpr seconds kFirstBackOff{10};
constexpr seconds kLongestBackOff{300};

std::optional<TimePoint> ExpiryOf(const TrustService& service) {
  std::optional<TimePoint> first;
  for (const RepositoryStatus& one : service.Status().repositories) {
    if (one.set.expires && (!first || *one.set.expires < *first)) first = one.set.expires;
  }
  return first;
}

}  // namespace

MetadataFetcher::Answer RequestLog::Fetch(const FileRequest& request, const Terms& terms) {
  const auto second = static_cast<std::size_t>(std::chrono::floor<seconds>(time_.passed()).count());
  const auto began = std::chrono::steady_clock::now();
  Answer answer = server_->Fetch(request, terms);
  const auto took = std::chrono::steady_clock::now() - began;
  if (!answer.fetched && answer.fetched.error().kind != FetchFailure::Kind::kNotFound) ++failed_;
  const std::lock_guard lock(mutex_);
  if (seconds_.size() <= second) seconds_.resize(second + 1);
  ++seconds_[second];
  took_ += took;
  ++answers_;
  return answer;
}

std::vector<std::size_t> RequestLog::Since(seconds begin) const {
  const auto first = static_cast<std::size_t>(begin.count());
  const auto now = static_cast<std::size_t>(std::chrono::floor<seconds>(time_.passed()).count());
  std::vector<std::size_t> wanted(now - first);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = first; i < std::min(now, seconds_.size()); ++i)
    wanted[i - first] = seconds_[i];
  return wanted;
}

double RequestLog::ms_an_answer() const {
  const std::lock_guard lock(mutex_);
  const std::chrono::duration<double, std::milli> all = took_;
  return answers_ == 0 ? 0 : all.count() / static_cast<double>(answers_);
}

RequestRate RateOf(const std::vector<std::size_t>& by_second) {
  constexpr std::size_t kTen = 10;
  RequestRate rate;
  if (by_second.empty()) return rate;
  const auto begin = by_second.begin();
  rate.peak = *std::max_element(begin, by_second.end());
  rate.average = static_cast<double>(std::accumulate(begin, by_second.end(), std::size_t{0})) /
                 static_cast<double>(by_second.size());
  for (std::size_t i = 0; i + kTen <= by_second.size(); ++i) {
    const auto from = begin + static_cast<std::ptrdiff_t>(i);
    const auto sum = std::accumulate(from, from + kTen, std::size_t{0});
    rate.peak_of_ten = std::max(rate.peak_of_ten, static_cast<double>(sum) / kTen);
  }
  return rate;
}

SimulatedFleet::SimulatedFleet(VirtualTime& time, Options options)
    : time_(time), options_(std::move(options)), waits_(options_.nodes) {}

void SimulatedFleet::StartAll() {
  std::uniform_int_distribution<std::int64_t> up_since(0, std::int64_t{30} * 24 * 3600 * 1000);
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    const bool own = options_.phases == Options::Phases::kOwn;
    // Nodes did not boot together, but where they are to be without a phase.
    const std::chrono::milliseconds booted_before(own ? up_since(random_) : 0);
    TrustService::Options made;
    made.kinds = options_.kinds;
    made.state_dir = options_.state_dir + std::to_string(i);
    made.servers = options_.servers;
    made.policy = options_.policy;
    made.machine_id = own ? "node-" + std::to_string(i) : "node";
    made.log = [](const std::string&) {};
    ServiceSeams seams;
    seams.make_fetcher = [this](const TrustServer&) {
      return Result<std::shared_ptr<MetadataFetcher>>(
          options_.of_node ? options_.of_node(options_.fetcher) : options_.fetcher);
    };
    seams.clock = [&time = time_, booted_before] {
      return Moment{time.wall(), time.passed() + booted_before};
    };
    seams.build_date = TimePoint();
    seams.files = options_.files;
    seams.make_threads = [&time = time_] { return time.Threads(); };
    auto service = TrustService::Create(std::move(made), std::move(seams));
    if (!service) throw std::runtime_error(service.error().detail);
    services_.push_back(*std::move(service));
  }
}

void SimulatedFleet::SetInterval(seconds interval) {
  for (TrustServer& server : options_.servers) server.refresh_interval = interval;
  for (const auto& service : services_) service->Reconfigure(options_.servers, options_.policy);
}

void SimulatedFleet::Begin(std::size_t node, const Try& one) {
  if (!waits_[node]) Go(node, one);
}

void SimulatedFleet::Go(std::size_t node, const Try& one) {
  const ImageReference named = ImageReference::Parse(one.use.reference).value();
  TrustService* const service = services_.at(node).get();
  service->Decide({.reference = named,
                   .local = one.use.here,
                   .name_here = one.use.here ? NameHere::kIsThis : NameHere::kUnknown,
                   .credentials = std::nullopt},
                  [this, service, named, node, one](const Decision& decision) {
                    const bool allows = std::holds_alternative<Allow>(decision.verdict);
                    ++(allows ? allowed_ : refused_);
                    if (allows && !one.use.here) service->Remember(named, decision);
                    if (!allows && one.use.refused == Use::Refused::kTriedAgain) GoAgain(node, one);
                  });
}

void SimulatedFleet::GoAgain(std::size_t node, Try one) {
  const std::chrono::milliseconds at = time_.passed() + one.back_off;
  if (at >= one.until) return;
  one.back_off = std::min(2 * one.back_off, kLongestBackOff);
  waits_[node] = true;
  time_.At(at, [this, node, one] {
    waits_[node] = false;
    Go(node, one);
  });
}

void SimulatedFleet::UseEach(const Use& use, seconds every, seconds until) {
  std::uniform_int_distribution<std::int64_t> when(0, every.count() * 1000 - 1);
  for (std::chrono::milliseconds from = time_.passed(); from < until; from += every) {
    for (std::size_t node = 0; node < services_.size(); ++node) {
      const std::chrono::milliseconds at = from + std::chrono::milliseconds(when(random_));
      if (at < until) {
        time_.At(at, [this, node, one = Try{use, until, kFirstBackOff}] { Begin(node, one); });
      }
    }
  }
}

std::size_t SimulatedFleet::VerifiedSince(TimePoint moment) const {
  const auto fresh = [&](const std::unique_ptr<TrustService>& service) {
    const auto all = service->Status().repositories;
    return !all.empty() && std::all_of(all.begin(), all.end(), [&](const RepositoryStatus& one) {
      return one.verified_at && *one.verified_at >= moment;
    });
  };
  return static_cast<std::size_t>(std::count_if(services_.begin(), services_.end(), fresh));
}

std::size_t SimulatedFleet::Expired() const {
  const auto expired = [&](const std::unique_ptr<TrustService>& service) {
    const std::optional<TimePoint> expiry = ExpiryOf(*service);
    return expiry && *expiry <= time_.wall();
  };
  return static_cast<std::size_t>(std::count_if(services_.begin(), services_.end(), expired));
}

std::optional<TimePoint> SimulatedFleet::FirstExpiry() const {
  std::optional<TimePoint> first;
  for (const auto& service : services_) {
    const std::optional<TimePoint> expiry = ExpiryOf(*service);
    if (expiry && (!first || *expiry < *first)) first = expiry;
  }
  return first;
}

}  // namespace crivet::trust
