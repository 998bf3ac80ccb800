#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was good once lends nothing to later: an entry that an earlier role shadows; what was verified under laxer rules, by a
# key that is gone, or under a tag that was withdrawn; and a root that names the pinned key, but is signed by somebody else.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web

# rules ROLE...: what the rule reads.
rules() {
  local roles
  roles=$(printf ', "%s"' "$@")
  crivet_trust_url=$fault_proxy_url crivet_trust='refresh_interval = "1s"' write_crivet_config <<TOML
$metrics_section
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
roles = [${roles:2}]
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}
strict() { rules targets/releases && reload_crivet; }
lax() { rules targets && reload_crivet; }

outputs() { [[ $(kubelet run --policy Always "$2" 2>&1) == "$1" ]]; }
is_refused() { [[ $(kubelet pull "$1" 2>&1) == *", $2]" ]]; }

# closed WHAT REASON NAME: by every call that could start it.
closed() {
  attack "$1: pull" "$refused*, $2]" k run --policy Always "$3"
  attack "$1: present" "$refused*, $2]" k run --policy IfNotPresent "$3"
  attack "$1: create" "$not_created" create_and_run "$evil_id" --written "$3"
  attack "$1: create by the ID alone" "$not_created" create_and_run "$evil_id"
}

start_registry
start_notary
start_fault_proxy
push_pause
make_image web /bin/echo hello
make_image evil /bin/echo evil
push_signed evil shop/web 1.0
start_containerd
kubelet_to "$containerd_sock" pull "$web@$(image_digest evil)" >/dev/null
evil=$web@$(image_digest evil)
evil_id=$(id_of "$evil")

say "a delegation signs the tag too, and shadows what targets says"
(
  cd "$node_dir/tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout releases.key -out releases.crt \
    -days 800 -subj "/CN=releases"
) 2>>"$node_dir/log/tls.log"
notary_client key import "$node_dir/tls/releases.key" --role user >>"$node_dir/log/notary.log" 2>&1
notary_client delegation add "$web" targets/releases "$node_dir/tls/releases.crt" --all-paths -p >>"$node_dir/log/notary.log" 2>&1
push_signed web shop/web 1.0 targets/releases
rules targets/releases targets
crivet_clock 0
start_crivet
expect_output hello "$web:1.0"
closed "a shadowed entry" digest-not-signed "$evil"

say "under laxer rules it is good, and stays good when its tag moves on"
lax
expect_output evil "$web:1.0"
expect_output evil "$evil"
push_signed web shop/web 1.0
wait_until 10 "the node to follow" outputs hello "$web:1.0"
expect_output evil --policy Always "$evil"
strict
closed "verified under laxer rules" digest-not-signed "$evil"

say "the key that signed it is rotated out"
lax
expect_output evil --policy Always "$evil"
notary_client key rotate "$web" targets >>"$node_dir/log/notary.log" 2>&1
wait_until 10 "the new key to reach the node" is_refused "$evil" digest-not-signed
closed "verified by a key that is gone" digest-not-signed "$evil"
expect_output hello "$web:1.0"

say "its tag is withdrawn; until then it starts without the server"
push_signed evil shop/web 2.0
wait_until 10 "the node to follow" outputs evil "$web:2.0"
part_stop fault-proxy
crivet_clock $((21 * one_day))
expect_output evil --policy IfNotPresent "$web:2.0"
crivet_clock 0
start_fault_proxy
withdraw "$web" 2.0
wait_until 45 "the withdrawal to reach the node" is_refused "$web:2.0" withdrawn
kubelet_to "$containerd_sock" pull "$web:2.0" >/dev/null
closed "a withdrawn tag" withdrawn "$web:2.0"
closed "the digest of a withdrawn tag" withdrawn "$evil"
attack "a withdrawn tag: never pulled" 'ErrImageNeverPull: *' k run --policy Never "$web:2.0"
part_stop fault-proxy
part_stop crivet
crivet_clock $((21 * one_day))
start_crivet
attack "a withdrawn tag, the server away: present" "RegistryUnavailable: *, expired]" k run --policy IfNotPresent "$web:2.0"
attack "a withdrawn tag, the server away: create" \
  'CreateContainerError: *RegistryUnavailable: *' create_and_run "$evil_id" --written "$web:2.0"
part_stop crivet
crivet_clock 0

say "a root that names the pinned key, signed by somebody else"
cp "$node_dir/publisher/tuf/$web/metadata/root.json" "$node_dir/root.json"
pinned_key=$(root_key_id)
part_stop notary-server
start_notary  # the memory back-end begins with nothing, and is the attacker's now
mv "$node_dir/publisher" "$node_dir/honest-publisher"
push_signed evil shop/web 3.0
python3 "$root/tests/support/node/forge_root.py" "$node_dir/publisher" "$web" "$node_dir/root.json" "$notary_url" \
  "$node_dir/tls/ca.crt"
start_fault_proxy
rm -rf "$node_dir/crivet-state"
rules targets
start_crivet
expect_output evil "$web:3.0"  # pinned to the attacker's key it is good: nothing else is wrong with it
part_stop crivet
rm -rf "$node_dir/crivet-state"
rules targets
sed -i "s/key_ids = .*/key_ids = [\"$pinned_key\"] }/" "$node_dir/crivet.toml"
start_crivet
closed "a root that names the pinned key" untrusted-root "$web:3.0"
closed "a root that names the pinned key, by digest" untrusted-root "$evil"

expect_no_way_past
