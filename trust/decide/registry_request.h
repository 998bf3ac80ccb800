// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "trust/base/image_reference.h"
#include "trust/base/time.h"

namespace crivet::trust {

/// RegistryRequest is what a kind of trust asks of an image registry, where what is signed lies
/// beside the images (trust/RULES.md#asking-a-registry). A repository may be served by several
/// hosts in an order, mirrors first and the upstream last. One question goes to them in that order
/// until one answers; what that answer is worth only the kind can tell, and asks the hosts after it
/// by `skip_hosts`.
struct RegistryRequest {
  enum class What : std::uint8_t {
    kResolve,    ///< which digest `tag` names now; brings no bytes
    kTagged,     ///< the same, and what it names
    kManifest,   ///< a manifest or an index: that of `digest`, or what is under `tag` now
    kReferrers,  ///< an image index of what names `digest` as its subject, one page of it
    kBlob,       ///< the content of `digest`
  } what = What::kResolve;
  /// `registry/path`, as ImageReference::repository.
  std::string repository;
  std::string tag = {};
  std::optional<Sha256Digest> digest = {};
  /// How many of the hosts are passed over: RegistryAnswer::host_number + 1 asks on after an answer
  /// that was of no use. Not beyond the upstream.
  std::size_t skip_hosts = 0;
  /// Of kReferrers: RegistryAnswer::next_page, for the page after that answer's. Then `skip_hosts`
  /// is that answer's host_number, and no other host is asked.
  std::string page = {};
};

/// RegistryAnswer is what comes with the bytes that a registry sent.
struct RegistryAnswer {
  /// What the bytes hash to, which for a request by digest is that digest. Of kResolve: what the
  /// registry says that the tag is, which names content and proves nothing. Unset for kReferrers.
  std::optional<Sha256Digest> digest = {};
  /// As the registry says it, without parameters; empty where it says none.
  std::string media_type = {};
  /// Who answered, for people.
  std::string host = {};
  /// What that host says the time is, where TLS vouches for it.
  std::optional<TimePoint> date = {};
  /// Its place in the order of those that may be asked this.
  std::size_t host_number = 0;
  /// Whether none comes after it: only then "there is none" is the last word.
  bool upstream = false;
  /// Of kReferrers: where the next page is; empty where this was the last.
  std::string next_page = {};
};

}  // namespace crivet::trust
