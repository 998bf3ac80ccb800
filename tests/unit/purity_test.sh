#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All of trust but io gets bytes and the time as arguments. It has no clock, file, environment, thread
# or network, and only these files see OpenSSL or the JSON parser.
# usage: purity_test.sh SOURCE_DIR
set -u
trust=$1/trust
pure="$trust/base $trust/signed $trust/toml $trust/decide $trust/tuf $trust/tuf1 $trust/notary $trust/oci $trust/registry_bound $trust/sigstore $trust/notation"
failed=0

# forbid PATTERN [FILE...]: no line matches, those files aside.
forbid() {
  pattern=$1
  shift
  # shellcheck disable=SC2086  # several folders
  found=$(grep -rnE --include=*.h --include=*.cc "$pattern" $pure)
  for file in "$@"; do
    found=$(printf '%s\n' "$found" | grep -v "/$file:")
  done
  if [ -n "$found" ]; then
    printf 'forbidden where trust is decided: %s\n%s\n' "$pattern" "$found"
    failed=1
  fi
}

# A search that finds nothing anywhere would pass for ever.
if ! grep -q 'namespace crivet::trust' "$trust"/base/*.cc; then
  echo "no sources below $trust"
  exit 1
fi

forbid '(system|steady|high_resolution|utc)_clock|gettimeofday|clock_gettime|[^_a-z]time\((NULL|nullptr|0)\)'
forbid 'fopen|[io]?fstream|<filesystem>|::open\(|<fcntl|<unistd'
forbid 'getenv|environ'
forbid 'std::j?thread|<thread>|pthread|std::async'
forbid 'std::regex|<regex>'
forbid 'socket|<sys/|<netdb|curl|grpc|nghttp2'
forbid '#include .*(trust/io|proxy|api|runtime)/'
forbid '#include <openssl/' bytes.cc revocation_list.cc openssl_handles.cc certificate.cc public_key.cc openssl_handles.h verification_key.cc timestamp_token.cc
forbid '#include "trust/signed/openssl_handles.h"' certificate.cc public_key.cc verification_key.cc \
  revocation_list.cc openssl_handles.cc   certificate_usage.cc certificate_path.cc timestamp_token.cc
forbid '#include <simdjson' json_view.h
forbid '#include "trust/signed/json_view.h"' json.cc canonical_json.cc
exit $failed
