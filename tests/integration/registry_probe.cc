// SPDX-License-Identifier: Apache-2.0

// registry_probe CERTS_D[:CERTS_D...] IMAGE: asks a registry what a kind of trust would ask of it,
// and says what came of it, a line a question. USERNAME and PASSWORD in the environment stand for a
// pull's.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "trust/base/image_reference.h"
#include "trust/io/registry/registry_fetcher.h"

using namespace crivet::trust;
using What = RegistryRequest::What;

namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class Probe {
 public:
  Probe(const std::string& certs_d, std::string repository)
      : fetcher_(Settings(certs_d), [](const std::string& line) { std::cerr << line << '\n'; }),
        repository_(std::move(repository)) {
    auto credentials = std::make_shared<RegistryCredentials>();
    credentials->username = Environment("USERNAME");
    credentials->password = Environment("PASSWORD");
    if (!credentials->username.empty()) credentials_ = credentials;
  }

  Fetched Ask(What what, const std::string& tag, std::optional<Sha256Digest> digest,
              const RegistryAnswer& after = {}) {
    FileRequest request;
    request.max_bytes = 4 * 1024 * 1024;
    request.registry = RegistryRequest{.what = what,
                                       .repository = repository_,
                                       .tag = tag,
                                       .digest = digest,
                                       .skip_hosts = after.host_number,
                                       .page = after.next_page};
    MetadataFetcher::Terms terms;
    terms.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    terms.credentials = credentials_;
    return fetcher_.Fetch(request, terms).fetched;
  }

 private:
  static TrustServer Settings(const std::string& certs_d) {
    TrustServer settings;
    settings.auth = TrustServer::Auth::kFromPull;
    std::istringstream folders(certs_d);
    for (std::string folder; std::getline(folders, folder, ':');) {
      settings.registry_config.push_back(folder);
    }
    return settings;
  }

  RegistryFetcher fetcher_;
  const std::string repository_;
  SharedCredentials credentials_;
};

bool Tell(const char* question, const Fetched& fetched) {
  std::cout << question << ": ";
  if (fetched) {
    const RegistryAnswer& answer = *fetched->registry;
    std::cout << answer.host << ' ' << answer.media_type << ' '
              << (answer.digest ? answer.digest->ToString() : "-") << ' ' << fetched->bytes.size()
              << " bytes" << (answer.upstream ? ", the last" : "") << '\n';
    return true;
  }
  const FetchFailure& failure = fetched.error();
  std::cout << (failure.kind == FetchFailure::Kind::kNotFound ? "none" : "failed") << ' '
            << (failure.why ? Explained(*failure.why) : "") << '\n';
  return false;
}

int Run(const std::string& certs_d, const std::string& image) {
  const auto reference = ImageReference::Parse(image);
  if (!reference || !reference->tag()) return 64;
  Probe probe(certs_d, reference->repository());
  const Fetched tag = probe.Ask(What::kResolve, *reference->tag(), std::nullopt);
  if (!Tell("tag", tag)) return 1;
  const Sha256Digest digest = *tag->registry->digest;
  if (!Tell("manifest", probe.Ask(What::kManifest, "", digest))) return 1;
  Fetched page = probe.Ask(What::kReferrers, "", digest);
  while (Tell("referrers", page) && !page->registry->next_page.empty()) {
    page = probe.Ask(What::kReferrers, "", digest, *page->registry);
  }
  std::string fallback = digest.ToString();
  fallback[fallback.find(':')] = '-';
  Tell("fallback tag", probe.Ask(What::kManifest, fallback, std::nullopt));
  Tell("signature tag", probe.Ask(What::kManifest, fallback + ".sig", std::nullopt));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  return Run(argv[1], argv[2]);
}
