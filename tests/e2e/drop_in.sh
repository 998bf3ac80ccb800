#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Issue 5: a machine that systemd runs, from installing the package to purging it. What systemd/README.md promises is a
# step here; afterwards the machine is as it was. One life of one machine, and so one long script: each step stands on the
# one before.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"

machine_package
node_enter "$@"

usual=/run/containerd/containerd.sock    # where kubelet and cAdvisor look
moved=/run/containerd/upstream.sock      # where containerd goes
beside=/run/crivet/crivet.sock
web=$registry/shop/web:1.0
unsigned=$registry/shop/web:unsigned
large=$registry/shop/large:1.0

step() { say "$(printf '%3d s  %s' "$SECONDS" "$*")"; }

# expect_refused SOCKET REASON IMAGE: what kubelet shows of a pod of that image.
expect_refused() {
  local got
  if got=$(kubelet_at "$1" run "$3" 2>&1); then fail "$3 ran: $got"; fi
  expect_like "a pod of $3" "SignatureValidationFailed: *, $2]" "$got"
}

# start_server NAME SECONDS: a pod that runs; prints the container's ID.
start_server() {
  local pod image container
  pod=$(kubelet_at "$usual" --name "$1" --uid "$1" run-pod)
  image=$(kubelet_at "$usual" image-status "$registry/shop/server:1.0" | head -n 1)
  container=$(kubelet_at "$usual" --name "$1" --uid "$1" create "$pod" "$image" \
    --written "$registry/shop/server:1.0" /bin/sleep "$2")
  kubelet_at "$usual" start "$container" >/dev/null
  echo "$container"
}

# container_state SOCKET ID: running or exited.
container_state() {
  kubelet_at "$1" --json inspect "$2" | grep -oE 'CONTAINER_[A-Z]+' | head -n 1 | sed 's/CONTAINER_//' | tr '[:upper:]' '[:lower:]'
}

# next_process PID: crivet runs, as another process.
next_process() {
  local now
  now=$(property crivet MainPID)
  [[ $now != "$1" && $now != 0 && $(property crivet ActiveState) == active ]]
}

# page_says TEXT: the commands that stand after that text in systemd/README.md.
page_says() {
  awk -v text="$1" 'index($0, text) { found = 1 } found && /^ *```$/ { ++fences; next } fences == 1' "$root/systemd/README.md"
}

# kubelet, as far as its drop-in goes: a unit whose process runs one pod where it is told to.
make_kubelet() {
  cat >"$machine_root/usr/local/bin/kubelet" <<'SH'
#!/bin/sh
exec kubelet_client --endpoint "${KUBELET_EXTRA_ARGS##*unix://}" --log-root /var/log/pods --cgroup-parent /pods run "$(cat /root/image)"
SH
  chmod +x "$machine_root/usr/local/bin/kubelet"
  printf '[Service]\nType=oneshot\nEnvironment=KUBELET_EXTRA_ARGS=--container-runtime-endpoint=unix://%s\nExecStart=/usr/local/bin/kubelet\n' \
    "$usual" >"$machine_root/etc/systemd/system/kubelet.service"
  ends 0 systemctl daemon-reload
}
# kubelet_runs EXIT IMAGE
kubelet_runs() {
  echo "$2" >"$machine_root/root/image"
  ends "$1" systemctl start kubelet
}
remove_kubelet() {
  rm -r "$machine_root"/{root/image,usr/local/bin/kubelet,etc/systemd/system/kubelet.service*}
  in_machine systemctl reset-failed kubelet
  ends 0 systemctl daemon-reload
}

# What is in the file is in force when systemctl returns.
reload() { ends 0 systemctl reload crivet; }

