#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was judged is what runs. A tenant of `dev`, who may pull docker.io/library/*, has a name of the signed image and moves
# it back and forth. The runtime takes an image by the first of its names as it points then, after crivet has judged it: what
# it made is looked at before it starts. Containers, sandboxes and, where the runtime has them, image volumes.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

seconds=${SECONDS_TO_TRY:-8}
web=$registry/shop/web:1.0
tenants=docker.io/library/aaa:1
tenants_pause=docker.io/library/aab:1

rules() {
  cat <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
[[rule]]
images = ["docker.io/library/*"]
action = "allow"
namespaces = ["dev"]
TOML
}

own_names() { ctr_client images ls 'labels."io.crivet.reference"==own' | awk 'NR > 1 { print $1 }'; }

start_registry
start_notary
push_pause
make_image web /bin/echo hello
push_signed web shop/web 1.0
make_evil evil /bin/echo evil
make_evil evil-pause /bin/sleep 2147483647
push web library/aaa:1
push pause library/aab:1
push evil library/evil:1
push evil-pause library/evil-pause:1
start_containerd
write_crivet_config < <(rules)
start_crivet
expect "prod may not run the tenant's image" refused "$(kubelet --namespace prod run "$tenants" >/dev/null 2>&1 || echo refused)"
expect_output hello "$web"
for name in "$tenants" "$tenants_pause" docker.io/library/evil:1 docker.io/library/evil-pause:1; do
  kubelet --namespace dev pull "$name" >/dev/null
done
id=$(kubelet image-status "$web" | head -1)
expect "the tenant's image" "$id" "$(kubelet --namespace dev image-status "$tenants" | head -1)"
expect "names of crivet's own, as long as nobody moves anything" "$pause_image@$(image_digest pause)" "$(own_names)"

say "containers: made of what was judged, whatever moves"
pod=$(kubelet --namespace prod --name victim --uid victim run-pod)
move_names "$tenants" docker.io/library/evil:1 "$web" &
mover=$!
end=$((SECONDS + seconds)) tries=0
touch "$node_dir/made"
while [[ $SECONDS -lt $end ]]; do
  tries=$((tries + 1))
  kubelet --namespace prod --name victim --uid victim create "$pod" "$id" --written "$web" --container-name "c$tries" \
    >>"$node_dir/made" 2>>"$node_dir/refused" || true
done
rm "$node_dir/moving"
wait "$mover"
made=$(wc -l <"$node_dir/made")
say "$tries tries, $made made, $(wc -l <"$node_dir/moves") moves, $(seen_moved) made anew"
expect "containers of prod with the tenant's files" 0 "$(lies_on "$(layer_of evil)" "$node_dir/made")"
expect "containers of prod with the signed files" "$made" "$(lies_on "$(layer_of web)" "$node_dir/made")"
[[ $((tries - made)) -le $((1 + tries / 50)) ]] || fail "refused: $(sort "$node_dir/refused" | uniq -c)"
last=$(tail -1 "$node_dir/made")
kubelet start "$last" >/dev/null
expect "what it says" hello "$(kubelet logs "$last")"

say "made while crivet was away: looked at before it starts"
part_kill crivet
ctr_client images tag --force docker.io/library/evil:1 "$tenants" >/dev/null
of_evil() { [[ $(kubelet_to "$containerd_sock" image-status "$tenants" | head -1) == "$(config_digest evil)" ]]; }
wait_until 10 "CRI to hear of it" of_evil
past=$(kubelet_to "$containerd_sock" --namespace prod --name victim --uid victim create "$pod" "$(config_digest evil)" \
  --written "$web" --container-name past)
right=$(kubelet_to "$containerd_sock" --namespace prod --name victim --uid victim create "$pod" "$id" --written "$web" \
  --container-name right)
# 1.6 and 1.7 forget the name that the pod's author wrote, and then the tenant's names of the image count too.
for name in $(ctr_client images ls -q | grep '^docker.io/library/aaa'); do ctr_client images rm "$name" >/dev/null; done
start_crivet
if kubelet start "$past" >/dev/null 2>"$node_dir/past"; then fail "what was made past crivet started"; fi
wait_until 10 "the other to start, once CRI has heard of the names" kubelet start "$right"
expect "what the other says" hello "$(kubelet logs "$right")"

ctr_client images tag "$web" "$tenants" >/dev/null

say "sandboxes: a name of crivet's own stands in front"
for name in $(own_names); do ctr_client images rm "$name" >/dev/null; done
move_names "$tenants_pause" docker.io/library/evil-pause:1 "$pause_image" &
mover=$!
: >"$node_dir/made"
for n in 1 2 3 4 5 6; do
  kubelet --namespace prod --name "s$n" --uid "s$n" run-pod >>"$node_dir/made" 2>>"$node_dir/refused" || true
done
rm "$node_dir/moving"
wait "$mover"
expect "sandboxes with the tenant's files" 0 "$(lies_on "$(layer_of evil-pause)" "$node_dir/made")"
expect "sandboxes" 6 "$(lies_on "$(layer_of pause)" "$node_dir/made")"

if [[ $containerd_version == 2.* ]]; then
  say "image volumes: what is mounted is what was judged"
  move_names "$tenants" docker.io/library/evil:1 "$web" &
  mover=$!
  for n in 1 2 3; do
    expect_output "hello" --name "v$n" --uid "v$n" --volume "$web" "$web" -- /volumes/0/bin/echo hello
  done
  rm "$node_dir/moving"
  wait "$mover"
fi

say "withdrawn: crivet's own name goes with the trust"
ctr_client images tag --force "$web" "$tenants" >/dev/null
withdraw "$registry/shop/web" 1.0
part_stop crivet
rm -rf "$node_dir/crivet-state"
write_crivet_config < <(rules)
start_crivet
if kubelet image-status "$web" >/dev/null 2>&1; then fail "a withdrawn image is present"; fi
expect "names of crivet's own" "$pause_image@$(image_digest pause)" "$(own_names)"
