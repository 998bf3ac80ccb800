#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A runtime without containerd's images API, as CRI-O is one: tags are given back by translation, and last over restarts of
# everything. The runtime is containerd behind a crivet of its own that serves CRI alone and judges nothing, under another
# name: containerd without its own API is refused.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web
runtime_sock=$node_dir/runtime.sock

start_runtime() {
  cat >"$node_dir/runtime.toml" <<TOML
mode = "audit"
listen = "$runtime_sock.inner"
upstream = "$containerd_sock"
state_dir = "$node_dir/runtime-state"
admin = "$node_dir/runtime-admin.sock"
[default]
action = "allow"
[gate]
containerd_api = "none"
sandbox_image = "$pause_image"
[log]
audit = "$node_dir/log/runtime-audit.log"
TOML
  mkdir -p "$node_dir/runtime-state"
  part_start runtime crivet serve --config "$node_dir/runtime.toml"
  part_ready runtime kubelet_to "$runtime_sock.inner" version
  if ! part_runs other_runtime; then
    part_start other_runtime python3 "$root/tests/support/node/other_runtime.py" "$runtime_sock" "$runtime_sock.inner"
  fi
  part_ready other_runtime kubelet_to "$runtime_sock" version
}

restart_crivet() {
  part_kill crivet
  start_crivet
}

# has_tag IMAGE: in ImageStatus, in the list, and in the list that is asked for it.
has_tag() {
  kubelet image-status "$1" | grep -qxF "  $1" && kubelet images | grep -qF "$1" && kubelet images "$1" | grep -qF "$1"
}
knows_no_tag() {
  ! ctr_client images ls -q | grep -qF "$web:"
}

start_registry
start_notary
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
push_signed one shop/web 1.0
push_signed one shop/web stable
start_containerd
start_runtime
if kubelet_to "$runtime_sock" --metadata containerd-namespace=k8s.io call /containerd.services.images.v1.Images/List '{}' 2>/dev/null; then
  fail "this runtime has the API that it should not have"
fi
say "containerd that does not serve its own API: nothing is made of which nobody could say what it is"
crivet_upstream=$runtime_sock.inner write_crivet_config < <(usual_rules)
start_crivet
expect_shown '*RegistryUnavailable: *crivet check*, state]' run "$web:1.0"
part_kill crivet
rm -rf "$node_dir/crivet-state"

crivet_upstream=$runtime_sock crivet_trust='refresh_interval = "1s"' write_crivet_config < <(usual_rules)
start_crivet

say "tags are there, for kubelet; the runtime itself never heard of them"
expect_output one "$web:1.0"
expect_output one "$web:stable"
has_tag "$web:1.0" || fail "a tag is not given back"
has_tag "$web:stable" || fail "the other tag is not given back"
knows_no_tag || fail "the runtime knows a tag: this shows nothing"
id=$(kubelet image-status "$web:1.0" | head -1)
expect "the ID of the other tag" "$id" "$(kubelet image-status "$web:stable" | head -1)"

say "a container is created by a tag as well as by the ID"
pod=$(kubelet --name by-tag --uid by-tag run-pod)
kubelet --name by-tag --uid by-tag create "$pod" "$web:1.0" >/dev/null

say "over restarts of crivet, of the runtime, of both; also without registry and Notary"
part_stop registry
part_stop notary-server
restart_crivet
has_tag "$web:1.0" || fail "the tag is gone with crivet"
expect_output one --policy Never "$web:1.0"
part_kill runtime
part_kill containerd
start_containerd
start_runtime
expect_output one --policy Never "$web:1.0"
part_kill crivet
part_kill runtime
start_runtime
start_crivet
expect_output one --policy IfNotPresent "$web:stable"
has_tag "$web:1.0" || fail "a tag is gone after restarts of both"
has_tag "$web:stable" || fail "the other tag is gone after restarts of both"

say "a tag that is not signed gets nothing, whatever the runtime holds"
start_registry
push two shop/web:unsigned
kubelet_to "$containerd_sock" pull "$web:unsigned" >/dev/null
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:unsigned"
expect_denied tag-not-signed "$web:unsigned"

say "removed: the image is gone with all of its tags, as it is on containerd, and does not come back with a restart"
kubelet rmi "$web:stable"
restart_crivet
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:stable"
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:1.0"
if kubelet images | grep -F "$web:1.0"; then fail "the list still has the tag"; fi
expect_output one "$web:1.0"
kubelet rmi "$(kubelet image-status "$web:1.0" | head -1)"
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:1.0"

say "break glass: what was pulled under the rule that verified runs on under one that allows"
expect_output one "$web:1.0"
allowing() { usual_rules | sed 's/action = "verify"/action = "allow"/; /^trust/d; /^root/d'; }
use_rules() { # MODE, rules on stdin
  crivet_upstream=$runtime_sock crivet_head="mode = \"$1\"" crivet_trust='refresh_interval = "1s"' write_crivet_config
  restart_crivet
}
use_rules enforce < <(allowing)
expect_output one --policy IfNotPresent "$web:1.0"
expect_output one --policy Never "$web:1.0"

say "a pull by the tag itself says what the tag means, in audit mode and under a rule that allows"
push two shop/web:1.0
expect_output two --policy Always "$web:1.0"
expect_output two --policy IfNotPresent "$web:1.0"
use_rules enforce < <(usual_rules)
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:1.0"
expect_output one "$web:1.0"
expect_output one --policy Never "$web:1.0"
use_rules audit < <(usual_rules)
expect_output one --policy IfNotPresent "$web:1.0"
expect_output two --policy Always "$web:1.0"
expect_output two --policy IfNotPresent "$web:1.0"
restart_crivet
expect_output two --policy IfNotPresent "$web:1.0"
