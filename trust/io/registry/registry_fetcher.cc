// SPDX-License-Identifier: Apache-2.0
#include "trust/io/registry/registry_fetcher.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "trust/io/registry/next_page.h"

namespace crivet::trust {
namespace {

using What = RegistryRequest::What;

constexpr std::size_t kMaxManifestBytes = 4 * 1024 * 1024;
// More than a node has registries and mirrors: each keeps about 1 MiB of the system's CAs, and
// whose registries a pod names is the pod's. A connection that goes takes with it what was known of
// its host, which then is asked once more.
constexpr std::size_t kMaxConnections = 48;
// containerd's own.
constexpr std::string_view kManifestTypes =
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*";
// In front of why a page cannot be asked for. No query holds it.
constexpr char kUnaskable = ' ';
constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";

tl::unexpected<FetchFailure> Failed(FetchCause cause) {
  return tl::unexpected(FetchFailure::Network(std::move(cause)));
}

bool MayBeAsked(const RegistryHost::Capabilities& can, const RegistryRequest& request) {
  switch (request.what) {
    case What::kResolve:
    case What::kTagged:
      return can.pull && can.resolve;
    case What::kManifest:
      // containerd asks every host for a manifest that it knows by its digest.
      return true;
    case What::kReferrers:
    case What::kBlob:
      break;
  }
  return can.pull;
}

// Referrers, and the tags under which signatures lie, are asked of the hosts that say they have
// referrers; where none does, of those that know tags.
bool AreSignatures(const RegistryRequest& request) {
  return request.what == What::kReferrers || (request.what == What::kManifest && !request.digest);
}

std::vector<HostToAsk> AbleOf(std::vector<HostToAsk> hosts, const RegistryRequest& request) {
  const bool signatures = AreSignatures(request);
  const bool some_say = std::any_of(hosts.begin(), hosts.end(), [](const HostToAsk& each) {
    return each.host.capabilities.referrers;
  });
  std::erase_if(hosts, [&](const HostToAsk& each) {
    const RegistryHost::Capabilities& can = each.host.capabilities;
    if (signatures) return some_say ? !can.referrers : !can.resolve;
    return !MayBeAsked(can, request);
  });
  return hosts;
}

RegistryQuestion QuestionOf(const FileRequest& request, std::string repository) {
  const RegistryRequest& asked = *request.registry;
  RegistryQuestion question;
  question.repository = std::move(repository);
  question.accept = kManifestTypes;
  question.max_bytes = request.max_bytes == 0 ? kMaxManifestBytes : request.max_bytes;
  const std::string digest = asked.digest ? asked.digest->ToString() : "";
  switch (asked.what) {
    case What::kResolve:
      question.method = HttpRequest::Method::kHead;
      question.what = "manifests/" + asked.tag;
      break;
    case What::kTagged:
    case What::kManifest:
      question.what = "manifests/" + (asked.digest ? digest : asked.tag);
      break;
    case What::kReferrers:
      question.what = "referrers/" + digest;
      question.accept = kIndexType;
      question.query = asked.page;
      break;
    case What::kBlob:
      question.what = "blobs/" + digest;
      question.accept = "*/*";
      break;
  }
  return question;
}

// trust/RULES.md#asking-a-registry: answers that say that there is no such API. What a token server
// says is no answer of the registry.
bool SaysNoApi(const FetchFailure& failure) {
  constexpr std::array kStatuses = {400, 404, 405, 406, 501};
  return failure.why && failure.why->kind == FetchCause::Kind::kStatus &&
         failure.why->asked == FetchCause::Asked::kServer &&
         std::find(kStatuses.begin(), kStatuses.end(), failure.why->status) != kStatuses.end();
}

// Whether it may be an index at all; whoever wants one reads it strictly.
bool LooksLikeIndex(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && body[begin] == '{' &&
         body.find("\"manifests\"") != std::string_view::npos;
}

/// One question to one host, and what its answer is worth.
class HostAnswer {
 public:
  HostAnswer(RegistryConnection& connection, const FileRequest& request, RegistryQuestion question,
             const MetadataFetcher::Terms& terms)
      : connection_(connection),
        asked_(*request.registry),
        question_(std::move(question)),
        terms_(terms) {}

  Fetched Get() && {
    switch (asked_.what) {
      case What::kResolve:
        return Resolved();
      case What::kTagged:
      case What::kManifest:
      case What::kBlob:
        return Content();
      case What::kReferrers:
        return Referrers();
    }
    return Wrong("nothing was asked");
  }

