// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/comparison/collection_server.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace crivet::trust {
namespace {

std::string Tls(const std::string& name) {
  std::ifstream file(std::string(std::getenv("CRIVET_TLS")) + "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::string_view kNotFound =
    R"({"errors":[{"code":"METADATA_NOT_FOUND","message":"not found","detail":{}}]})";

}  // namespace

CollectionServer::CollectionServer()
    : server_([this](FaultServer::Exchange& exchange) { Answer(exchange); },
              FaultServer::Tls{{Tls("server.crt"), Tls("server.key")}}) {}

void CollectionServer::Serve(SigningRepository collection, Bend bend) {
  const std::lock_guard lock(mutex_);
  collection_ = std::move(collection);
  bend_ = std::move(bend);
}

void CollectionServer::Answer(FaultServer::Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  const std::string folder = "/v2/" + collection_.gun() + "/_trust/tuf/";
  const std::string& target = exchange.request().target;
  if (target == "/v2/") return exchange.Reply(200, "{}");
  if (!target.starts_with(folder)) return exchange.Reply(404, kNotFound);
  MetadataRequest request;
  request.file = target.substr(folder.size());
  if (bend_ && bend_(exchange, request.file)) return;
  const Fetched fetched = collection_.Fetch(request);
  if (fetched) return exchange.Reply(200, fetched->bytes);
  if (fetched.error().kind == FetchFailure::Kind::kNotFound) {
    return exchange.Reply(404, kNotFound);
  }
  exchange.Reply(503, "away");
}

}  // namespace crivet::trust
