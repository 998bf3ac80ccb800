# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Attacks: each must work on plain containerd, else it shows nothing, and must not work through crivet. `socket` is the one
# that is being tried; `failures` counts what got past crivet.
# shellcheck disable=SC2034  # for the scripts that source this

failures=0
readonly refused='SignatureValidationFailed: image pull failed for '
readonly not_created='CreateContainerError: rpc error: code = Unknown desc = SignatureValidationFailed: *'

k() { kubelet_to "$socket" "$@"; }

# attack WHAT CLOSED COMMAND...: the command gets the unsigned image to print "evil". On plain containerd it must do so;
# through crivet it must not, and must say something like the pattern CLOSED instead.
attack() {
  local what=$1 closed=$2 said
  shift 2
  socket=$containerd_sock
  said=$("$@" 2>&1) || true
  [[ $said == evil || $said == *$'\n'evil ]] || fail "$what: not possible on plain containerd: $said"
  socket=$crivet_sock
  said=$("$@" 2>&1) || true
  # shellcheck disable=SC2053  # a pattern is meant
  if [[ $said == $closed ]]; then
    say "closed: $what"
  else
    say "OPEN:   $what: wanted $closed, got ${said:0:400}"
    failures=$((failures + 1))
  fi
}

expect_no_way_past() { [[ $failures == 0 ]] || fail "$failures ways past crivet"; }

# create_and_run IMAGE kubelet-arguments…: a container in a pod of its own with exactly this image.image; prints what it says.
create_and_run() {
  local image=$1 pod container status=0
  shift
  pod=$(kubelet_to "$containerd_sock" --name attack --uid attack run-pod)
  container=$(k --name attack --uid attack create "$pod" "$image" "$@") && k start "$container" >/dev/null &&
    k logs "$container" || status=$?
  kubelet_to "$containerd_sock" stop-pod "$pod"
  rm -rf "$node_dir/pods"
  return "$status"
}

# The ID that a name has on the node, whatever crivet makes of it.
id_of() { kubelet_to "$containerd_sock" image-status "$1" | head -1; }

# CRI follows containerd's own images by events, a moment later.
has_id() { [[ $(id_of "$1") == "$2" ]]; }

# preload LAYOUT NAME: an archive as `docker save` or a node's image builder leaves it, loaded behind everybody's back.
preload() {
  skopeo --insecure-policy copy --quiet "oci:$node_dir/oci/$1" "oci-archive:$node_dir/$1.tar:$2"
  # containerd's garbage collector may take what an import has just found present.
  wait_until 10 "the import" ctr_client images import "$node_dir/$1.tar"
  wait_until 10 "CRI to see it" has_id "$2" "$(config_digest "$1")"
}
