#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a trust server that answers slowly or not at all costs those who wait: one `timeout` a pull, with all of its secrets
# together, and nothing once it is known to be silent.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

readonly timeout=1000  # of the configuration, in ms
readonly spare=1000    # the second more that the manual allows
readonly waits=900     # from here on a pull has waited, less the precision of clocks
shop=$registry/shop

# took COMMAND...: sets $took to the milliseconds of a command that fails, and $said to what it says.
took() {
  local start=${EPOCHREALTIME/./} status=0
  said=$("$@" 2>&1 </dev/null) || status=$?
  took=$(((${EPOCHREALTIME/./} - start) / 1000))
  [[ $status != 0 ]] || fail "$* did not fail: $said"
}

expect_within() { [[ $took -le $2 ]] || fail "$1: took $took ms of $2"; }

# new_node [AUTH]: knows nothing, and asks by the fault proxy.
new_node() {
  part_stop crivet
  rm -rf "$node_dir/crivet-state"
  crivet_trust_url=$fault_proxy_url crivet_trust_auth=${1:-none} crivet_trust='timeout = "1s"' write_crivet_config < <(usual_rules)
  start_crivet
}

start_registry
start_notary
push_pause
make_image one /bin/echo one
push_signed one shop/web 1.0
start_fault_proxy
start_containerd

say "a server that says nothing: the first new name waits for it, and no other"
fault silent
new_node
took kubelet pull "$shop/new1:1"
expect_like "the first" "*unreachable*" "$said"
expect_within "the first" $((timeout + spare))
[[ $took -ge $waits ]] || fail "the first did not wait: this shows nothing"
for name in new2 new3 new4 new5 new6; do
  took kubelet pull "$shop/$name:1"
  expect_like "$name" "*unreachable*" "$said"
  [[ $took -lt $waits ]] || fail "$name waited: $took ms"
done

say "where it had answered for others: two wait, and no other"
fault pass
new_node
kubelet pull "$shop/web:1.0" >/dev/null
fault silent
waited=0
for name in new1 new2 new3 new4 new5 new6; do
  took kubelet pull "$shop/$name:1"
  expect_within "$name" $((timeout + spare))
  [[ $took -lt $waits ]] || waited=$((waited + 1))
done
expect "pulls that waited" 2 "$waited"
kubelet pull "$shop/web:1.0" >/dev/null

say "six pull secrets at a server that drips: they wait together as long as one"
fault drip
new_node from-pull
waited=0
for secret in 1 2 3 4 5 6; do
  took kubelet pull --username alice --password "secret$secret" "$shop/new1:1"
  expect_like "secret $secret" "*unreachable*" "$said"
  expect_within "secret $secret" $((timeout + spare))
  [[ $took -lt $waits ]] || waited=$((waited + 1))
done
expect "secrets that waited" 1 "$waited"

say "verify of three images: side by side"
for bad in silent drip; do
  fault "$bad"
  took crivet_here verify "$shop/new1:1" "$shop/new2:1" "$shop/new3:1"
  expect_like "$bad" "*new1:1*UNAVAILABLE*new2:1*UNAVAILABLE*new3:1*UNAVAILABLE*" "$said"
  expect_within "$bad" $((timeout + spare))
done

say "the first answer to anybody ends it"
fault silent
new_node
took kubelet pull "$shop/new1:1"
fault pass
wait_until 10 "a pull that is answered" kubelet pull "$shop/web:1.0"