# write_config [MODE]: the rules of this test, in the file that the package brought.
write_config() {
  cat >"$machine_root/etc/crivet/config.toml" <<TOML
mode = "${1:-enforce}"
[default]
action = "deny"
[trust.acme]
kind = "notary"
url = "$notary_url"
ca_file = "/etc/acme/notary-ca.crt"
auth = "none"
[[rule]]
name = "acme"
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/**"]
action = "allow"
TOML
  # The Status of containerd 2.1 no longer tells the name of the sandbox image.
  [[ $containerd_version != 2.* ]] ||
    printf '[gate]\nsandbox_image = "%s"\n' "$pause_image" >>"$machine_root/etc/crivet/config.toml"
}

# Calls in turn on one connection, as kubelet has it, until end_load; and a new connection for each call beside it.
begin_load() {
  local leader
  mkfifo "$node_dir/load-ends"
  exec 8<>"$node_dir/load-ends"
  leader=$(machine_leader)
  part_start load bash -c "
    nsenter --target $leader --mount --pid -- kubelet_client --endpoint $1 load $web <'$node_dir/load-ends' &
    while kill -0 \$! 2>/dev/null; do
      nsenter --target $leader --mount --pid -- kubelet_client --endpoint $1 fs-info >/dev/null || echo 'a new connection failed'
    done
    wait"
  wait_until 10 "the first calls" grep -qs calling "$node_dir/log/load.log"
}
end_load() {
  echo >&8
  exec 8>&-
  wait_until 30 "the load to end" not part_runs load
  rm "$node_dir/load-ends" "$node_dir/pid/load"
  said=$(cat "$node_dir/log/load.log")
  rm "$node_dir/log/load.log"
  expect_like "calls during $1" "calling"$'\n'"+([0-9]) calls answered, the slowest after +([0-9]) ms" "$said"
  step "  $1: ${said##*$'\n'}"
}

# begin_call NAME ARGUMENTS…: a call of kubelet's that takes its time. end_call NAME: what it said, and its exit.
begin_call() {
  local name=$1
  shift
  part_start "$name" noted kubelet_at "$usual" "$@"
}
noted() {
  local status=0
  "$@" || status=$?
  echo "exit $status"
}
end_call() {
  wait_until 30 "$1 to end" not part_runs "$1"
  said=$(cat "$node_dir/log/$1.log")
  rm "$node_dir/log/$1.log" "$node_dir/pid/$1"
}

# The registry is far away: 64 MiB take half a minute. Slows the node's other traffic too.
slow_network() { tc qdisc add dev lo root tbf rate 16mbit burst 256k latency 400ms; }
fast_network() { tc qdisc del dev lo root; }
# Layers come in: a pull is in the middle of its work.
fetching() {
  in_machine find /var/lib/containerd/io.containerd.content.v1.content/ingest -name data -size +256k | grep -q .
}
begin_long_pull() {
  slow_network
  begin_call pull pull "$large"
  wait_until 20 "the first bytes of a large image" fetching
}
# What kubelet does next, in its own time.
pull_again() {
  end_call pull
  expect_like "the pull in flight" "ErrImagePull: *code = Unavailable *exit 1" "$said"
  fast_network
  kubelet_at "$usual" pull "$large" >/dev/null
  kubelet_at "$usual" image-status "$large" >/dev/null
  kubelet_at "$usual" rmi "$large" >/dev/null
}
is_stopping() { [[ $(property crivet ActiveState) == deactivating ]]; }
# slowest_below MILLISECONDS: of the load that has ended.
slowest_below() {
  local took
  took=$(grep -oE '[0-9]+ ms' <<<"$said" | cut -d ' ' -f 1)
  [[ $took -lt $1 ]] || fail "a call took $took ms"
}

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image other /bin/echo other
make_image server /bin/sleep 100000
push_signed web shop/web 1.0
push_signed server shop/server 1.0
mkdir "$node_dir/large"
head -c 64M /dev/urandom >"$node_dir/large/content"
pack_layer "$node_dir/large-layer" "$node_dir/large"
image_layer=$node_dir/large-layer make_image large /bin/true
push_signed large shop/large 1.0
push other shop/web:unsigned

machine_prepare
machine_containerd
cp "$(package_folder)"/crivet_*.deb "$machine_root/root/"
package=$(echo "$machine_root"/root/crivet_*.deb)
machine_next_package "$machine_root/root/next" 0.1.1
mkdir -p "$machine_root/etc/acme"
cp "$node_dir/tls/ca.crt" "$machine_root/etc/acme/notary-ca.crt"
machine_boot
kubelet_at "$usual" --deadline 20000 status --ready >/dev/null
step "booted: $(in_machine systemctl --version | head -n 1), $(kubelet_at "$usual" version)"
kubelet_at "$usual" pull "$registry/shop/server:1.0" >/dev/null
server=$(start_server server 100000)
short=$(start_server short 200000)
server_pid=$(pgrep -f "^/bin/sleep 100000")
keep_state before
containerd_pid=$(property containerd MainPID)

step "installing enforces nothing and touches nothing"
ends 0 apt-get install --yes --no-install-recommends "${package#"$machine_root"}"
for unit in crivet.socket crivet.service; do
  expect "$unit" active "$(property "$unit" ActiveState)"
  expect "$unit at boot" enabled "$(property "$unit" UnitFileState)"
done
expect "containerd's process" "$containerd_pid" "$(property containerd MainPID)"
expect "audit mode" 'mode = "audit"' "$(grep -E '^mode' "$machine_root/etc/crivet/config.toml")"
expect "the configuration's owner" "root:crivet 640" "$(in_machine stat -c '%U:%G %a' /etc/crivet/config.toml)"
expect "the state's owner" "crivet:crivet 700" "$(in_machine stat -c '%U:%G %a' /var/lib/crivet)"
expect "the process's owner" crivet "$(in_machine stat -c %U "/proc/$(property crivet MainPID)")"
expect "its capabilities" 0000000000000000 "$(in_machine grep CapEff "/proc/$(property crivet MainPID)/status" | cut -f 2)"
expect_like "the usual socket" "containerd *" "$(kubelet_at "$usual" version)"
expect_like "crivet's own" "containerd *" "$(kubelet_at "$beside" version)"
ends 0 crivet check
ends 0 crivet status

step "the units are sound"
ends 0 systemd-analyze verify --man=no /usr/lib/systemd/system/crivet.{service,socket}
expect "systemd-analyze verify" "" "$said"
ends 0 systemd-analyze security --no-pager --threshold=20 crivet.service
step "  $(tail -n 1 <<<"$said")"

step "audit: everything runs, what would be refused is told"
expect "an unsigned image" other "$(kubelet_at "$beside" run "$unsigned")"
expect_like "the audit line" '*"reason":"denied"*' "$(journal -u crivet --grep "$unsigned" | tail -n 1)"
ends 0 crivet status
ends 1 crivet status --would-refuse
expect_like "would-refuse" "*$unsigned*denied*" "$said"

step "pin and rules: check, reload; taken whole or not at all"
write_config audit
expect_like "pin" "*$(root_key_id)*" "$(in_machine crivet pin "$web" 2>/dev/null)"
ends 0 crivet check
expect "the file's owner stays" "root:crivet 640" "$(in_machine stat -c '%U:%G %a' /etc/crivet/config.toml)"
reload
ends 0 crivet status
expect_like "the rules" "*acme *verify*audit*" "$said"
expect_like "the journal" "*took the new configuration*" "$(journal -u crivet --lines=20)"
ends 1 crivet status --would-refuse
expect_like "would-refuse" "*$unsigned*tag-not-signed*" "$said"
write_config enforce
sed -i '1i listne = 1' "$machine_root/etc/crivet/config.toml"
ends 78 crivet check
expect_like "check" '/etc/crivet/config.toml:*: unknown key "listne"*' "$said"
ends 1 systemctl reload crivet
expect "the service goes on" active "$(property crivet ActiveState)"
expect_like "the first line" 'DEGRADED: the newest configuration was not taken: /etc/crivet/config.toml:*"listne"*' \
  "$(in_machine crivet status 2>/dev/null)"
expect_like "the journal" "*kept the old configuration: *listne*" "$(journal -u crivet --lines=20)"
expect_like "systemctl" "*Kept the old configuration: *listne*" "$(in_machine systemctl status --no-pager crivet)"
expect "the old rules" other "$(kubelet_at "$beside" run "$unsigned")"
# Neither does a file that says nothing, nor one that needs a restart.
echo '"' >"$machine_root/etc/crivet/config.toml"
ends 1 systemctl reload crivet
write_config enforce
sed -i '1i state_dir = "/var/lib/elsewhere"' "$machine_root/etc/crivet/config.toml"
ends 1 systemctl reload crivet
expect_like "crivet reload" '*"state_dir" has changed, which needs a restart*kept the old configuration*' \
  "$(in_machine crivet reload 2>&1 || true)"
expect "the old rules" other "$(kubelet_at "$beside" run "$unsigned")"

step "enforce, beside the socket"
kubelet_at "$usual" rmi "$unsigned" >/dev/null
write_config enforce
reload
expect "a signed image" hello "$(kubelet_at "$beside" run "$web")"
expect_refused "$beside" tag-not-signed "$unsigned"
ends 0 crivet status --would-refuse
ends 0 crivet verify "$web"
ends 1 crivet verify "$unsigned"
expect_like "the way out" "*what now*" "$said"

step "kubelet beside: pointed at crivet by its drop-in, and back; who uses containerd's socket is not guarded"
make_kubelet
kubelet_runs 0 "$unsigned"
kubelet_at "$usual" rmi "$unsigned" >/dev/null
mkdir "$machine_root/etc/systemd/system/kubelet.service.d"
cp "$root/systemd/kubernetes/kubelet-crivet.conf" "$machine_root/etc/systemd/system/kubelet.service.d/20-crivet.conf"
ends 0 systemctl daemon-reload
kubelet_runs 0 "$web"
kubelet_runs 1 "$unsigned"
expect_like "what kubelet shows" "*SignatureValidationFailed: *, tag-not-signed]*" "$(journal -u kubelet)"
expect_like "the order" "*crivet.socket*" "$(property kubelet After)"
rm -r "$machine_root/etc/systemd/system/kubelet.service.d"
ends 0 systemctl daemon-reload
kubelet_runs 0 "$unsigned"
kubelet_at "$usual" rmi "$unsigned" >/dev/null
remove_kubelet

step "the image calls alone: status shows that no container is made through crivet"
ends 0 systemctl restart crivet
kubelet_at "$beside" pull "$web" >/dev/null
expect "a container past it" hello "$(kubelet_at "$usual" run "$web")"
ends 1 crivet status
expect_like "status" "DEGRADED: only image calls are seen: CreateContainer goes past crivet*calls seen: *PullImage 1"$'\n'"*" "$said"

step "secrets that others can read are refused"
echo '{"auths": {}}' >"$machine_root/etc/crivet/docker.json"
sed -i 's,^auth = .*,auth = "/etc/crivet/docker.json",' "$machine_root/etc/crivet/config.toml"
in_machine chmod 0644 /etc/crivet/docker.json
ends 78 crivet check
expect_like "check" '/etc/crivet/config.toml:*/etc/crivet/docker.json*' "$said"
in_machine chgrp crivet /etc/crivet/docker.json
in_machine chmod 0640 /etc/crivet/docker.json
ends 0 crivet check
reload
write_config enforce
reload
in_machine rm /etc/crivet/docker.json

step "takeover refuses while another unit needs the socket, and changes nothing"
keep_state beside
printf '[Service]\nExecStart=/bin/sleep 1d\nEnvironment=OPTIONS=--containerd=%s\n' "$usual" \
  >"$machine_root/etc/systemd/system/docker.service"
ends 0 systemctl daemon-reload
ends 0 systemctl start docker
ends 70 crivet takeover
expect_like "the refusal" "*docker.service uses $usual*point it at $moved*" "$said"
ends 0 systemctl stop docker
printf '[Install]\nWantedBy=multi-user.target\n' >>"$machine_root/etc/systemd/system/docker.service"
ends 0 systemctl enable docker
ends 70 crivet takeover
expect_like "the refusal" "*docker.service uses $usual*" "$said"
ends 0 systemctl disable docker
rm "$machine_root/etc/systemd/system/docker.service"
ends 0 systemctl daemon-reload
expect_state beside
expect "containerd's process" "$containerd_pid" "$(property containerd MainPID)"

step "takeover that fails puts everything back by itself"
# crivet would call itself: it does not start there.
sed -i "1i image_upstream = \"$usual\"" "$machine_root/etc/crivet/config.toml"
ends 70 crivet takeover
expect_like "the failure" "*putting everything back*" "$said"
write_config enforce
ends 0 systemctl restart crivet
expect_state beside
expect_like "the usual socket" "containerd *" "$(kubelet_at "$usual" version)"

step "takeover that is killed at any moment is undone by release"
for pause in 0.05 0.2 0.4 0.8 1.2; do
  in_machine timeout --signal=KILL "$pause" crivet takeover >/dev/null 2>&1 || true
  ends 0 crivet release
  expect_state beside
  kubelet_at "$usual" --deadline 20000 status --ready >/dev/null
done

step "check refuses a set-up in which both would use the path"
mkdir -p "$machine_root/etc/systemd/system/crivet.socket.d"
printf '[Socket]\nListenStream=\nListenStream=%s\n' "$usual" >"$machine_root/etc/systemd/system/crivet.socket.d/mine.conf"
ends 0 systemctl daemon-reload
ends 78 crivet check
expect_like "check" "*crivet and containerd would both listen on $usual: \"crivet takeover\" moves containerd first*" "$said"
rm -r "$machine_root/etc/systemd/system/crivet.socket.d"
ends 0 systemctl daemon-reload
ends 0 crivet check

step "takeover: kubelet's, cAdvisor's and people's calls at the usual path"
expect "the container" running "$(container_state "$usual" "$server")"
# One that has been pointed at the new path is in nobody's way.
printf '[Service]\nExecStart=/bin/sleep 1d\nEnvironment=OPTIONS=--containerd=%s\n' "$moved" \
  >"$machine_root/etc/systemd/system/docker.service"
ends 0 systemctl daemon-reload
ends 0 systemctl start docker
ends 0 crivet takeover
step "  $(tail -n 3 <<<"$said" | head -n 1)"
ends 0 systemctl stop docker
rm "$machine_root/etc/systemd/system/docker.service"
ends 0 systemctl daemon-reload
ends 70 crivet takeover
expect_like "a second takeover" "*in place already*crivet release*" "$said"
expect "containerd's path" "$moved" "$(ss -lxnHp | awk '/"containerd"/ && $5 ~ "^/run/containerd/.*[.]sock$" { print $5 }')"
expect "the container" running "$(container_state "$usual" "$server")"
expect "the container's process" "$server_pid" "$(pgrep -f '^/bin/sleep 100000')"
expect "a signed image" hello "$(kubelet_at "$usual" run "$web")"
expect_refused "$usual" tag-not-signed "$unsigned"
for call in version.v1.Version/Version containers.v1.Containers/List tasks.v1.Tasks/List; do
  kubelet_at "$usual" --metadata containerd-namespace=k8s.io raw "/containerd.services.$call" >/dev/null || fail "cAdvisor's $call"
done
ends 1 ctr --address "$usual" --namespace k8s.io images tag "$web" "$registry/shop/mine:1"
expect_like "what people are told" "*containerd's own API is at $moved*" "$said"
ends 0 ctr --address "$moved" --namespace k8s.io images list --quiet
ends 0 crivet check
ends 0 crivet status
# A shim that ran before the move reports its exit to the ttrpc path that it knows.
kubelet_at "$usual" stop "$short" >/dev/null
expect "the stopped container" exited "$(container_state "$usual" "$short")"

expect_like "by fields of the journal" "crivet * serves $usual" "$(journal "CRIVET_UPSTREAM=$moved")"
expect_like "by fields of the journal" "*$unsigned*tag-not-signed*" "$(journal CRIVET_VERDICT=deny --lines=1)"

step "restart, reload and upgrade under a load of calls: none is refused"
begin_load "$usual"
for _ in 1 2 3; do ends 0 systemctl restart crivet; done
end_load "three restarts"

# `drain` is 5 s: who takes longer is told to come again, and nobody waits longer than that and a start.
begin_load "$usual"
begin_long_pull
begin_call exec exec "$server" /bin/sleep 2.5
wait_until 10 "the command in the container" pgrep -f '^/bin/sleep 2.5'
ends 0 systemctl restart crivet
end_call exec
expect "a command that was running" "exit 0" "$said"
pull_again
end_load "a restart in the middle of a long pull"
slowest_below 7000

begin_load "$usual"
begin_long_pull
part_start restart in_machine systemctl restart crivet
wait_until 10 "the end to begin" is_stopping
fast_network
end_call pull
expect_like "a pull that ends in time" "sha256:*exit 0" "$said"
wait_until 10 "the restart" not part_runs restart
kubelet_at "$usual" image-status "$large" | grep -qxF "  $large" || fail "the pull has left no tag"
kubelet_at "$usual" rmi "$large" >/dev/null
end_load "a restart at the end of a long pull"
slowest_below 7000

begin_load "$usual"
for mode in audit enforce audit enforce audit; do
  write_config "$mode"
  reload
done
end_load "five reloads"
write_config enforce
reload
begin_load "$usual"
begin_long_pull
ends 0 apt-get install --yes --no-install-recommends /root/next/crivet_0.1.1_amd64.deb
pull_again
end_load "an upgrade in the middle of a long pull"
slowest_below 7000
expect "the installed version" 0.1.1 "$(in_machine dpkg-query --show crivet | cut -f 2)"
expect_like "the rules after it" '*name = "acme"*' "$(cat "$machine_root/etc/crivet/config.toml")"
expect_refused "$usual" tag-not-signed "$unsigned"

step "a broken file keeps the old rules whole, in place too"
sed -i '1i listne = 1' "$machine_root/etc/crivet/config.toml"
ends 1 systemctl reload crivet
expect_like "the journal" "*kept the old configuration: *listne*" "$(journal -u crivet --lines=20)"
expect_refused "$usual" tag-not-signed "$unsigned"
expect_like "containerd behind it" "containerd *" "$(kubelet_at "$usual" version)"
write_config enforce
reload

step "an error without crivet's words is the runtime's own"
if said=$(kubelet_at "$usual" pull registry.k8s.io/nowhere:1 2>&1); then fail "pulled what is not there"; fi
expect_like "a missing image" "ErrImagePull: *registry.k8s.io/nowhere:1*not found*" "$said"

step "all pods, at once: audit mode stops the refusals"
write_config audit
reload
expect "an unsigned image" other "$(kubelet_at "$usual" run "$unsigned")"
write_config enforce
reload
kubelet_at "$usual" rmi "$unsigned" >/dev/null
expect_refused "$usual" tag-not-signed "$unsigned"

step "break glass: one image, until then, audited on every use"
write_config enforce
until=$(date -u -d '+4 seconds' +%FT%TZ)
cat >>"$machine_root/etc/crivet/config.toml" <<TOML
[[rule]]
name = "broken glass"
images = ["${unsigned%:*}"]
action = "allow"
until = $until
reason = "INC-4711"
TOML
ends 0 crivet check
reload
expect "an unsigned image" other "$(kubelet_at "$usual" run "$unsigned")"
ends 0 crivet status
expect_like "status" "*broken glass *until $until*" "$said"
expect_like "the audit line" "*$unsigned*INC-4711*" "$(journal -u crivet --grep INC-4711 | tail -n 1)"
wait_until 10 "the end of the rule" not kubelet_at "$usual" run "$unsigned"
expect_refused "$usual" tag-not-signed "$unsigned"
ends 0 crivet check
expect_like "a rule that is over" "*until = $until is past: the rule does nothing*" "$said"

step "check finds rules that tie, and rules that never match"
write_config enforce
printf '[[rule]]\nname = "%s"\nimages = ["%s"]\naction = "allow"\n' twin "$registry/**" \
  >>"$machine_root/etc/crivet/config.toml"
ends 78 crivet check
expect_like "a tie" '/etc/crivet/config.toml:*"twin"*' "$said"
write_config enforce
printf '[[rule]]\nname = "%s"\nimages = ["%s"]\naction = "allow"\n' lost 'a.example/**' deep 'a.example/*/**' shallow 'a.example/*' \
  >>"$machine_root/etc/crivet/config.toml"
ends 0 crivet check
expect_like "an unreachable rule" '*/etc/crivet/config.toml:*: rule "lost" never matches: more specific rules cover all its names*' "$said"
write_config enforce
reload

step "killed twenty times: the door stays open"
for _ in {1..20}; do
  pid=$(property crivet MainPID)
  signal KILL crivet
  kubelet_at "$usual" version >/dev/null
  wait_until 10 "the next process" next_process "$pid"
done
expect "a signed image" hello "$(kubelet_at "$usual" run "$web")"

step "the watchdog ends a daemon that hangs"
pid=$(property crivet MainPID)
signal STOP crivet
hung_since=$SECONDS
wait_until 60 "the watchdog" next_process "$pid"
kubelet_at "$usual" version >/dev/null
step "  after $((SECONDS - hung_since)) s"
expect_like "the journal" "*Watchdog timeout*" "$(journal -u crivet --lines=50)"

step "containerd restarts, and is killed, behind crivet"
ends 0 systemctl restart containerd
# It listens a moment before it is initialized, and says so to whoever asks.
wait_until 20 "containerd to be initialized" kubelet_at "$usual" status --ready
signal KILL containerd
wait_until 30 "containerd to be back" kubelet_at "$usual" status --ready
expect "the container" running "$(container_state "$usual" "$server")"
expect "the container's process" "$server_pid" "$(pgrep -f '^/bin/sleep 100000')"
expect_refused "$usual" tag-not-signed "$unsigned"

step "release: everything as it was before takeover"
ends 0 crivet release
# But for what crivet has learnt meanwhile.
learnt=/var/lib/crivet/repositories/
expect_state beside "$learnt"
expect_like "the usual socket" "containerd *" "$(kubelet_at "$usual" version)"
expect "the container" running "$(container_state "$usual" "$server")"
ends 0 crivet release

step "recovery by hand, without the program"
ends 0 crivet takeover
ends 0 sh -c "$(page_says "the same by hand:")"
wait_until 20 "containerd at its own path" kubelet_at "$usual" status --ready
ends 0 systemctl start crivet.socket crivet.service
expect_state beside "$learnt"

step "containerd's own group opens crivet's socket, and crivet containerd's"
keep_state own-group
cp "$machine_root/etc/containerd/config.toml" "$node_dir/containerd.toml"
gid=$(in_machine stat -c %g /etc/shadow)
printf '[grpc]\n  gid = %s\n' "$gid" >>"$machine_root/etc/containerd/config.toml"
ends 0 systemctl restart containerd
expect "containerd's socket" "0:$gid 660" "$(in_machine stat -c '%u:%g %a' "$usual")"
# Beside, the group comes by a drop-in.
if kubelet_at "$beside" version 2>/dev/null; then fail "crivet opens a socket of another group"; fi
mkdir "$machine_root/etc/systemd/system/crivet.service.d"
printf '[Service]\nSupplementaryGroups=%s\n' "$gid" >"$machine_root/etc/systemd/system/crivet.service.d/group.conf"
ends 0 systemctl daemon-reload
ends 0 systemctl restart crivet
kubelet_at "$beside" version >/dev/null
rm -r "$machine_root/etc/systemd/system/crivet.service.d"
ends 0 systemctl daemon-reload
ends 0 systemctl restart crivet
# In place, by itself.
ends 0 crivet takeover
expect "crivet's socket" "0:$gid 660" "$(in_machine stat -c '%u:%g %a' "$usual")"
expect "containerd's socket" "0:$gid 660" "$(in_machine stat -c '%u:%g %a' "$moved")"
expect_refused "$usual" tag-not-signed "$unsigned"
ends 0 crivet release
cp "$node_dir/containerd.toml" "$machine_root/etc/containerd/config.toml"
ends 0 systemctl restart containerd
wait_until 20 "containerd" kubelet_at "$usual" status --ready
expect_state own-group

step "the state is small, and may be deleted: the next start reads everything anew"
ends 0 sh -c 'du -sk /var/lib/crivet/repositories/* | cut -f 1 | sort -n | tail -n 1'
[[ $said -le 40 ]] || fail "a repository takes $said KiB"
ends 0 systemctl stop crivet.service
in_machine rm -r /var/lib/crivet
ends 0 systemctl start crivet.service
expect "a signed image" hello "$(kubelet_at "$beside" run "$web")"
expect_refused "$beside" tag-not-signed "$unsigned"

step "a reboot keeps the place"
ends 0 crivet takeover
# As kubelet leaves a node that is told to go down.
while read -r pod _; do kubelet_at "$usual" stop-pod "$pod"; done < <(kubelet_at "$usual" pods)
machine_reboot
kubelet_at "$usual" --deadline 20000 status --ready >/dev/null
expect "a signed image" hello "$(kubelet_at "$usual" run "$web")"
expect_refused "$usual" tag-not-signed "$unsigned"
kubelet_at "$usual" pull "$registry/shop/server:1.0" >/dev/null
server=$(start_server server 100000)
server_pid=$(pgrep -f "^/bin/sleep 100000")

step "removal gives the socket back, purge leaves nothing"
ends 0 apt-get remove --yes crivet
expect_like "the usual socket" "containerd *" "$(kubelet_at "$usual" version)"
expect "the rules" yes "$(in_machine test -e /etc/crivet/config.toml && echo yes)"
ends 0 apt-get purge --yes crivet
# Debian keeps a package's user: what it wrote must not become somebody else's.
expect_state before '/etc/(passwd|shadow|group|gshadow)-?( |$)|/etc/\.(pwd\.lock|updated)'
expect "the container" running "$(container_state "$usual" "$server")"
expect "the container's process" "$server_pid" "$(pgrep -f '^/bin/sleep 100000')"

step "the tarball: the same, by the page's commands"
cp "$(package_folder)"/crivet-*.tar.gz "$machine_root/root/"
ends 0 sh -ec "cd /root; $(page_says "other distributions")"
for unit in crivet.socket crivet.service; do
  expect "$unit" active "$(property "$unit" ActiveState)"
  expect "$unit at boot" enabled "$(property "$unit" UnitFileState)"
done
expect "the configuration's owner" "root:crivet 640" "$(in_machine stat -c '%U:%G %a' /etc/crivet/config.toml)"
expect "audit mode" other "$(kubelet_at "$beside" run "$unsigned")"
ends 0 crivet takeover
expect "audit mode" other "$(kubelet_at "$usual" run "$unsigned")"
ends 0 sh -ec "cd /root; $(page_says "takes it out again")"
expect "what is left of it" "" "$(in_machine find /etc /usr /var/lib -xdev -name '*crivet*' -not -path '/var/lib/systemd/*')"
expect "the container" running "$(container_state "$usual" "$server")"
expect_like "the usual socket" "containerd *" "$(kubelet_at "$usual" version)"
step "nothing is left"
