#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Docker's own flow against Notary as people deploy it, server, signer and database: `docker trust` and pushes under Content
# Trust, every key rotated, a tag withdrawn, each part restarted. The node follows, with the pin that it began with.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

notary_mode=database
repository=$registry/shop/docker

trusted() { docker_trusted "$@" >>"$node_dir/log/docker.log" 2>&1; }

# The notary client with Docker's keys.
docker_notary() {
  NOTARY_ROOT_PASSPHRASE=passphrase NOTARY_TARGETS_PASSPHRASE=passphrase NOTARY_SNAPSHOT_PASSPHRASE=passphrase \
    NOTARY_DELEGATION_PASSPHRASE=passphrase notary -s "$notary_url" --tlscacert "$node_dir/tls/ca.crt" \
    -d "$HOME/.docker/trust" "$@" >>"$node_dir/log/notary.log" 2>&1
}

# push_trusted NAME TAG
push_trusted() {
  docker_load "$1" "$repository:$2"
  trusted push "$repository:$2"
}

# follows TEXT TAG: the node comes to run what was signed, whatever it knew.
follows() { wait_until 10 "the node to follow to $2" outputs "$1" "$repository:$2"; }
outputs() { [[ $(kubelet run --policy Always "$2" 2>&1) == "$1" ]]; }
is_withdrawn() { [[ $(kubelet pull "$1" 2>&1) == *", withdrawn]" ]]; }

start_registry
start_notary
start_dockerd
push_pause
make_image one /bin/echo one
make_image two /bin/echo two

say "signers, delegations, a push"
cd "$node_dir"
trusted trust key generate alice
trusted trust signer add --key alice.pub alice "$repository"
push_trusted one 1.0
start_containerd
crivet_trust='refresh_interval = "1s"' write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(docker_root_key_id)"] }
signers = ["alice"]
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
start_crivet
expect_output one "$repository:1.0"
expect_like "who signed" "*targets/alice*" "$(crivet_here verify --json "$repository:1.0")"

for rotation in "targets" "snapshot -r" "timestamp -r" "root"; do
  say "rotated: $rotation"
  # shellcheck disable=SC2086  # words are meant
  docker_notary key rotate "$repository" $rotation < <(printf 'yes\n%.0s' {1..8})
  push_trusted two "after-${rotation%% *}"
  follows two "after-${rotation%% *}"
  expect_output one --policy Always "$repository:1.0"
done

say "withdrawn"
trusted trust revoke --yes "$repository:after-root"
wait_until 10 "the withdrawal to be seen" is_withdrawn "$repository:after-root"
expect_shown 'ErrImageNeverPull: *' run --policy Never "$repository:after-root"

for part in notary-server notary-signer mariadb; do
  say "killed: $part"
  part_kill "$part"
  expect_output one --policy Always "$repository:1.0"
  part_stop notary-server  # it may still be at its old connections
  start_notary
done
push_trusted two after-restarts

say "a cold node, with the first pin"
part_stop crivet
rm -rf "$node_dir/crivet-state"
mkdir "$node_dir/crivet-state"
start_crivet
expect_output one --policy Always "$repository:1.0"
expect_output two --policy Always "$repository:after-restarts"
