#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From Docker Content Trust: what `docker trust` signed works as it is, also from a folder on a node without a network; and
# what happens when the service ends that images of Docker Hub were signed with, and what to do about it before.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

ours=$registry/shop/docker
hub=docker.io/acme/web

trusted() { docker_trusted "$@" >>"$node_dir/log/docker.log" 2>&1; }

new_node() {
  [[ ! -e $node_dir/pid/crivet ]] || part_stop crivet
  rm -rf "$node_dir/crivet-state"
  mkdir "$node_dir/crivet-state"
}

# rules [RULE]: beside those of the node itself.
rules() {
  write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
$1
TOML
}

start_registry
start_notary
start_dockerd
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
docker_load one "$ours:1.0"
cd "$node_dir"
trusted trust key generate alice
trusted trust signer add --key alice.pub alice "$ours"
trusted push "$ours:1.0"
start_containerd

say "crivet pin: the key that notary key list prints, and a rule that works as it is pasted"
rules ""
pasted=$(crivet_here pin "$ours:1.0" 2>/dev/null)
expect_like "the rule" "*key_ids = ?\"$(docker_root_key_id)\"*" "$pasted"
rules "$pasted"
crivet_here check >/dev/null
expect_like "the roles" "*targets/releases*" "$(crivet_here verify "$ours:1.0" 2>&1)"
start_crivet
expect_output one "$ours:1.0"

say "a node without a network: Docker's own folder"
trusted trust inspect "$ours"  # the folder holds what the client last read
new_node
part_stop notary-server
expect_like "import" "*$ours: taken for $notary_url*" "$(crivet_here import "$HOME/.docker/trust")"
start_crivet
expect_output one --policy Always "$ours:1.0"

say "images of Docker Hub, at the service that is going to end"
start_notary  # which has forgotten everything else
push one acme/web:1.0
push two acme/web:2.0
sign "$hub" 1.0 "$(image_digest one)" "$(image_size one)"
sign "$hub" 2.0 "$(image_digest two)" "$(image_size two)"
hub_rule="[[rule]]
images = [\"docker.io/acme/**\"]
action = \"verify\"
trust = \"acme\"
root = { key_ids = [\"$(root_key_id)\"] }"
new_node
rules "$hub_rule"
crivet_clock 0
start_crivet
expect_output one "$hub:1.0"

say "it has ended: until the timestamp expires, nothing changes"
part_stop notary-server
crivet_clock $((13 * one_day))
expect_output two --policy Always "$hub:2.0"
expect_output one --policy Always "$hub:1.0"
kubelet rmi "$hub:2.0"
say "then new pulls are refused as expired, and what was verified still starts"
crivet_clock $((15 * one_day))
expect_unavailable expired "$hub:2.0"
expect_output one --policy IfNotPresent "$hub:1.0"
expect_like "status" "DEGRADED: *$hub: *expired*" "$(crivet_here status)"
expect_like "verify" "*expired*what now*" "$(crivet_here verify "$hub:2.0" 2>&1 || true)"
say "for present_max_age"
crivet_clock $((31 * one_day))
expect_unavailable expired "$hub:1.0" --policy IfNotPresent

say "what to do before: mirror and sign at a Notary of one's own, under the name that was signed"
crivet_clock 0
start_notary
start_fault_proxy  # another address: another server
rm -rf "$node_dir/publisher/tuf/$hub"
sign "$hub" 1.0 "$(image_digest one)" "$(image_size one)"
push one docker.io/acme/web:1.0
new_node
crivet_trust_url=$fault_proxy_url rules "[[rule]]
images = [\"mirror.acme.example/docker.io/**\"]
action = \"verify\"
trust = \"acme\"
gun = \"docker.io/**\"
root = { key_ids = [\"$(root_key_id)\"] }"
start_crivet
expect_output one "mirror.acme.example/$hub:1.0"
expect_denied denied "$hub:1.0"

say "or change the rule"
part_stop crivet
rules "${hub_rule%%action*}action = \"allow\""
start_crivet
expect_output one --policy Always "$hub:1.0"