 private:
  using Asked = tl::expected<RegistryConnection::Answered, FetchFailure>;

  Fetched Resolved() {
    Asked head = connection_.Ask(question_, terms_);
    const bool no_head = !head && head.error().why && head.error().why->status == 405;
    if (!head && !no_head) return tl::unexpected(head.error());
    if (head) {
      if (const auto digest = Sha256Digest::Parse(head->answer.content_digest)) {
        return Brings("", *digest, head->answer);
      }
    }
    question_.method = HttpRequest::Method::kGet;
    Asked whole = connection_.Ask(question_, terms_);
    if (!whole) return tl::unexpected(whole.error());
    return Brings("", Sha256Digest(Sha256Of(whole->answer.body)), whole->answer);
  }

  Fetched Content() {
    Asked got = connection_.Ask(question_, terms_);
    if (!got) return tl::unexpected(got.error());
    const Sha256Digest digest(Sha256Of(got->answer.body));
    if (asked_.digest && *asked_.digest != digest) {
      return Wrong("its bytes are not those that the digest names");
    }
    std::string body = std::move(got->answer.body);
    return Brings(std::move(body), digest, got->answer);
  }

  Fetched Referrers() {
    if (asked_.page.starts_with(kUnaskable)) return Wrong(asked_.page.substr(1));
    Asked got = connection_.Ask(question_, terms_);
    if (!got) {
      FetchFailure failure = std::move(got.error());
      const bool none = SaysNoApi(failure) && asked_.page.empty();
      failure.kind = none                                            ? FetchFailure::Kind::kNotFound
                     : failure.kind == FetchFailure::Kind::kTooLarge ? failure.kind
                                                                     : FetchFailure::Kind::kNetwork;
      return tl::unexpected(std::move(failure));
    }
    if (!LooksLikeIndex(got->answer.body)) {
      // A later page was promised.
      if (!asked_.page.empty()) return Wrong("a page of referrers is no index");
      FetchFailure none = Wrong("it has no index of referrers").value();
      none.kind = FetchFailure::Kind::kNotFound;
      return tl::unexpected(std::move(none));
    }
    auto next = NextPage(got->answer.links, got->at);
    // This page may hold all that is looked for. Whoever wants the next is told then.
    if (!next) next = std::optional(kUnaskable + next.error().detail);
    std::string body = std::move(got->answer.body);
    Fetched fetched = Brings(std::move(body), std::nullopt, got->answer);
    fetched->registry->next_page = std::move(*next).value_or("");
    return fetched;
  }

  tl::unexpected<FetchFailure> Wrong(std::string why) const {
    return Failed({.kind = FetchCause::Kind::kWrongContent,
                   .host = connection_.name(),
                   .said = std::move(why)});
  }

  Fetched Brings(std::string bytes, std::optional<Sha256Digest> digest,
                 const HttpAnswer& answer) const {
    RegistryAnswer with{.digest = digest,
                        .media_type = answer.media_type,
                        .host = connection_.name(),
                        .date = answer.date};
    return FetchedFile(std::move(bytes), std::move(with));
  }

