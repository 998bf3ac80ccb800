// SPDX-License-Identifier: Apache-2.0

// Whatever the text: reading ends, every mistake has a place in the text, and a configuration that
// is taken keeps what the daemon relies on.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/config/config.h"
#include "tests/fuzz/require.h"
#include "trust/io/http/server_url.h"
#include "trust/notary/notary_demand.h"

using namespace crivet;

namespace {

void CheckErrors(const std::vector<proxy::ConfigError>& errors, std::string_view text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  Require(!errors.empty(), "a refusal says why");
  std::size_t earlier = 0;
  for (const proxy::ConfigError& error : errors) {
    Require(error.line <= lines, "the line is in the text");
    Require((error.line == 0) == (error.column == 0),
            "a place has a line and a column, or neither");
    Require(error.line >= earlier, "mistakes come in the order of the text");
    Require(!error.what.empty(), "a mistake has words");
    earlier = error.line;
  }
}

void CheckRule(const trust::Rule& rule) {
  Require(!rule.name.empty(), "a rule has a name");
  Require(rule.is_default == rule.images.empty(), "a rule has names, the default has none");
  if (rule.action != trust::Action::kVerify) {
    Require(rule.members.empty(), "a rule that does not verify asks nobody");
    return;
  }
  Require(!rule.until, "only an allow rule ends by itself");
  Require(!rule.members.empty(), "a rule that verifies has a trust");
  for (const trust::Member& member : rule.members) {
    Require(!member.url.empty() && member.demand, "a rule that verifies knows whom to ask");
    const trust::NotaryDemand& demand = trust::AsNotary(*member.demand);
    Require(!demand.roles.empty(), "a rule that verifies knows whom to ask");
    const trust::RootPin& pin = demand.root;
    Require(pin.tofu || !pin.key_ids.empty() || !pin.certificates.empty() ||
                !pin.authorities.empty() || !pin.root_file.empty(),
            "a rule that verifies has a root");
  }
}

void CheckConfig(const proxy::Config& config) {
  Require(config.listen != config.upstream, "crivet does not call itself");
  for (const std::string* path : {&config.listen, &config.upstream, &config.admin}) {
    Require(path->starts_with('/') && path->size() < 108, "a socket has a usable path");
  }
  for (const trust::TrustServer& server : config.servers) {
    const auto url = trust::ServerUrl::Parse(server.url);
    Require(url && url->text() == server.url, "a server's URL is canonical");
    Require(url->IsHttps() || url->IsLoopback() || server.insecure_http,
            "plain http stays on this machine unless it is asked for");
    Require(server.timeout.count() > 0 && server.max_refresh_rate > 0, "a server has a pace");
  }
  const auto& rules = config.policy->rules();
  Require(!rules.empty() && rules.back()->is_default, "the default comes last");
  for (const auto& rule : rules) CheckRule(*rule);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto config = proxy::ParseConfig(text, "f");
  if (config) {
    CheckConfig(*config);
  } else {
    CheckErrors(config.error(), text);
  }
  return 0;
}
