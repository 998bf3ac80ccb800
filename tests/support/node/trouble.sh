# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034  # for the scripts that source this
# What goes wrong around a node: answers that are bent on their way, a clock that is set; and what crivet says of it.

readonly fault_proxy_url=https://notary.acme.example:4453

# Stands between crivet and Notary, once crivet_trust_url names it. See fault_proxy.py for what it does.
start_fault_proxy() {
  part_start fault-proxy python3 "$root/tests/support/node/fault_proxy.py" "$node_dir" 4453 "$notary_url"
  part_ready fault-proxy listens 4453
}

# fault LINE...: what the proxy does from now on.
fault() {
  printf '%s\n' "$@" >"$node_dir/fault.new"
  mv "$node_dir/fault.new" "$node_dir/fault"
}

# crivet_clock OFFSET: crivet's wall clock, as `date --date` of now plus this many seconds, also while it runs. Daemons must
# have been started after the first call. The other parts keep their time, and crivet the time since the boot.
crivet_clock() {
  printf '%+d' "$1" >"$node_dir/clock.new"
  mv "$node_dir/clock.new" "$node_dir/clock"
  crivet_environment=(
    "LD_PRELOAD=$(parts_root)/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    "FAKETIME_TIMESTAMP_FILE=$node_dir/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1)
}

readonly one_day=86400

# crivet_here COMMAND...: the command line with the node's configuration and the daemon's clock.
crivet_here() {
  local command=$1
  shift
  env "${crivet_environment[@]}" crivet "$command" --config "$node_dir/crivet.toml" "$@"
}

readonly metrics_section='[metrics]
listen = "127.0.0.1:9477"'

# Everything that a scrape of `metrics_section` gives.
scrape() {
  exec 3<>/dev/tcp/127.0.0.1/9477 || return
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  sed '1,/^\r$/d' <&3
  exec 3<&-
}

# metric SERIES: its value, nothing where it is not there. Written as in the scrape, with its labels.
metric() {
  scrape | awk -v series="$1" 'index($0, series " ") == 1 { print $NF }'
}

# metric_is SERIES COMPARISON NUMBER: as in `metric_is crivet_upstream_up -eq 1`; false where it is not there.
metric_is() { test "$(metric "$1")" "$2" "$3" 2>/dev/null; }

# of_repository GUN: the labels of a repository's series.
of_repository() { printf '{trust="acme",gun="%s"}' "$1"; }

# reload_crivet: as systemd does it; returns when the new configuration is in force.
reload_crivet() {
  local before
  before=$(reloads)
  kill -HUP "$(part_pid crivet)"
  wait_until 10 "the reload" more_reloads_than "$before"
}
reloads() { grep -c "took the new configuration" "$node_dir/log/crivet.log" || true; }
more_reloads_than() { [[ $(reloads) -gt $1 ]]; }
