#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Issue 2: every part dies once, at rest and in the middle of a pull. Each time the error says what is wrong, and when the
# part is back the next pod runs without anybody's help.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

notary_mode=database  # the memory back-end forgets everything when it is killed
image=$registry/shop/web:1.0

# in_background FILE kubelet-arguments…: what it says goes to the file; $! is the process.
in_background() {
  local file=$1
  shift
  (trap - ERR && kubelet "$@") >"$file" 2>&1 &
}

# Starts pulling and returns when the pull waits for a registry that has stopped answering.
begin_slow_pull() {
  kubelet rmi "$image"
  kill -STOP "$(part_pid registry)"
  in_background "$node_dir/pull.out" --deadline 60000 pull "$image"
  pull=$!
  wait_until 10 "the pull to reach the registry" connected_to 80
}

connected_to() { ss -Htn state established "dport = :$1" | grep -q .; }

end_slow_pull() {
  kill -CONT "$(part_pid registry)"
  pull_status=0
  wait "$pull" || pull_status=$?
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image other /bin/echo other
make_image sleeper /bin/sleep 1000000
push_signed web shop/web 1.0
push_signed web shop/second 1.0
push_signed web shop/third 1.0
push_signed sleeper shop/sleeper 1
push other shop/web:unsigned
start_containerd
# Longer than a loaded machine needs for the pod that must not wait for it.
crivet_trust='timeout = "10s"' write_crivet_config < <(usual_rules)
start_crivet

say "the good case, and what must not run"
expect_output hello "$image"
expect_output hello --policy Never "$image"
expect_output hello "$registry/shop/web@$(image_digest web)"
expect_denied tag-not-signed "$registry/shop/web:unsigned"
expect_denied digest-not-signed "$registry/shop/web@$(image_digest other)"
expect_denied denied docker.io/shop/web:1.0

say "the registry is away"
part_kill registry
expect_output hello "$image"
kubelet rmi "$image"
expect_shown "ErrImagePull: *connection refused*" run "$image"
start_registry
expect_output hello "$image"

say "the Notary server is away: what is known stays known, over a restart too"
part_kill notary-server
part_kill notary-signer
kubelet rmi "$image"
expect_output hello "$image"
part_kill crivet
start_crivet
kubelet rmi "$image"
expect_output hello "$image"
expect_unavailable '@(unreachable|no-trust-data)' "$registry/shop/second:1.0"
start_notary
wait_until 40 "crivet to ask the Notary server again" kubelet run "$registry/shop/second:1.0"

say "the Notary server hangs: only the pull that needs it waits, and not for long"
kill -STOP "$(part_pid notary-server)"
in_background "$node_dir/third.out" --deadline 60000 --name third --uid third run "$registry/shop/third:1.0"
third=$!
within 2000 kubelet version
within 2000 kubelet fs-info
within 8000 kubelet run "$image"
if wait "$third"; then
  fail "a pod ran without trust data"
fi
expect_like "the pull beside a hanging Notary" \
  "RegistryUnavailable: *, @(unreachable|no-trust-data)]" "$(cat "$node_dir/third.out")"
kill -CONT "$(part_pid notary-server)"
wait_until 40 "crivet to ask the Notary server again" kubelet run "$registry/shop/third:1.0"

say "containerd is away"
part_kill containerd
expect_shown "Version: rpc error: code = Unavailable *" version
expect_shown "FailedCreatePodSandBox: *rpc error: code = Unavailable *" run "$image"
expect_shown "ErrImagePull: rpc error: code = Unavailable *" pull "$image"
start_containerd
within 1000 kubelet version
expect_output hello "$image"

say "crivet is killed"
part_kill crivet
expect_shown "Version: rpc error: code = Unavailable *" version
start_crivet
expect_output hello --policy Never "$image"

say "crivet stops: a call in flight is answered, a pull that lasts longer is cut, and can be repeated"
kubelet pull "$registry/shop/sleeper:1" >/dev/null
pod=$(kubelet --name sleeper --uid sleeper run-pod)
container=$(kubelet --name sleeper --uid sleeper create "$pod" "$(kubelet image-status "$registry/shop/sleeper:1" | head -1)" \
  --written "$registry/shop/sleeper:1")
kubelet start "$container" >/dev/null
begin_slow_pull
in_background "$node_dir/exec.out" --deadline 60000 exec "$container" -- /bin/sh -c 'sleep 2; echo answered'
exec=$!
runs_in_container() { ctr_client tasks ps "$container" | awk 'NR > 2' | grep -q .; }
wait_until 10 "the call to reach the container" runs_in_container
part_stop crivet
wait "$exec" || fail "the call in flight: $(cat "$node_dir/exec.out")"
expect "the call in flight" answered "$(cat "$node_dir/exec.out")"
end_slow_pull
[[ $pull_status != 0 ]] || fail "the pull outlasted crivet"
expect_like "the cut pull" "ErrImagePull: rpc error: code = Unavailable *" "$(cat "$node_dir/pull.out")"
start_crivet
expect_output hello "$image"
kubelet stop-pod "$pod"

say "crivet is killed while it pulls"
begin_slow_pull
part_kill crivet
end_slow_pull
[[ $pull_status != 0 ]] || fail "the pull ended well without crivet"
expect_like "the cut pull" "ErrImagePull: rpc error: code = Unavailable *" "$(cat "$node_dir/pull.out")"
start_crivet
expect_output hello "$image"

say "containerd is killed while it pulls"
begin_slow_pull
part_kill containerd
end_slow_pull
[[ $pull_status != 0 ]] || fail "the pull ended well without containerd"
expect_like "the cut pull" "ErrImagePull: rpc error: code = Unavailable *" "$(cat "$node_dir/pull.out")"
start_containerd
expect_output hello "$image"

say "crivet is killed at any moment of a pull"
for pause in 0.01 0.02 0.03 0.05 0.07 0.09 0.11 0.13 0.15 0.20; do
  kubelet rmi "$image"
  kubelet pull "$image" >/dev/null 2>&1 &
  sleep "$pause"  # where the kill hits is the point; nothing waits for it
  part_kill crivet
  wait $! || true
  start_crivet
  expect_output hello "$image"
  kubelet image-status "$image" | grep -qxF "  $image" || fail "the tag is gone after a kill at $pause s"
done
