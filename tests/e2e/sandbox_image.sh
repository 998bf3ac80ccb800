#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The sandbox image: the runtime pulls it by itself, by tag, behind every gate. crivet judges it at RunPodSandbox, whatever
# is on the node under its name.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

image=$registry/shop/web:1.0

# rules ACTION: of the sandbox image.
rules() {
  write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/pause"]
$1
TOML
}
verify_pause='action = "verify"
trust = "acme"
root = { key_ids = ["'

start_registry
start_notary
make_image web /bin/echo hello
push_signed web shop/web 1.0
push_pause
make_image evil /bin/sleep 2147483646
sign registry.k8s.io/pause 3.9 "$(image_digest pause)" "$(image_size pause)"
verify_pause+="$(root_key_id)\"] }"
start_containerd

# local_pause: the digest that the name of the sandbox image has on the node.
local_pause() { ctr_client images ls -q name=="$pause_image" >/dev/null && ctr_client images ls name=="$pause_image" | awk 'NR == 2 { print $3 }'; }

# What keeps kubelet's image collection away from it: containerd's mark, which it sets by events on its own images.
pinned_mark() { kubelet_to "$1" --json images "$pause_image" | grep -o '"pinned":[a-z]*' || true; }
has_mark() { [[ $(pinned_mark "$1") == "$2" ]]; }

say "as it is without crivet"
kubelet_to "$containerd_sock" run "$image" >/dev/null
mark=''  # 1.6 has none
[[ $containerd_version == 1.6 ]] || mark='"pinned":true'
wait_until 5 "containerd's mark" has_mark "$containerd_sock" "$mark"
kubelet_to "$containerd_sock" rmi "$pause_image"
expect "the sandbox image after its removal" "" "$(local_pause)"

say "denied: no pod starts, and none of its image comes to the node"
rules 'action = "deny"'
start_crivet
expect_shown "FailedCreatePodSandBox: *SignatureValidationFailed: $pause_image: *, denied]" run "$image"
expect "the sandbox image of a denied pod" "" "$(local_pause)"
part_stop crivet

say "verified: the signed content is there before the runtime looks"
push evil pause:3.9  # the tag is moved in the registry
rules "$verify_pause"
start_crivet
expect_output hello "$image"
expect "the sandbox image" "$(image_digest pause)" "$(local_pause)"
for socket in "$containerd_sock" "$crivet_sock"; do
  wait_until 5 "the mark that it has without crivet" has_mark "$socket" "$mark"
done

say "moved on the node, behind everybody's back: put right"
push evil shop/evil:1
ctr_client images pull --plain-http "$registry/shop/evil:1" >/dev/null 2>&1
ctr_client images tag --force "$registry/shop/evil:1" "$pause_image" >/dev/null
expect "the planted sandbox image" "$(image_digest evil)" "$(local_pause)"
expect_output hello "$image"
expect "the sandbox image" "$(image_digest pause)" "$(local_pause)"

say "withdrawn: no pod starts"
withdraw registry.k8s.io/pause 3.9
part_stop crivet
rm -rf "$node_dir/crivet-state"
rules "$verify_pause"
start_crivet
expect_shown "FailedCreatePodSandBox: *SignatureValidationFailed: $pause_image: *, tag-not-signed]" run "$image"
