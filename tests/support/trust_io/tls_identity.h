// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace crivet::trust {

/// TlsIdentity is a throw-away certificate with its key, in PEM.
struct TlsIdentity {
  std::string certificate;
  std::string key;

  struct Request {
    std::string common_name = "crivet test";
    /// OpenSSL's form: `DNS:localhost,IP:127.0.0.1`; empty: none.
    std::string names = "DNS:localhost,IP:127.0.0.1";
    std::chrono::seconds not_before{-3600};  ///< from now
    std::chrono::seconds not_after{3600};
  };
  static TlsIdentity Authority();
  TlsIdentity Issue(const Request& request) const;
};

}  // namespace crivet::trust
