#!/bin/sh
# The trust core gets bytes and the time as arguments. It has no clock, file, environment, thread or
# network, and only these files see OpenSSL or the JSON parser.
# usage: purity_test.sh SOURCE_DIR
set -u
core=$1/trust/core
# Kinds of trust, and what several of them share, are as pure as the core.
kinds="$1/trust/signed $1/trust/oci $1/trust/sigstore $1/trust/notation"
failed=0

# forbid PATTERN [FILE...]: no line of the core matches, those files aside.
forbid() {
  pattern=$1
  shift
  # shellcheck disable=SC2086  # several folders
  found=$(grep -rnE --include=*.h --include=*.cc "$pattern" "$core" $kinds)
  for file in "$@"; do
    found=$(printf '%s\n' "$found" | grep -v "/$file:")
  done
  if [ -n "$found" ]; then
    printf 'forbidden in trust/core: %s\n%s\n' "$pattern" "$found"
    failed=1
  fi
}

# A search that finds nothing anywhere would pass for ever.
if ! grep -q 'namespace crivet::trust' "$core"/*.cc; then
  echo "no sources below $core"
  exit 1
fi

forbid '(system|steady|high_resolution|utc)_clock|gettimeofday|clock_gettime|[^_a-z]time\((NULL|nullptr|0)\)'
forbid 'fopen|[io]?fstream|<filesystem>|::open\(|<fcntl|<unistd'
forbid 'getenv|environ'
forbid 'std::j?thread|<thread>|pthread|std::async'
forbid 'std::regex|<regex>'
forbid 'socket|<sys/|<netdb|curl|grpc|nghttp2'
forbid '#include .*(trust/io|proxy|api|runtime)/'
forbid '#include <openssl/' bytes.cc certificate.cc public_key.cc openssl_handles.h verification_key.cc timestamp_token.cc
forbid '#include "trust/core/openssl_handles.h"' certificate.cc public_key.cc verification_key.cc \
  certificate_usage.cc certificate_path.cc timestamp_token.cc
forbid '#include <simdjson' json_view.h
forbid '#include "trust/core/json_view.h"' json.cc canonical_json.cc
exit $failed
