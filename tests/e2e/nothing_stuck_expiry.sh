#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A timestamp that runs out sticks nowhere: the real server renews one only when it is asked after the expiry, and no pull is
# refused for that, however short timestamps live and whatever a cache in between still holds.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

notary_mode=database
image=$registry/shop/web:1.0
crivet_trust_url=$fault_proxy_url
# Notary's timestamps live for two weeks. By a clock that is ahead by nearly as much they live for seconds.
lifetime=8
ahead=$((14 * one_day - lifetime))

start_registry
start_notary
start_fault_proxy
push_pause
make_image web /bin/echo hello
push_signed web shop/web 1.0
start_containerd
fault "ahead $ahead"
crivet_clock "$ahead"
write_crivet_config < <(echo "$metrics_section" && usual_rules)
start_crivet
expect_output hello "$image"

# The version of the timestamp that the latest pull was decided by.
timestamp_version() {
  tail -n 1 "$node_dir/log/audit.log" | grep -o '"role":"timestamp"[^}]*' | grep -o '"version":[0-9]*' | cut -d : -f 2
}

# no_pull_is_refused RENEWALS: pulls until that many newer timestamps were read.
no_pull_is_refused() {
  local first pulls=0 end=$((SECONDS + $1 * lifetime * 3)) said
  first=$(timestamp_version)
  until [[ $(timestamp_version) -ge $((first + $1)) ]]; do
    said=$(kubelet pull "$image" 2>&1) || fail "pull $pulls: $said"
    pulls=$((pulls + 1))
    [[ $SECONDS -lt $end ]] || fail "after $pulls pulls the timestamp is still version $(timestamp_version)"
    sleep 0.02
  done
  say "  $pulls pulls over $1 expiries"
}

say "renewed only after the expiry"
no_pull_is_refused 3
expect_output hello --policy Always "$image"

say "and a cache in between still holds the one that ran out"
fault "ahead $ahead" cached
no_pull_is_refused 2
expect_output hello --policy Always "$image"

say "a server that never renews: this is what those pulls would have met"
fault held
is_expired() { [[ $(kubelet pull "$image" 2>&1) == *", expired]" ]]; }
wait_until $((lifetime * 2)) "the expiry" is_expired
expect_output hello --policy IfNotPresent "$image"

say "it renews again: nobody has to do anything"
fault "ahead $ahead"
wait_until 45 "the node to ask again" kubelet pull "$image"
no_pull_is_refused 1
