// SPDX-License-Identifier: Apache-2.0
#include "trust/io/http/status_refusal.h"

#include "trust/io/http/refusal_text.h"

namespace crivet::trust {

FetchFailure RefusalBy(const HttpAnswer& answer, const HttpUrl& url,
                       const SharedCredentials& credentials) {
  FetchFailure failure = FetchFailure::Network(
      {.kind = FetchCause::Kind::kStatus,
       .host = url.HostAndPort(),
       .status = answer.status,
       .retry_after = answer.retry_after,
       .said = ReasonIn(answer.refusal, credentials ? Sent::kSecrets : Sent::kNothingSecret)});
  if (answer.status == 404) failure.kind = FetchFailure::Kind::kNotFound;
  return failure;
}

}  // namespace crivet::trust
