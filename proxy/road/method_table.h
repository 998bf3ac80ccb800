// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trust/base/result.h"

namespace crivet::proxy {

/// Route is what becomes of a call (proxy/RULES.md#what-happens-to-each-call). There is no fifth.
enum class Route : std::uint8_t {
  kUpstream,       ///< bytes go to the runtime, untouched
  kImageUpstream,  ///< bytes go to the runtime's separate image endpoint, untouched
  kGate,           ///< the gate decides before anything reaches a runtime
  kRefuse,         ///< UNIMPLEMENTED, as a runtime answers that does not know the method
};

/// ContainerdApi says how much of `containerd.services.*` is let through (`[gate] containerd_api`).
enum class ContainerdApi : std::uint8_t {
  kNone,
  kObserve,  ///< a closed list of methods that only read
  kAll,
};

/// TagTranslation is kGate where the runtime has no images API of its own: crivet then keeps the
/// tags itself, so the calls that show or remove them pass the gate too
/// (proxy/RULES.md#what-happens-to-each-call).
enum class TagTranslation : std::uint8_t { kOff, kGate };

/// ImageEndpoint is kSeparate where `image_upstream` is set (stargz, nydus).
enum class ImageEndpoint : std::uint8_t { kShared, kSeparate };

/// MethodRow is an index into the closed list of rows that counters and metrics use as labels.
using MethodRow = std::uint16_t;

/// MethodTable maps a full method path to its Route. Closed: a path that it does not name is
/// refused, so `/runtime.v1alpha2.ImageService/PullImage` never slips past a gate on v1
/// (proxy/RULES.md#what-happens-to-each-call). Immutable; Find() does not allocate and may be
/// called from any thread.
class MethodTable {
 public:
  struct Options {
    ContainerdApi containerd_api = ContainerdApi::kNone;
    TagTranslation tag_translation = TagTranslation::kOff;
    ImageEndpoint image_endpoint = ImageEndpoint::kShared;
    /// Full paths ("/pkg.Service/Method") that are forwarded in addition (`[gate] also_forward`).
    std::vector<std::string> also_forward = {};
  };

  struct Entry {
    Route route;
    MethodRow row;
  };

  /// Fails with kMalformed when a path of `also_forward` is not "/pkg.Service/Method", names a
  /// method that must pass the gate, or opens another version of CRI.
  static trust::Result<MethodTable> Create(Options options);

  Entry Find(std::string_view path) const;

 private:
  explicit MethodTable(Options options);

  Options options_;
};

/// MethodRows are the labels: every method that crivet knows by name, sorted by path, then one row
/// each for the rest. Fixed at compile time, so no label ever comes from a caller
/// (proxy/RULES.md#what-happens-to-each-call).
std::size_t MethodRowCount();
std::string_view MethodRowLabel(MethodRow row);

/// UnimplementedMessage is the text of the UNIMPLEMENTED answer for `path`, worded as grpc-go words
/// it: a client that probes for a method sees what an older runtime would have said.
std::string UnimplementedMessage(std::string_view path);

/// IsNativeContainerdPath tells whether `path` belongs to `containerd.services.*`.
bool IsNativeContainerdPath(std::string_view path);

}  // namespace crivet::proxy
