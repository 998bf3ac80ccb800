#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a publisher and a server's keeper do sticks nowhere: keys are rotated, the database comes back from a backup, the
# repository is deleted and made anew. Notary is server, signer and database, as people deploy it.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

notary_mode=database
web=$registry/shop/web

# rules KEY-ID...
rules() {
  local ids
  ids=$(printf ', "%s"' "$@")
  crivet_trust='refresh_interval = "1s"' write_crivet_config <<TOML
$metrics_section
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = [${ids:2}] }
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

outputs() { [[ $(kubelet run --policy Always "$2" 2>&1) == "$1" ]]; }
root_key_ids() { notary -d "$node_dir/publisher" key list | awk '$1 == "root" { print $2 }' | sort; }

# Prints the ID of the new key.
rotate_root_key() {
  local before
  before=$(root_key_ids)
  notary_client key rotate "$web" root < <(printf 'yes\n%.0s' {1..8}) >>"$node_dir/log/notary.log" 2>&1
  comm -13 <(echo "$before") <(root_key_ids)
}

on_a_cold_node() {
  part_stop crivet
  rm -rf "$node_dir/crivet-state"
  mkdir "$node_dir/crivet-state"
  start_crivet
}

start_registry
start_notary
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
push_signed one shop/web 1.0
first_key=$(root_key_ids)
start_containerd
rules "$first_key"
start_crivet
expect_output one "$web:1.0"

# goes_on TAG NEWEST-KEY: with the old pin a warm node and a cold one follow, and both say what to pin.
goes_on() {
  local said
  push_signed two shop/web "$1"
  wait_until 10 "a warm node to follow" outputs two "$web:$1"
  on_a_cold_node
  expect_output two --policy Always "$web:$1"
  expect_output one --policy Always "$web:1.0"
  expect_like "status" "*$web: the pin is not the newest root's: pin $2*" "$(crivet_here status)"
  said=$(crivet_here verify "$web:$1" 2>&1) || fail "verify: $said"
  expect_like "verify" "*$2*" "$said"
  metric_is "crivet_repository_pin_outdated$(of_repository "$web")" -eq 1 || fail "the metric does not show the old pin"
}

say "the root key is rotated once, the nodes keep the old pin"
newest_key=$(rotate_root_key)
goes_on rotated-once "$newest_key"

say "three times"
rotate_root_key >/dev/null
newest_key=$(rotate_root_key)
goes_on rotated-thrice "$newest_key"

say "both pins, then the new one alone: nothing to warn of"
rules "$first_key" "$newest_key"
reload_crivet
expect_output one --policy Always "$web:1.0"
rules "$newest_key"
reload_crivet
expect_output one --policy Always "$web:1.0"
metric_is "crivet_repository_pin_outdated$(of_repository "$web")" -eq 0 || fail "the metric still shows an old pin"

say "the pin is taken out: its chain goes with it, on the running node and on the next"
rules "$(printf '1%.0s' {1..64})"
reload_crivet
expect_denied untrusted-root "$web:1.0" --policy Always
expect_denied untrusted-root "$web:1.0" --policy IfNotPresent
part_stop crivet
start_crivet
expect_denied untrusted-root "$web:1.0" --policy Always
rules "$newest_key"
reload_crivet
expect_output one --policy Always "$web:1.0"

say "the database comes back from a backup: refused, both versions named, and forget is all that is needed"
restored=$registry/shop/restored
mapfile -t keys < <(root_key_ids)
rules "${keys[@]}"
reload_crivet
push_signed one shop/restored 1.0

stop_all_of_notary() {
  local part
  for part in notary-server notary-signer mariadb; do part_stop "$part"; done
}
stop_all_of_notary
cp -a "$node_dir/mariadb" "$node_dir/backup"
start_notary
push_signed one shop/restored 1.1
push_signed two shop/restored 2.0
expect_output two "$restored:2.0"
stop_all_of_notary
rm -rf "$node_dir/mariadb"
mv "$node_dir/backup" "$node_dir/mariadb"
start_notary
# The publisher signs on, from the server's state.
rm -rf "$node_dir/publisher/tuf/$restored"
push two shop/restored:3.0
publish() { notary_client addhash "$1" "$2" "$(image_size two)" --sha256 "$(image_digest two | cut -d : -f 2)" -p >>"$node_dir/log/notary.log" 2>&1; }
publish "$restored" 3.0

# begun_anew GUN: the last set answers, status and verify name both versions and what to do; that done, the node follows.
begun_anew() {
  wait_until 45 "the rollback to show" shows_rollback "$1"
  expect_output two --policy Always "$1:2.0"
  expect_like "verify" "*rollback*version*version*crivet forget $1*" "$(crivet_here verify "$1:3.0" 2>&1 || true)"
  crivet_here forget --yes "$1" >/dev/null
  expect_output two --policy Always "$1:3.0"
  expect_shown "SignatureValidationFailed: *, tag-not-signed]" run --policy Always "$1:2.0"
  metric_is "crivet_repository_refresh_failures$(of_repository "$1")" -eq 0 || fail "refreshes of $1 still fail"
}
shows_rollback() {
  kubelet pull "$1:2.0"
  # The repository and its failure stand on two lines.
  { crivet_here status || true; } | tr -s ' \n' ' ' | grep -q " $1 .*rollback at .* version [0-9]* .*version [0-9]*"
}
begun_anew "$restored"

say "the repository is deleted and made anew: the same"
push_signed one shop/anew 1.0
push_signed two shop/anew 2.0
expect_output two "$registry/shop/anew:2.0"
notary_client delete "$registry/shop/anew" --remote >>"$node_dir/log/notary.log" 2>&1
notary_client init "$registry/shop/anew" -p >>"$node_dir/log/notary.log" 2>&1
push two shop/anew:3.0
publish "$registry/shop/anew" 3.0
begun_anew "$registry/shop/anew"
