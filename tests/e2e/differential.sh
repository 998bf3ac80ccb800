#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kubelet cannot tell that crivet is there: the same calls go to a fresh containerd and, through crivet, to another fresh
# one. Every request, answer, error and output is recorded; any difference that is not on the list below fails the test.
#
#   DIFFERENTIAL=self differential.sh     containerd against containerd: shows that the comparison itself is quiet
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

# What may differ, and why.
#  * containerd names what it could not pull. crivet asks for the signed digest, so its name ends in @sha256:….
#  * What is not a reference is refused in crivet's words, not in containerd's.
#  * The pause image has a name of crivet's own (tag and digest), which containerd takes first and nobody can move.
explained() {
  perl -ne 's/shop\/gone(:1|\@sha256:[0-9a-f]{64})/shop\/gone<tag or digest>/g;
            s/ErrImagePull: failed to parse image reference.*|SignatureValidationFailed: .*not-a-reference\]/not a reference/;
            s/("code":"\w+","message":")(failed to parse image reference|SignatureValidationFailed: .*not-a-reference).*/$1not a reference"}/;
            s/"registry\.k8s\.io\/pause:3\.9\@sha256:[0-9a-f]{64}",//g;
            print'
}

# Takes away what differs between any two runs: times, IDs of pods and containers, disk usage, who was first to notice that
# a deadline had passed, and how often kubelet had to ask before a container had ended.
normalised() {
  perl -ne '
    s/"(\w+_at|timestamp)":"\d+"/"$1":"TIME"/g;
    s/"(used_bytes|inodes_used)":\{"value":"\d+"\}/"$1":"N"/g;
    s/("DEADLINE_EXCEEDED","message":).*|(DeadlineExceeded desc =).*/$+/;
    s/(?<![:\w])([0-9a-f]{64})(?!\w)/$id{$1} ||= "ID" . ++$n/ge;
    $polls = /^\{"method":"ContainerStatus"/;
    print $held if defined $held && !$polls;
    $held = $polls ? $_ : undef;
    print unless $polls;
    END { print $held if defined $held }' "$1" | explained
}

# k kubelet-arguments…: one command, recorded with what it prints.
k() {
  local said status=0
  said=$(kubelet_to "$socket" --record "$record" "$@" 2>&1) || status=$?
  printf 'kubelet_client %s\n-> %s %s\n' "$*" "$status" "$said" >>"$record"
}

step() { echo "== $*" >>"$record"; }

# The node has followed the publisher to this digest. Both sides pull for it equally often or not: pulls change nothing.
follow() {
  wait_until 30 "$1 to become $2" pulled_digest_is "$1" "$2"
}
pulled_digest_is() {
  kubelet_to "$socket" pull "$1" && kubelet_to "$socket" image-status "$1" | grep -qF "@$2"
}

sequence() {
  local web=$registry/shop/web copy=$registry/shop/copy multi=$registry/shop/multi pod container id
  push_signed web shop/web 1.0
  push_signed web shop/web stable

  step "a node that has nothing"
  k version
  k status
  k fs-info
  k images
  k image-status "$web:1.0"
  k run --policy Never "$web:1.0"
  k rmi "$web:1.0"

  step "pods under each policy"
  k run --policy Always "$web:1.0"
  k run --policy Always "$web:1.0"
  k run --policy IfNotPresent "$web:1.0"
  k run --policy Never "$web:1.0"
  k run --no-user-specified --policy IfNotPresent "$web:1.0"
  k run --policy IfNotPresent "$web@$(image_digest web)"
  k run --policy Always "$web:1.0@$(image_digest web)"
  k run --policy IfNotPresent "$multi"
  k run --policy IfNotPresent "$multi:latest"
  k run --policy IfNotPresent short:1
  k run --policy Never docker.io/library/short:1

  step "what the node has"
  id=$(kubelet_to "$socket" image-status "$web:1.0" | head -1)
  for name in "$web:1.0" "$web@$(image_digest web)" "$web:1.0@$(image_digest web)" "$id" "${id#sha256:}" "$multi" short:1; do
    k --json image-status "$name"
    k --json images "$name"
  done
  k --json images

  step "several tags, several repositories, one content"
  k pull "$web:stable"
  k --json image-status "$web:stable"
  k pull "$copy:1.0"
  k --json image-status "$copy:1.0"
  k --json image-status "$id"
  k --json images

  step "a container and its names"
  pod=$(kubelet_to "$socket" --name long --uid long run-pod)
  k pull "$registry/shop/sleeper:1"
  id=$(kubelet_to "$socket" image-status "$registry/shop/sleeper:1" | head -1)
  container=$(kubelet_to "$socket" --name long --uid long create "$pod" "$id" --written "$registry/shop/sleeper:1")
  k start "$container"
  k --json inspect "$container"
  k --json ps
  k --json pods
  k exec "$container" echo inside
  k rmi "$registry/shop/sleeper:1"
  k --json inspect "$container"
  k stop "$container"
  k rm "$container"
  k stop-pod "$pod"

  step "the publisher signs the tag anew"
  push_signed newer shop/web 1.0
  k run --policy IfNotPresent "$web:1.0"
  follow "$web:1.0" "$(image_digest newer)"
  k run --policy IfNotPresent "$web:1.0"
  k run --policy Always "$web:1.0"
  k --json image-status "$web:1.0"
  k --json image-status "$web@$(image_digest web)"
  k --json images

  step "what cannot be pulled"
  k run "$registry/shop/gone:1"
  k --deadline 1 pull "$web:1.0"
  k pull ""
  k pull "$web:1.0:"

  step "removal"
  k rmi "$web:1.0"
  k --json image-status "$web:1.0"
  k rmi "$copy@$(image_digest web)"
  k --json images
  for id in $(kubelet_to "$socket" images | grep '^sha256:' | sort); do
    k rmi "$id"
  done
  k --json images

  step "and again from the start"
  k run --policy IfNotPresent "$web:1.0"
  k --json images
}

# record_side NAME SOCKET: on a containerd that has seen nothing.
record_side() {
  socket=$2 record=$node_dir/$1.record
  say "recording: $1"
  rm -rf "$node_dir/containerd"
  start_containerd
  if [[ $socket == "$crivet_sock" ]]; then
    start_crivet
  fi
  sequence
  if [[ $socket == "$crivet_sock" ]]; then
    part_stop crivet
  fi
  part_stop containerd
  normalised "$record" >"$node_dir/log/$1.record"
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image newer /bin/echo hello again
make_image sleeper /bin/sleep 1000
make_index multi /bin/echo many
push_signed web shop/copy 1.0
push_signed sleeper shop/sleeper 1
push_signed multi shop/multi latest
push web library/short:1
sign docker.io/library/short 1 "$(image_digest web)" "$(image_size web)"
# Signed, and not in the registry.
sign "$registry/shop/gone" 1 "$(image_digest web)" "$(image_size web)"

# A second is enough for the publisher's news to reach the node.
crivet_trust='refresh_interval = "1s"' write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**", "docker.io/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML

record_side plain "$containerd_sock"
if [[ ${DIFFERENTIAL:-} == self ]]; then
  record_side crivet "$containerd_sock"
else
  record_side crivet "$crivet_sock"
fi

for wanted in '-> 0 hello again' '-> 0 many' '"code":"NOT_FOUND"' '"code":"DEADLINE_EXCEEDED"'; do
  grep -qF -- "$wanted" "$node_dir/log/plain.record" || fail "the sequence itself is wrong: no $wanted"
done
diff -U 2 "$node_dir/log/plain.record" "$node_dir/log/crivet.record" >"$node_dir/log/difference" || {
  cut -c 1-1500 "$node_dir/log/difference" >&2
  fail "kubelet can tell the difference"
}
say "no difference in $(grep -c '^{' "$node_dir/log/plain.record") calls"
