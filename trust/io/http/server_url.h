// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "trust/base/result.h"

namespace crivet::trust {

/// What stands before a folder of this machine, where a kind of trust can be read from one.
inline constexpr std::string_view kFolderScheme = "file://";

/// ServerUrl is the address of a server as the configuration gives it, in one canonical spelling,
/// so that two labels of one server share their state. It is read by the same parser that connects
/// (libcurl), and only in plain forms: http or https, host, port, path. User names, queries,
/// fragments, percent-encoding and dot segments are refused. A value; thread-safe.
class ServerUrl {
 public:
  /// kMalformed with what is wrong, for people.
  static Result<ServerUrl> Parse(std::string_view text);

  /// Lower-case scheme and host, no default port, no trailing slash: `https://notary.example/sub`.
  const std::string& text() const { return text_; }
  /// Lower-case; an IPv6 address keeps its brackets.
  const std::string& host() const { return host_; }
  bool IsHttps() const { return https_; }
  /// Whether the host can only be this machine: 127.0.0.0/8, [::1], localhost.
  bool IsLoopback() const;

 private:
  ServerUrl() = default;
  std::string text_;
  std::string host_;
  bool https_ = false;
};

}  // namespace crivet::trust
