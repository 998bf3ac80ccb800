#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Life goes on under crivet: containerd stops, and another version comes back in its place, with everything that it ran.
# crivet is not touched: the first call is answered within a second, and the gate is as closed as before.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"

# Always from 1.6, to the version of this run; to 1.7 where that is 1.6.
next_version=$containerd_version
[[ $next_version != 1.6 ]] || next_version=1.7
if [[ -z $node_dir && $(id -u) == 0 ]]; then unpack_parts "$next_version"; fi
node_enter "$@"

web=$registry/shop/web

# start_containerd_of VERSION
start_containerd_of() {
  local path=$PATH
  PATH=$(parts_root "$(suite_of_containerd "$1")")/usr/bin:$PATH
  start_containerd
  PATH=$path
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image sleeper /bin/sleep 1000000
make_image evil /bin/echo evil
push_signed web shop/web 1.0
push_signed sleeper shop/sleeper 1
push evil shop/web:evil
start_containerd_of 1.6
write_crivet_config < <(usual_rules)
start_crivet
crivet_pid=$(part_pid crivet)
expect_output hello "$web:1.0"
kubelet pull "$registry/shop/sleeper:1" >/dev/null
pod=$(kubelet --name sleeper --uid sleeper run-pod)
container=$(kubelet --name sleeper --uid sleeper create "$pod" "$(kubelet image-status "$registry/shop/sleeper:1" | head -1)" \
  --written "$registry/shop/sleeper:1")
kubelet start "$container" >/dev/null
expect_like "version" "containerd 1.6.*" "$(kubelet version)"

say "1.6 stops: calls fail as they do without crivet"
part_stop containerd
expect_shown "Version: rpc error: code = Unavailable *" version
expect_shown "ErrImagePull: rpc error: code = Unavailable *" pull "$web:1.0"

# replaced VERSION
replaced() {
  say "$1 takes its place"
  start_containerd_of "$1"
  within 1000 kubelet version
  expect_like "version" "containerd $1.*" "$(kubelet version)"
  kubelet --json inspect "$container" | grep -q CONTAINER_RUNNING || fail "the container of before does not run any more"
  expect "what the container of before says" here "$(kubelet exec "$container" /bin/echo here)"
  expect_output hello --policy Never "$web:1.0"
  kubelet rmi "$web:1.0"
  expect_output hello "$web:1.0"
  kubelet image-status "$web:1.0" | grep -qxF "  $web:1.0" || fail "the tag is not given back"
  expect_denied tag-not-signed "$web:evil"
}
replaced "$next_version"

say "and again, killed"
part_kill containerd
replaced "$next_version"
expect_like "status" "*runtime: *containerd $next_version.* at *" "$(crivet_here status)"
expect "crivet's process" "$crivet_pid" "$(part_pid crivet)"
part_runs crivet || fail "crivet does not run any more"
kubelet stop "$container" >/dev/null