  RegistryConnection& connection_;
  const RegistryRequest& asked_;
  RegistryQuestion question_;
  const MetadataFetcher::Terms& terms_;
};

// Hosts that are no longer than their share of the time keep nobody from the next.
MetadataFetcher::Terms ShareOf(MetadataFetcher::Terms terms, std::size_t hosts_left) {
  terms.patience /= static_cast<long>(hosts_left);
  return terms;
}

// trust/RULES.md#asking-a-registry: a secret goes to the host that the pull says it is for.
SharedCredentials MeantFor(const RegistryHost& host, const SharedCredentials& credentials) {
  if (!credentials || credentials->server_address.empty()) return credentials;
  const Result<HttpUrl> meant = HttpUrl::Parse(credentials->server_address);
  const Result<HttpUrl> asked = HttpUrl::Parse(host.scheme + "://" + host.authority);
  return meant && asked && meant->HostAndPort() == asked->HostAndPort() ? credentials : nullptr;
}

bool TimeIsOver(const MetadataFetcher::Terms& terms) {
  return terms.stop.stop_requested() || std::chrono::steady_clock::now() >= terms.deadline;
}

}  // namespace

RegistryFetcher::RegistryFetcher(TrustServer settings, std::function<void(const std::string&)> note,
                                 std::vector<Kind::LooseSignature> loose)
    : settings_(std::move(settings)),
      note_(std::move(note)),
      folder_(settings_.bundles, std::move(loose)) {}

MetadataFetcher::Answer RegistryFetcher::Fetch(const FileRequest& request, const Terms& terms) {
  Fetched fetched = FetchFrom(request, terms);
  // Which host was silent is kept here: it says nothing of another registry.
  if (terms.arrival) terms.arrival->heard = fetched ? Heard::kAnswer : Heard::kNothingToTell;
  const auto date = fetched && fetched->registry ? fetched->registry->date : std::nullopt;
  return {std::move(fetched), date};
}

Fetched RegistryFetcher::FetchFrom(const FileRequest& request, const Terms& terms) {
  const auto nobody = [](std::string host, std::string why) {
    return Failed(
        {.kind = FetchCause::Kind::kHostsFile, .host = std::move(host), .said = std::move(why)});
  };
  if (!request.registry) return nobody("", "nothing is asked of a registry");
  const RegistryRequest& asked = *request.registry;
  const std::size_t slash = asked.repository.find('/');
  const std::string registry = asked.repository.substr(0, slash);
  if (slash == std::string::npos) return nobody(registry, "the image's name has no registry");
  // The folder is the first in the order of hosts.
  const std::size_t before = folder_.IsThere() ? 1 : 0;
  if (asked.skip_hosts == 0) {
    if (auto brought = folder_.Answer(request)) return *std::move(brought);
  }
  const std::size_t skip = std::max(asked.skip_hosts, before) - before;

  auto hosts = HostsFor(registry, settings_.registry_config);
  if (!hosts) return Failed(hosts.error());
  const std::vector<HostToAsk> able = AbleOf(*std::move(hosts), asked);
  if (skip >= able.size()) {
    return nobody(registry, "no host of " + registry +
                                " may be asked this: see the capabilities in its hosts.toml");
  }
  const Result<HttpUrl> url = HttpUrl::Parse("https://" + registry);
  if (!url) return nobody(registry, "the registry's name is no host");
  const auto asker = AskerFor(settings_, *url, asked.repository, terms.credentials);
  if (!asker) return tl::unexpected(asker.error());

  const std::size_t end = asked.page.empty() ? able.size() : skip + 1;
  Fetched last = nobody(registry, "there was no time to ask");
  for (std::size_t n = skip; n < end; ++n) {
    if (TimeIsOver(terms)) {
      // What an earlier host said is not the last word.
      if (!last) last.error().kind = FetchFailure::Kind::kNetwork;
      break;
    }
    const auto connection = ConnectionTo(able[n]);
    if (!connection) {
      last = tl::unexpected(connection.error());
      continue;
    }
    Terms share = ShareOf(terms, able.size() - n);
    share.credentials = MeantFor(able[n].host, asker->credentials);
    last = HostAnswer(**connection, request,
                      QuestionOf(request, asked.repository.substr(slash + 1)), share)
               .Get();
    if (!last) continue;
    last->registry->host_number = n + before;
    last->registry->upstream = n + 1 == able.size();
    return last;
  }
  return tl::unexpected(asker->Told(std::move(last.error())));
}

tl::expected<std::shared_ptr<RegistryConnection>, FetchFailure> RegistryFetcher::ConnectionTo(
    const HostToAsk& host) {
  const std::string& name = host.host.authority;
  if (host.broken) {
    return Failed(
        {.kind = FetchCause::Kind::kHostsFile, .host = name, .said = name + ": " + *host.broken});
  }
  if (!HttpUrl::Parse(host.host.scheme + "://" + name)) {
    return Failed(
        {.kind = FetchCause::Kind::kHostsFile, .host = name, .said = name + " is no host"});
  }
  const std::lock_guard lock(mutex_);
  const auto kept = std::find_if(connections_.begin(), connections_.end(),
                                 [&](const auto& each) { return each->host() == host; });
  if (kept != connections_.end()) {
    std::rotate(kept, kept + 1, connections_.end());
    return connections_.back();
  }
  if (connections_.size() >= kMaxConnections) connections_.erase(connections_.begin());
  connections_.push_back(std::make_shared<RegistryConnection>(
      RegistryConnection::Options{host, settings_.auth_hosts, settings_.proxy, note_}));
  return connections_.back();
}

}  // namespace crivet::trust
