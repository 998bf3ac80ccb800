// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/config/config_reader.h"
#include "proxy/config/containerd_files.h"
#include "trust/decide/kind.h"
#include "trust/decide/policy.h"
#include "trust/io/http/trust_server.h"

namespace crivet::proxy {

// The larger sections of the file, each in a file of its own. What is wrong goes to `findings`;
// the values returned count only where nothing is wrong.

/// What a kind read of its own in a `[trust.*]`.
struct OwnOfTrust {
  trust::SharedDemand demand;  ///< null: it says nothing, or is unusable
  std::string unusable = {};   ///< why: what was set aside of its files (Strictness)
};
/// By the label of the trust.
using OwnOfTrusts = std::map<std::string, OwnOfTrust>;

/// ReadServers reads every `[trust.*]`; `registries` gets those that ask images' registries, as the
/// runtime behind `upstream` does.
std::vector<trust::TrustServer> ReadServers(TableReader& top, const trust::Kinds& kinds,
                                            const std::string& upstream, OwnOfTrusts& own,
                                            std::vector<TrustRegistries>& registries,
                                            ConfigFindings& findings);

/// ReadFilesOfTrusts finds which trust reads a file of which other (Kind::FileOf).
std::vector<trust::FileReader> ReadFilesOfTrusts(TableReader& top, const trust::Kinds& kinds,
                                                 const std::vector<trust::TrustServer>& servers,
                                                 const OwnOfTrusts& own, ConfigFindings& findings);

/// What a rule is read against.
struct RuleContext {
  const trust::Kinds& kinds;
  const std::vector<trust::TrustServer>& servers;
  const OwnOfTrusts& own;
  trust::Mode mode;  ///< the file's own, for rules that have none
  trust::TimePoint now;
};

/// ReadDefaultRule reads `[default]`, ReadRule one `[[rule]]`.
trust::Rule ReadDefaultRule(TableReader& table, const RuleContext& context,
                            ConfigFindings& findings);
trust::Rule ReadRule(TableReader& table, const RuleContext& context, ConfigFindings& findings);

/// ReadPolicy reads `[default]` and every `[[rule]]`; `mode` is of those that have none of their
/// own. Null where something is wrong.
std::shared_ptr<const trust::Policy> ReadPolicy(TableReader& top, const trust::Kinds& kinds,
                                                const std::vector<trust::TrustServer>& servers,
                                                const OwnOfTrusts& own, trust::Mode mode,
                                                trust::TimePoint now, ConfigFindings& findings);

}  // namespace crivet::proxy
