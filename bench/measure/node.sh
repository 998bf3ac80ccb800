#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What only real parts can tell, on a node of its own: calls to containerd, pulls, Docker's own verified pull, `notary lookup`
# beside `crivet verify`, what a refresh costs the Notary server. Prints lines `name<TAB>value`, times in ms.
#
#   bench/measure/node.sh quick|full [python file that measures calls to containerd]
set -euo pipefail

export CRIVET_BUILD=${CRIVET_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build-release" && pwd)}
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tests/support/node.sh"
node_enter "$@"
# shellcheck source=bench/measure/pulls.sh
source "$root/bench/measure/pulls.sh"
PATH=$CRIVET_BUILD/bench:$PATH
mode=$1

# timed_with_cpu NAME COMMAND...: and how much of the processor, in ms.
timed_with_cpu() {
  # Not in a subshell, where no command of ours has ended yet.
  times >"$node_dir/times"
  timed "$@"
  times >>"$node_dir/times"
  report "$1, CPU" "$(awk 'function ms(text, t) { split(text, t, /[ms]/); return (t[1] * 60 + t[2]) * 1000 }
    NR == 2 { before = ms($1) + ms($2) } NR == 4 { print ms($1) + ms($2) - before }' "$node_dir/times")"
}

# stage_tags GUN COUNT: puts additions where the notary client keeps what is not published yet. One call of the client
# for each of 10 000 tags would take minutes.
stage_tags() {
  local changes=$node_dir/publisher/tuf/$1/changelist count=$2 hash
  mkdir -p "$changes"
  hash=$(head -c 32 /dev/zero | base64)
  local value i
  value=$(printf '{"length":1234,"hashes":{"sha256":"%s"}}' "$hash" | base64 -w 0)
  for ((i = 0; i < count; ++i)); do
    printf '{"action":"create","role":"targets","type":"target","path":"release-%d","data":"%s"}' \
      $((100000000 + i)) "$value" >"$changes/$((1000000000000000000 + i))_$i.change"
  done
}

# What Docker's own engine takes for the same image, and how much more under Content Trust.
measure_docker() {
  local rounds=$1 i
  start_dockerd
  for ((i = 0; i < rounds; ++i)); do
    timed "docker pull, not verified" docker_client pull --quiet "$image"
    docker_client image prune --all --force >/dev/null
    timed "docker pull, verified" docker_trusted pull --quiet "$image"
    docker_client image prune --all --force >/dev/null
  done
  part_stop dockerd
}

measure_lookups() {
  local rounds=$1 tags=$2 gun=$registry/shop/many i
  notary_client init "$gun" -p >>"$node_dir/log/notary.log" 2>&1
  stage_tags "$gun" "$tags"
  timed "publish $tags tags" notary_client publish "$gun"
  crivet warm --config "$node_dir/crivet.toml" "$gun:release-100000001" 2>>"$node_dir/log/timed.log" >&2
  for ((i = 0; i < rounds; ++i)); do
    timed_with_cpu "notary lookup, $tags tags" notary_client lookup "$gun" release-100000042
    timed "crivet verify, $tags tags" crivet verify --config "$node_dir/crivet.toml" "$gun:release-100000042"
    timed "crivet verify --offline, $tags tags" \
      crivet verify --offline --config "$node_dir/crivet.toml" "$gun:release-100000042"
  done
}

# Bytes that crossed the loopback, both directions; nobody else is on it.
loopback_bytes() { awk '$1 == "lo:" { print $2 }' /proc/net/dev; }
cpu_ms_of() { awk '{ print ($14 + $15) * 10 }' "/proc/$(part_pid "$1")/stat"; }
refreshes() {
  exec 8<>/dev/tcp/127.0.0.1/9477
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&8
  awk '/^crivet_refreshes_total.*unchanged/ { n = $2 } END { print n + 0 }' <&8
  exec 8>&-
}

# A daemon that refreshes one repository every second, for a while: what one refresh costs the server.
measure_refreshes() {
  local seconds=$1 count bytes cpu
  part_stop crivet
  crivet_trust='refresh_interval = "1s"' write_configuration
  printf '[metrics]\nlisten = "127.0.0.1:9477"\n' >>"$node_dir/crivet.toml"
  start_crivet
  kubelet pull "$image" >/dev/null
  count=$(refreshes) bytes=$(loopback_bytes) cpu=$(cpu_ms_of notary-server)
  sleep "$seconds"
  bytes=$(($(loopback_bytes) - bytes)) cpu=$(($(cpu_ms_of notary-server) - cpu)) count=$(($(refreshes) - count))
  [[ $count -gt 0 ]] || fail "no refresh in $seconds s"
  report "refreshes counted" "$count"
  report "loopback bytes a refresh" $((bytes / count))
  report "notary server's CPU us a refresh" $((cpu * 1000 / count))
}

write_configuration() {
  write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/**"]
action = "allow"
TOML
}

# A hundredth of a pull shows in a median of many.
pulls=21 rounds=5 size=128 tags=10000 refresh_seconds=20
[[ $mode == full ]] || { pulls=2 rounds=2 size=32 tags=1000 refresh_seconds=5; }
image=$registry/shop/large:1.0
start_registry
start_notary
make_large_image "$size"
push_signed large shop/large 1.0
start_containerd
write_configuration
start_crivet
kubelet_to "$crivet_sock" pull "$image" >/dev/null  # the page cache is warm, the trust data is there
kubelet_to "$containerd_sock" rmi "$image" >/dev/null
wait_until 20 "the layer to be collected" no_content
if [[ -n ${2:-} ]]; then
  report "calls to containerd" "$(python3 "$2" "$mode" "$containerd_sock" "$crivet_sock" "$node_dir/tmp")"
fi
report "image MiB" "$size"
measure_pulls "$pulls"
measure_docker "$rounds"
measure_lookups "$rounds" "$tags"
measure_refreshes "$refresh_seconds"
