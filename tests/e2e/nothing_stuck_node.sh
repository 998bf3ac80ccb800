#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What befalls a node sticks nowhere: a clock that is set, twenty kills in a minute, a tag that moves on under pods that are
# pinned to what it was, metadata that expires.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web
crivet_trust_url=$fault_proxy_url

start_registry
start_notary
start_fault_proxy  # never bends anything here; it is there to be away
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
push_signed one shop/web 1.0
start_containerd
crivet_trust='refresh_interval = "1s"' write_crivet_config < <(echo "$metrics_section" && usual_rules)
crivet_clock 0
start_crivet
expect_output one "$web:1.0"
pinned=$web@$(image_digest one)

restart_crivet() {
  part_kill crivet
  start_crivet
}
outputs() { [[ $(kubelet run --policy Always "$2" 2>&1) == "$1" ]]; }
pull_and() { kubelet pull "$web:1.0" && "$@"; }
refreshed() { metric_is 'crivet_refreshes_total{outcome="unchanged"}' -gt "$1"; }

say "a tag moves on: pods that are pinned to what it was start again, with the server and without it"
push_signed two shop/web 1.0
wait_until 10 "the node to follow" outputs two "$web:1.0"
expect_output one --policy Always "$pinned"
restart_crivet
expect_output one --policy IfNotPresent "$pinned"
expect_output one --policy Never "$pinned"
mv "$node_dir/crivet-state" "$node_dir/kept-state"
restart_crivet
expect_denied digest-not-signed "$pinned"
part_stop crivet
rm -rf "$node_dir/crivet-state"
mv "$node_dir/kept-state" "$node_dir/crivet-state"
start_crivet

say "twenty kills in a minute: the first call after each is answered"
for _ in {1..20}; do
  restart_crivet  # returns when one call was answered
done
within 1000 kubelet fs-info
expect_output two --policy Always "$web:1.0"

say "the server is away for three weeks: what expired is not pulled, what was verified starts again"
part_stop fault-proxy
restart_crivet
crivet_clock $((21 * one_day))
expect_shown "RegistryUnavailable: *$web:1.0*trust metadata expired at *, expired]" run --policy Always "$web:1.0"
expect_output two --policy IfNotPresent "$web:1.0"
expect_output one --policy IfNotPresent "$pinned"
expect_like "status" "*$web: trust metadata expired at *" "$(crivet_here status)"

say "for 31 days: nothing that needs the server starts, and it says why"
crivet_clock $((31 * one_day))
expect_shown "RegistryUnavailable: *trust metadata expired at *, expired]" run --policy IfNotPresent "$web:1.0"
expect_shown "RegistryUnavailable: *trust metadata expired at *, expired]" run --policy IfNotPresent "$pinned"
if said=$(crivet_here verify "$pinned" 2>&1); then fail "verify after 31 days: $said"; fi

say "the server and the true time are back: nobody has to do anything"
crivet_clock 0
start_fault_proxy
wait_until 45 "the node to ask the server again" metric_is "crivet_repository_refresh_failures$(of_repository "$web")" -eq 0
expect_output two --policy Always "$web:1.0"
expect_output one --policy IfNotPresent "$pinned"

say "a clock set to before the build: the daemon that runs knows better, the next one refuses until it is right again"
crivet_clock $((-3650 * one_day))
expect_output two --policy Always "$web:1.0"
restart_crivet
expect_unavailable clock "$web:1.0" --policy Always
expect_like "status" "*the clock is not believed*" "$(crivet_here status)"
metric_is crivet_clock_believed -eq 0 || fail "the metric believes the clock"
crivet_clock 0
expect_output two --policy Always "$web:1.0"
metric_is crivet_clock_believed -eq 1 || fail "the metric does not believe the clock"

say "a clock a day ahead, under which a refresh succeeds, then back: not believed until the server agrees with it"
crivet_clock "$one_day"
restart_crivet
wait_until 10 "a refresh under the wrong clock" pull_and refreshed 0
crivet_clock $((one_day - 2 * 3600))  # hours behind the latest refresh, and nobody confirms it
expect_output two --policy Always "$web:1.0"
kubelet rmi "$web:1.0"
within 5000 kubelet pull "$web:1.0"  # waits for its tag, by a clock that nobody sets
part_kill containerd
start_containerd
within 1000 kubelet image-status "$web:1.0"
restart_crivet
expect_unavailable clock "$web:1.0" --policy Always
crivet_clock "$one_day"
expect_output two --policy Always "$web:1.0"
restart_crivet
crivet_clock 0
expect_output two --policy Always "$web:1.0"
restart_crivet
wait_until 45 "the server to confirm the clock" outputs two "$web:1.0"
part_stop fault-proxy
restart_crivet
expect_output two --policy Always "$web:1.0"  # the store has followed the clock
start_fault_proxy

say "a clock a year ahead and back: refused meanwhile, nobody is locked out"
crivet_clock $((365 * one_day))
restart_crivet
expect_shown "RegistryUnavailable: *, expired]" run --policy Always "$web:1.0"
crivet_clock 0
restart_crivet
wait_until 45 "pulls after the jump" outputs two "$web:1.0"
expect_output one --policy IfNotPresent "$pinned"
