# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a test expects of a pod that kubelet starts through crivet.

# expect WHAT WANTED GOT
expect() {
  [[ $3 == "$2" ]] || fail "$1: wanted '$2', got '$3'"
}

# expect_like WHAT GLOB GOT: a sentence that was broken for the screen counts as one.
expect_like() {
  # shellcheck disable=SC2053  # a pattern is meant
  [[ $3 == $2 || $(tr -s ' \n' ' ' <<<"$3") == $2 ]] || fail "$1: wanted '$2', got '$3'"
}

# expect_output TEXT kubelet-arguments…: the pod runs and prints TEXT.
expect_output() {
  local wanted=$1 got
  shift
  got=$(kubelet run "$@" 2>&1) || fail "run $*: $got"
  expect "output of run $*" "$wanted" "$got"
}

# expect_shown GLOB kubelet-arguments…: the command fails, and this is what kubelet shows.
expect_shown() {
  local wanted=$1 got
  shift
  if got=$(kubelet "$@" 2>&1); then
    fail "$* did not fail: $got"
  fi
  expect_like "$*" "$wanted" "$got"
}

# expect_denied REASON IMAGE [kubelet-arguments…]: refused with crivet's reason.
expect_denied() {
  local reason=$1 image=$2
  shift 2
  expect_shown "SignatureValidationFailed: image pull failed for $image because the signature validation failed: *, $reason]" \
    run "$@" "$image"
}

# expect_unavailable REASON IMAGE [kubelet-arguments…]
expect_unavailable() {
  local reason=$1 image=$2
  shift 2
  expect_shown "RegistryUnavailable: image pull failed for $image because the registry is unavailable: *, $reason]" \
    run "$@" "$image"
}

# within MILLISECONDS COMMAND...: it succeeds, and in time.
within() {
  local limit=$1 started=${EPOCHREALTIME/./} took
  shift
  "$@" >/dev/null || fail "failed: $*"
  took=$(((${EPOCHREALTIME/./} - started) / 1000))
  [[ $took -le $limit ]] || fail "$*: took $took ms, at most $limit"
}
