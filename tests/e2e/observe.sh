#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd_api = "observe": containerd's own API through crivet, for what reads (cAdvisor, ctr, crictl's friends); every
# method that could bring, change or start anything is refused. With "none" even reading is.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web

# rules API
rules() {
  crivet_gate="containerd_api = \"$1\"" write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "allow"
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

ctr_through_crivet() { ctr --address "$crivet_sock" --namespace k8s.io "$@" 2>&1 </dev/null; }

# reads WHAT COMMAND...: gives through crivet the lines that it gives without; their order may be any.
reads() {
  local what=$1 direct through
  shift
  direct=$(ctr_client "$@" 2>&1) || fail "$what: not on plain containerd: $direct"
  through=$(ctr_through_crivet "$@") || fail "$what through crivet: $through"
  expect "$what" "$(sort <<<"$direct")" "$(sort <<<"$through")"
}

# refused COMMAND...
refused() {
  local said
  if said=$(ctr_through_crivet "$@"); then fail "ctr $* works: $said"; fi
  expect_like "ctr $*" "*[(]crivet listens here; containerd's own API is at $containerd_sock)*" "$said"
}

start_registry
start_notary
push_pause
make_image web /bin/sleep 1000000
push web shop/web:1.0
start_containerd
rules observe
start_crivet
kubelet pull "$web:1.0" >/dev/null
pod=$(kubelet run-pod)
container=$(kubelet create "$pod" "$(kubelet image-status "$web:1.0" | head -1)" --written "$web:1.0")
kubelet start "$container" >/dev/null
# ctr itself lets nobody remove one that runs.
idle=$(kubelet create --name idle "$(kubelet run-pod --name idle)" "$(kubelet image-status "$web:1.0" | head -1)" \
  --written "$web:1.0")

say "what reads"
reads "the version" version
reads "namespaces" namespaces ls
reads "containers" containers ls
reads "a container" containers info "$container"
reads "tasks" tasks ls
reads "a task's processes" tasks ps "$container"
reads "images" images ls -q
reads "snapshots" snapshots ls
reads "content" content ls -q
reads "a blob" content get "$(image_digest web)"
reads "plugins" plugins ls
reads "leases" leases ls

say "the health check that monitors make is answered as by containerd"
health=/grpc.health.v1.Health/Check
expect "the health" "$(kubelet_to "$containerd_sock" raw "$health")" "$(kubelet raw "$health")"

say "what writes, or starts"
refused images pull --plain-http "$web:1.0"
refused images tag "$web:1.0" "$web:other"
refused images rm "$web:1.0"
refused images label "$web:1.0" a=b
refused images mount "$web:1.0" "$node_dir/tmp"
refused content rm "$(image_digest web)"
refused content label "$(image_digest web)" a=b
refused containers create "$web:1.0" other
refused containers label "$container" a=b
refused containers rm "$idle"
refused run --rm "$web:1.0" other
refused tasks exec --exec-id other "$container" /bin/sh
refused tasks kill "$container"
refused tasks pause "$container"
refused tasks checkpoint "$container"
refused snapshots rm nothing
refused namespaces create other
refused leases create
refused leases rm nothing
skopeo --insecure-policy copy --quiet "oci:$node_dir/oci/web" "oci-archive:$node_dir/web.tar:$web:imported"
refused images import "$node_dir/web.tar"

say "nothing has changed"
kubelet --json inspect "$container" | grep -q CONTAINER_RUNNING || fail "the container does not run any more"
expect "images" "$(ctr_client images ls -q)" "$(ctr_through_crivet images ls -q)"
if ctr_client images ls -q | grep -e other -e imported; then fail "an image came through"; fi

say "the list is closed: of all that containerd serves, what gets through only reads"
readonly readers='Get|List|ListResources|ListStream|Info|ListStatuses|Read|Status|Subscribe|Plugins|Server|Stat|Usage|ListPids|Metrics|Version'
# Names as they stand in the programs; in the newer ones other text may follow without a gap, so 1.6 is always asked too.
mapfile -t methods < <(grep -aohE '/containerd\.services\.[a-zA-Z0-9.]+/[A-Z][A-Za-z]+' "$(parts_root)/usr/bin/containerd" \
  "$(command -v containerd)" | sort -u)
[[ ${#methods[@]} -gt 50 ]] || fail "only ${#methods[@]} methods in containerd"
through=0
for method in "${methods[@]}"; do
  said=$(kubelet --deadline 300 --metadata containerd-namespace=k8s.io raw "$method" 2>&1) || true
  [[ $said != *Unimplemented* ]] || continue
  [[ $method =~ /($readers)$ ]] || fail "$method gets through: $said"
  through=$((through + 1))
done
[[ $through -gt 15 ]] || fail "only $through methods get through"
say "  $through of ${#methods[@]} methods"

say "none: nothing of it is served"
rules none
part_stop crivet
start_crivet
refused version
refused images ls
refused containers ls
if said=$(kubelet raw "$health" 2>&1); then fail "the health check is answered: $said"; fi
kubelet --json inspect "$container" | grep -q CONTAINER_RUNNING || fail "the container does not run any more"
