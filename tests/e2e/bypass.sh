#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every way in which an image that nobody signed could come to run. Each is shown on plain containerd first, where it works,
# and then through crivet, where it does not.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web
evil_id() { id_of "$web:evil"; }

run_preloaded() {
  preload evil "$2" && k run --policy "$1" "$2"
}
run_retagged() {
  ctr_client images tag --force "$web:evil" "$1" >/dev/null &&
    wait_until 10 "CRI to see it" has_id "$1" "$(evil_id)" && k run --policy Never "$1"
}

# The calls of kubelet before 1.26, which containerd 1.6 and 1.7 still serve.
old_api() {
  local pod=$1 container
  k call /runtime.v1alpha2.ImageService/PullImage "{\"image\":{\"image\":\"$web:evil\"}}" >/dev/null
  container=$(k call /runtime.v1alpha2.RuntimeService/CreateContainer "{\"pod_sandbox_id\":\"$pod\",
    \"config\":{\"metadata\":{\"name\":\"old-$RANDOM\"},\"image\":{\"image\":\"$(evil_id)\"},\"log_path\":\"old.log\"},
    \"sandbox_config\":{\"log_directory\":\"$node_dir/pods\",\"metadata\":{\"name\":\"old\",\"uid\":\"old\",\"namespace\":\"default\"}}}" |
    grep -o '[0-9a-f]\{64\}')
  kubelet_to "$containerd_sock" start "$container"
  kubelet_to "$containerd_sock" logs "$container"
}

native_tag() {
  k --metadata containerd-namespace=k8s.io call /containerd.services.images.v1.Images/Create "{\"image\":{
    \"name\":\"$web:native-$RANDOM\",\"target\":{\"media_type\":\"application/vnd.oci.image.manifest.v1+json\",
    \"digest\":\"$(image_digest evil)\",\"size\":\"$(image_size evil)\"}}}" >/dev/null && echo evil
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image evil /bin/echo evil
push_signed web shop/web 1.0
push evil shop/web:evil
push evil shop/evil:1
push evil library/evil:1
start_containerd
write_crivet_config < <(usual_rules)
start_crivet
kubelet run "$web:1.0" >/dev/null

# The text of the pod.
attack "an unsigned tag" "$refused*, tag-not-signed]" k run --policy Always "$web:evil"
attack "an unsigned tag that is present" "$refused*, tag-not-signed]" k run --policy IfNotPresent "$web:evil"
attack "an unsigned tag, Never" 'ErrImageNeverPull: *' k run --policy Never "$web:evil"
attack "an unsigned tag, kubelet before 1.28" "$refused*, tag-not-signed]" k run --no-user-specified --policy IfNotPresent "$web:evil"
attack "an unsigned digest" "$refused*, digest-not-signed]" k run "$web@$(image_digest evil)"
attack "a signed tag with another digest" "$refused*, digest-mismatch]" k run "$web:1.0@$(image_digest evil)"
attack "a repository without signatures" "RegistryUnavailable: *, no-trust-data]" k run "$registry/shop/evil:1"
attack "a name that no rule knows" "$refused*, denied]" k run docker.io/library/evil:1
attack "a short name" "$refused*, denied]" k run evil:1
attack "an alias of docker.io" "$refused*, denied]" k run registry-1.docker.io/library/evil:1
attack "an image ID as the pod's image" "$not_created" k run --policy Never "$(evil_id)"
attack "a shortened image ID" 'ErrImageNeverPull: *' k run --policy Never "$(evil_id | cut -c 1-20)"

# CreateContainer on its own.
attack "create by image ID" "$not_created" create_and_run "$(evil_id)"
attack "create by image ID, under a signed name" "$not_created" create_and_run "$(evil_id)" --written "$web:1.0"
attack "create by image ID, under an allowed name" "$not_created" create_and_run "$(evil_id)" --written registry.k8s.io/pause:3.9
attack "create by digest" "$not_created" create_and_run "$web@$(image_digest evil)"
attack "create by name" "$not_created" create_and_run "$web:evil"
attack "create by name, under a signed name" "$not_created" create_and_run "$web:evil" --written "$web:1.0"
attack "create by the digits of an ID" "$not_created" create_and_run "$(evil_id | cut -d : -f 2)"
attack "create by the beginning of an ID" 'CreateContainerError: rpc error: code = NotFound *' create_and_run "$(evil_id | cut -c 1-20)" --written "$web:1.0"

# Behind kubelet's back.
attack "preloaded under a signed name, IfNotPresent" hello run_preloaded IfNotPresent "$web:1.0"
attack "preloaded under a signed name, Never" 'ErrImageNeverPull: *' run_preloaded Never "$web:1.0"
attack "preloaded under an unsigned name" "$refused*, tag-not-signed]" run_preloaded IfNotPresent "$web:imported"
attack "re-tagged to other content" 'ErrImageNeverPull: *' run_retagged "$web:1.0"

# Other doors.
attack "containerd's own image service" '*Unimplemented*' native_tag
if [[ $containerd_version != 2.1 ]]; then
  pod=$(kubelet_to "$containerd_sock" --name old --uid old run-pod)
  attack "the calls of runtime.v1alpha2" '*Unimplemented*' old_api "$pod"
fi
if [[ $containerd_version == 2.1 ]]; then
  attack "an image volume" "$not_created" k run --volume "$web:evil" "$web:1.0" -- /bin/sh -c '/volumes/0/bin/busybox echo evil'
fi

# A checkpoint archive in place of an image: containerd would restore it, and takes a tool that is not here to make one.
touch "$node_dir/checkpoint.tar"
socket=$crivet_sock
said=$(create_and_run "$node_dir/checkpoint.tar" 2>&1) || true
# shellcheck disable=SC2053  # a pattern is meant
[[ $said == $not_created ]] || fail "a path as an image: $said"

kubelet run "$web:1.0" | grep -qx hello || fail "the signed image does not run any more"
expect_no_way_past
