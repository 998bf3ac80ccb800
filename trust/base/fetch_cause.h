// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "trust/base/reason.h"

namespace crivet::trust {

/// FetchCause is why a file could not be had, in full. kubelet's message has one word of it
/// (WordFor), because it must not vary; `verify`, `status`, `pin`, the journal and the audit line
/// have Explained. Texts from outside are Quoted before they are put in; nothing in it is secret.
struct FetchCause {
  enum class Kind : std::uint8_t {
    kStatus,          ///< an answer, with a status that brings no file
    kTokenRefused,    ///< the token server refuses the credentials
    kTokenAnswer,     ///< the token server's answer holds no token
    kNoChallenge,     ///< credentials are wanted, in no way that is known here
    kRealmNotUrl,     ///< what is named as the token server is no URL
    kRealmNotHttps,   ///< the token server is named over plain http
    kRealmElsewhere,  ///< the token server's host may not be given credentials
    kAuthFile,        ///< the file of credentials cannot be read
    kHostsFile,       ///< what says which hosts serve a registry, or how, cannot be read
    kRedirect,        ///< sent on to where nobody may be sent
    kWrongContent,    ///< an answer whose bytes are not what was asked for
    kNotHttp,         ///< an answer that is not HTTP's
    kNoAddress,       ///< the name has no address
    kNotListening,    ///< the address takes no connection
    kTls,
    kTimeout,
    kConnection,  ///< whatever else is between here and there
  } kind = Kind::kConnection;
  enum class Asked : std::uint8_t { kServer, kTokenServer } asked = Asked::kServer;
  std::string host = {};  ///< who was asked, or should have been
  int status = 0;         ///< HTTP's, where there was an answer
  std::optional<std::chrono::seconds> retry_after = {};
  std::string said = {};      ///< the library's words, or those of the refusal
  std::string asked_as = {};  ///< "with …", "without credentials: …"

  friend bool operator==(const FetchCause&, const FetchCause&) = default;
};

/// WordFor is the cause as one word of the closed set.
NetworkCause WordFor(const FetchCause& cause);

/// LacksCredentials is whether other credentials would help: those that were sent, or their
/// absence, are what the server refused.
bool LacksCredentials(const FetchCause& cause);

/// Explained is the cause in one line for people.
std::string Explained(const FetchCause& cause);

/// RemedyFor is what a person can do about it.
std::string RemedyFor(const FetchCause& cause);

/// SameToPeople is whether both are told in the same way, whatever the numbers in their texts.
bool SameToPeople(const FetchCause& a, const FetchCause& b);

}  // namespace crivet::trust
