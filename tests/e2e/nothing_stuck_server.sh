#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a server does wrong sticks nowhere: garbage, maintenance pages, missing roles, stale caches, wrong secrets. The last
# complete set answers, the failure is counted by its reason, and recovery needs nobody.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web
crivet_trust_url=$fault_proxy_url

rules() {
  crivet_trust='refresh_interval = "1s"' write_crivet_config < <(echo "$metrics_section" && usual_rules)
}

# A daemon that has just started does not remember that a refresh failed, and asks at once.
restart_crivet() {
  part_stop crivet
  start_crivet
}

outputs() { [[ $(kubelet run --policy Always "$2" 2>&1) == "$1" ]]; }
pull_and_see() { kubelet pull "$1" >/dev/null && metric_is "$2" -ge 1; }

start_registry
start_notary
start_fault_proxy
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
push_signed one shop/web 1.0
start_containerd
rules
start_crivet
expect_output one "$web:1.0"
push_signed two shop/web 1.0  # the publisher moves on; the node cannot follow yet

# What a node would say that has never seen the repository.
on_a_cold_node() {
  local status=0
  mv "$node_dir/crivet-state" "$node_dir/kept-state"
  mkdir "$node_dir/crivet-state"
  crivet_here verify "$1" 2>&1 || status=$?
  rm -rf "$node_dir/crivet-state"
  mv "$node_dir/kept-state" "$node_dir/crivet-state"
  return "$status"
}

# trouble REASON FAULT: a warm node goes on and counts, a cold one refuses.
trouble() {
  local said
  say "the server: $2"
  fault "$2"
  restart_crivet
  wait_until 10 "a failed refresh to be counted" pull_and_see "$web:1.0" "crivet_refreshes_total{outcome=\"$1\"}"
  expect_output one --policy Always "$web:1.0"
  expect_like "status" "*$web: refreshes fail: $1*" "$(crivet_here status)"
  if said=$(on_a_cold_node "$web:1.0"); then fail "a cold node takes it: $said"; fi
}

trouble malformed garbage
trouble malformed maintenance
trouble hash "altered targets"
trouble hash "altered snapshot"
trouble no-trust-data "missing timestamp"
trouble no-trust-data "missing snapshot"
trouble no-trust-data "missing targets"
trouble unreachable away

say "recovery needs nobody"
fault pass
wait_until 45 "the node to follow by itself" outputs two "$web:1.0"
metric_is "crivet_repository_refresh_failures$(of_repository "$web")" -eq 0 || fail "the gauge still counts failures"

say "a stale cache: the newer set answers, both versions are named"
fault stale
restart_crivet
wait_until 10 "the rollback to be counted" pull_and_see "$web:1.0" 'crivet_refreshes_total{outcome="rollback"}'
expect_output two --policy Always "$web:1.0"
expect_like "status" "*LAST REFRESH FAILED *: rollback at timestamp: *version 2*3*" "$(crivet_here status)"

say "two pods, one with a wrong secret"
fault pass tokens
push_signed one shop/private 1.0
part_stop crivet
crivet_trust_auth=from-pull rules
start_crivet
expect_shown "RegistryUnavailable: *[(]credentials-refused)*" \
  run --username alice --password wrong "$registry/shop/private:1.0"
# Less than the timeout that waiting behind the other one would cost.
within 4500 kubelet run --username alice --password secret "$registry/shop/private:1.0"

say "a node that only restarts pods: it runs them, and shows that it has no credentials"
restart_crivet
no_credentials="crivet_repository_no_credentials$(of_repository "$registry/shop/private")"
expect_output one --policy IfNotPresent "$registry/shop/private:1.0"
wait_until 10 "the missing credentials to show" metric_is "$no_credentials" -eq 1
expect_like "status" "*$registry/shop/private: no-credentials*" "$(crivet_here status)"
expect_output one --policy IfNotPresent "$registry/shop/private:1.0"
keeps_the_secret() {
  kubelet pull --username alice --password secret "$registry/shop/private:1.0" && metric_is "$no_credentials" -eq 0
}
wait_until 10 "the secret of a pull that needed a refresh to be kept" keeps_the_secret
