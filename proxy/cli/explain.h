// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/cli/commands.h"
#include "trust/decide/decide.h"

namespace crivet::proxy::cli {

/// Explained is one decision with all that `crivet verify` says about it.
struct Explained {
  std::string image;      ///< as written
  std::string canonical;  ///< empty where it is no reference
  /// The pod's namespace that was asked about; empty: none.
  std::string pod_namespace;
  trust::Decision decision;
  trust::TrustView view;
  /// Of a name that is refused: the ID of the image that the node has under it; empty: none.
  std::string held_id = {};
};

/// The exit that belongs to a verdict.
Exit ExitOf(const trust::Decision& decision);

/// What `$(crivet verify IMAGE)` stands for: `repository@sha256:…`, or the canonical name under an
/// `allow` rule, which pins nothing. Empty for a refusal. Pure.
std::string PinnedName(const Explained& explained);

/// What a person can do about a refusal, or a pin that is out of date; empty where nothing needs
/// doing. Pure.
std::string NextStep(const Explained& explained);

/// The explanation on one screen. `now` is for what has expired. Pure.
std::vector<std::string> ExplainToPeople(const Explained& explained, trust::TimePoint now);

/// The same as one line of JSON. Members are only ever added. Pure.
std::string ExplainAsJson(const Explained& explained, trust::TimePoint now);

}  // namespace crivet::proxy::cli
