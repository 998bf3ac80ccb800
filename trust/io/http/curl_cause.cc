// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/curl_cause.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "trust/base/quoted.h"

namespace crivet::trust {
namespace {

using CauseKind = FetchCause::Kind;

CauseKind KindOf(CURLcode code, long os_error) {
  switch (static_cast<int>(code)) {
    case CURLE_OPERATION_TIMEDOUT:
      return CauseKind::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return CauseKind::kNoAddress;
    case CURLE_COULDNT_CONNECT:
      return os_error == ECONNREFUSED ? CauseKind::kNotListening : CauseKind::kConnection;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
      return CauseKind::kTls;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
      return CauseKind::kNotHttp;
    default:
      return CauseKind::kConnection;
  }
}

}  // namespace

bool IsTlsFailure(CURLcode code) { return KindOf(code, 0) == CauseKind::kTls; }

FetchCause CurlCause(CURL* handle, CURLcode code, const char* words, std::string host) {
  long os_error = 0;
  curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &os_error);
  FetchCause cause{.kind = KindOf(code, os_error), .host = std::move(host)};
  std::string said = words[0] == '\0' ? curl_easy_strerror(code) : words;
  if (code == CURLE_COULDNT_CONNECT && os_error != 0) {
    said += ": " + std::generic_category().message(static_cast<int>(os_error));
  }
  cause.said = Quoted(said);
  return cause;
}

}  // namespace crivet::trust
