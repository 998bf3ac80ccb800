#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No image lends another its good name: not by a shortened ID, not by having the same bytes or the same ID under another name,
# not by being loaded behind crivet's back. Signed by Notary, or by cosign with a key.
#
#   tests/e2e/nothing_lent.sh [notary | cosign]
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
signer=${1:-notary}
[[ $signer == notary ]] || need_cosign
node_enter "$@"

# sign_pushed NAME BELOW-THE-REGISTRY TAG
case $signer in
  notary)
    not_signed="tag-not-signed"
    sign_pushed() { push_signed "$@"; }
    # Of a repository that nobody ever signed in.
    expect_nobody_signs() { expect_unavailable no-trust-data "$@"; }
    rules() { usual_rules; }
    ;;
  cosign)
    not_signed="unsigned"
    sign_pushed() {
      push "$1" "$2:$3"
      cosign_image release "$1" "$2"
    }
    expect_nobody_signs() { expect_denied unsigned "$@"; }
    rules() { rules_by "$(cosign_rule release)"; }
    cosign_trusts
    ;;
esac

web=$registry/shop/web
tool=docker.io/library/tool:1

start_registry
[[ $signer == cosign ]] || start_notary
[[ $signer == notary ]] || { make_certificates && cosign_key release; }
push_pause
make_image web /bin/echo hello
make_image evil /bin/echo evil
make_image loaded /bin/echo loaded
image_annotations='"twin":"1"' make_image twin /bin/echo loaded
sign_pushed web shop/web 1.0
push evil shop/web:evil
push evil library/tool:1
push web library/other:1
push twin shop/twin:1
case $signer in
  notary) sign "$web" loaded "$(image_digest loaded)" "$(image_size loaded)" ;;  # it is in no registry
  cosign) sign_pushed loaded shop/web loaded ;;  # its signature lies beside it
esac
start_containerd
write_crivet_config < <(rules && cat <<TOML
[[rule]]
images = ["docker.io/library/*"]
action = "allow"
[[rule]]
images = ["docker.io/library/forbidden"]
action = "deny"
TOML
)
start_crivet
expect_output hello "$web:1.0"
kubelet_to "$containerd_sock" pull "$web:evil" >/dev/null
evil_id=$(id_of "$web:evil")

say "a shortened ID is a name under an allow rule, and starts nothing but what has that name"
short=${evil_id:0:19}
attack "Never" 'ErrImageNeverPull: *' k run --policy Never "$short"
attack "IfNotPresent" 'ErrImagePull: *not found*' k run --policy IfNotPresent "$short"
attack "a kubelet that does not send the text" 'ErrImagePull: *not found*' k run --no-user-specified "$short"
attack "create" "$not_created" create_and_run "$evil_id" --written "$short"
attack "create by it" 'CreateContainerError: rpc error: code = NotFound *' create_and_run "$short" --written "$short"
attack "create by it alone" 'CreateContainerError: rpc error: code = NotFound *' create_and_run "$short"
push web "library/$short"
attack "the name exists: what has it runs" hello k run --policy IfNotPresent "$short"

say "the same bytes under an allowed name and under a verified one"
expect_output evil "$tool"
attack "by the verified name" "$refused*, $not_signed]" k run --policy IfNotPresent "$web:evil"
attack "create under the verified name" "$not_created" create_and_run "$evil_id" --written "$web:evil"
attack "create under a signed name" "$not_created" create_and_run "$evil_id" --written "$web:1.0"
kubelet pull docker.io/library/other:1 >/dev/null
attack "create under an allowed name of other bytes" "$not_created" \
  create_and_run "$evil_id" --written docker.io/library/other:1
attack "create under an allowed name that is not here" "$not_created" \
  create_and_run "$evil_id" --written docker.io/library/absent:1
socket=$crivet_sock
expect "a kubelet that does not send the text: one name allows it" evil "$(create_and_run "$evil_id")"
ctr_client images tag "$web:evil" docker.io/library/forbidden:1 >/dev/null
wait_until 10 "CRI to see it" has_id docker.io/library/forbidden:1 "$evil_id"
attack "a kubelet that does not send the text: one name forbids it" "$not_created" create_and_run "$evil_id"
ctr_client images rm "$tool" "docker.io/library/tool@$(image_digest evil)" docker.io/library/forbidden:1 >/dev/null
wait_until 10 "CRI to see it" not has_id "$tool" "$evil_id"
wait_until 10 "CRI to see it" not has_id docker.io/library/forbidden:1 "$evil_id"
attack "a kubelet that does not send the text: no name allows it" "$not_created" create_and_run "$evil_id"

say "preloaded: what is signed runs, under Never, and nothing else does"
preload loaded "$web:loaded"
if kubelet_to "$containerd_sock" image-status "$web:loaded" | grep @; then fail "it has a digest: this shows nothing"; fi
expect_output loaded --policy Never "$web:loaded"
expect_output loaded --policy Never --no-user-specified "$web:loaded"
preload evil "$web:unsigned"
attack "unsigned" 'ErrImageNeverPull: *' k run --policy Never "$web:unsigned"
preload evil "$web:1.0"
attack "in place of a signed one" 'ErrImageNeverPull: *' k run --policy Never "$web:1.0"
attack "in place of a signed one, create" "$not_created" create_and_run "$evil_id" --written "$web:1.0"

say "two manifests under one ID: each name is good for its own, and layers that are unpacked here are the same"
twin=$registry/shop/twin:1
kubelet_to "$containerd_sock" pull "$twin" >/dev/null
expect "the ID of the other manifest" "$(id_of "$web:loaded")" "$(id_of "$twin")"
expect_output loaded --policy Never "$web:loaded"
expect_nobody_signs "$twin" --policy IfNotPresent
ctr_client images rm "$web:loaded" >/dev/null
ctr_client images tag "$twin" "$web:loaded" >/dev/null
wait_until 10 "CRI to see it" has_id "$web:loaded" "$(config_digest twin)"
expect_shown 'ErrImageNeverPull: *' run --policy Never "$web:loaded"

if [[ $containerd_version == 2.1 ]]; then
  say "a checkpoint: this containerd pulls the image that is named inside it, and makes the container of that"
  stolen=localhost/shop/evil@$(image_digest evil)
  make_checkpoint checkpoint "$stolen" localhost/shop/evil:1
  push evil shop/evil:1
  sign_pushed checkpoint shop/web checkpoint
  wait_until 40 "the new tag" kubelet pull "$web:checkpoint"

  # As create_and_run; what the container would say is what its image says. Starting it would take CRIU.
  restore() {
    local pod container status=0
    pod=$(kubelet_to "$containerd_sock" --name attack --uid attack run-pod)
    container=$(k --name attack --uid attack create "$pod" "$@") || status=$?
    if [[ $status == 0 ]] && kubelet_to "$containerd_sock" --json inspect "$container" | grep -qE "$stolen|$evil_id"; then
      ctr_client images rm "$stolen" >/dev/null
      echo evil
    fi
    kubelet_to "$containerd_sock" stop-pod "$pod"
    return "$status"
  }
  attack "a signed checkpoint" "$not_created" restore "$(id_of "$web:checkpoint")" --written "$web:checkpoint"
  attack "a signed checkpoint, by its name" "$not_created" restore "$web:checkpoint"
  attack "an archive" "$not_created" restore "$node_dir/checkpoint-layer/layer.tar"
  attack "an archive under a signed name" "$not_created" restore "$node_dir/checkpoint-layer/layer.tar" --written "$web:1.0"
  if ctr_client images ls -q | grep -F "$stolen"; then fail "the image that is named inside is here"; fi
fi

expect_no_way_past
