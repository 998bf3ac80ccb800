#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Kubernetes manifests, as far as they go without a cluster: kubectl knows every field, and the DaemonSet's containers
# run on a booted machine as kubelet would run them, as root of the node, with a ConfigMap's folder. They install crivet,
# follow the rules, keep the old ones where the new ones are wrong, and upgrade it through itself.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
machine_package
node_enter "$@"

usual=/run/containerd/containerd.sock
unsigned=$registry/shop/web:unsigned
node_image=platform/crivet-node
volume=/var/lib/kubelet/pods/rules  # where kubelet keeps a ConfigMap's files
config=/etc/crivet/config.toml

step() { say "$(printf '%3d s  %s' "$SECONDS" "$*")"; }
manifest() { python3 "$root/tests/support/kubelet/pod_of_manifest.py" "$@"; }

# kubectl without a cluster.
kubectl_alone() { KUBECONFIG=/dev/null "$(parts_root)/usr/bin/kubectl" "$@"; }

# manifest_as_written FILE, manifest_as_typed FILE: as JSON; typed is what is left when the API's types have read it.
manifest_as_written() { kubectl_alone label --local --dry-run=client -f "$1" none- -o json; }
manifest_as_typed() { kubectl_alone set env --local -f "$1" READ=1 -o json 2>"$node_dir/log/kubectl.log" || [[ $? == 1 ]]; }

# knows FILE: kubectl knows every field of it.
knows() {
  manifest_as_written "$1" >"$node_dir/written.json" && manifest_as_typed "$1" >"$node_dir/typed.json" &&
    manifest compare "$node_dir/written.json" "$node_dir/typed.json"
}

# push_node_image VERSION PACKAGE: as dist makes it, with no engine.
push_node_image() {
  "$root/systemd/agent_image" "$2" "$node_dir/agent" >"$node_dir/agent-digest"
  skopeo --insecure-policy copy --quiet --preserve-digests --dest-tls-verify=false \
    "oci-archive:$(echo "$node_dir/agent/crivet-node-$1"-linux-*.oci.tar)" "docker://$registry/$node_image:$1"
}

# config_map FILE: the ConfigMap says that now; kubelet swaps a link, so that no reader sees half of it.
config_map() {
  local folder=$machine_root$volume now
  now=..$(date +%s.%N)
  mkdir -p "$folder/$now"
  cp "$1" "$folder/$now/config.toml"
  ln -s "$now" "$folder/..data_tmp"
  mv -T "$folder/..data_tmp" "$folder/..data"
  ln -sfn ..data/config.toml "$folder/config.toml"
}

# cri METHOD MESSAGE: the answer, as JSON.
cri() { kubelet_at "$usual" --json call "/runtime.v1.$1" "$2"; }
json() { python3 -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }

# start_container UID POD CONTAINER: pulled, made and started as the manifest says; prints its ID.
start_container() {
  local id container image
  image=$(manifest image "$manifest" "$3")
  id=$(kubelet_at "$usual" pull "$image") || return
  container=$(cri RuntimeService/CreateContainer \
    "$(manifest create "$manifest" "$1" "$3" "$2" "$id" "host=/" "rules=$volume")" | json container_id) || return
  kubelet_at "$usual" start "$container" >/dev/null
  echo "$container"
}

# start_pod UID: the init container has done its work, the other follows the rules.
start_pod() {
  local installing
  mkdir -p "$machine_root/var/log/pods/crivet_crivet-node_$1"
  pod=$(cri RuntimeService/RunPodSandbox "$(manifest sandbox "$manifest" "$1")" | json pod_sandbox_id)
  installing=$(start_container "$1" "$pod" install)
  wait_until 60 "the init container" ended "$installing"
  step "  $(agent_says "$1" install | grep crivet-node-agent: | head -n 1)"
  # JSON leaves out what is zero.
  if kubelet_at "$usual" --json inspect "$installing" | grep '"exit_code"'; then
    fail "the init container: $(agent_says "$1" install)"
  fi
  following=$(start_container "$1" "$pod" rules)
  agent_uid=$1 said_before=0
}
ended() { kubelet_at "$usual" --json inspect "$1" | grep -q CONTAINER_EXITED; }
agent_says() { cut -d ' ' -f 4- "$machine_root/var/log/pods/crivet_crivet-node_$1/$2.log" 2>/dev/null; }
# What it says of the rules since the ConfigMap has changed.
agent_says_now() { agent_says "$agent_uid" rules | tail -n "+$((said_before + 1))"; }
agent_said() { [[ $(agent_says_now) == *"$1"* ]]; }

# rules_of MODE [MORE]: signed images, and the image of the DaemonSet itself.
rules_of() {
  cat <<TOML
mode = "$1"
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
[gate]
sandbox_image = "$pause_image"
${2:-}
TOML
}
own_rule='[[rule]]
name = "crivet itself"
images = ["registry.acme.example/platform/crivet-node"]
action = "allow"'

manifest=$node_dir/daemonset.json
daemonset=$root/systemd/kubernetes/daemonset.yaml

step "kubectl knows every field of the manifests"
knows "$daemonset" || fail "kubectl does not know: $(knows "$daemonset" 2>&1)"
sed 's/hostPID/hostPid/' "$daemonset" >"$node_dir/wrong.yaml"
if knows "$node_dir/wrong.yaml" 2>/dev/null; then fail "a wrong field is not noticed"; fi
manifest_as_written "$daemonset" >"$manifest"
manifest configmap "$manifest" config.toml >"$node_dir/shipped.toml"
crivet check --config "$node_dir/shipped.toml" >/dev/null || fail "the manifest's own rules are wrong"

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_image other /bin/echo other
push_signed web shop/web 1.0
push other shop/web:unsigned

step "the image of package and agent, in two versions, as dist makes it"
push_node_image 0.1.0 "$(echo "$(package_folder)"/crivet_*.deb)"
imported=$(cat "$node_dir/agent-digest")
BUSYBOX=$(parts_root)/bin/busybox "$root/systemd/agent_image" "$(echo "$(package_folder)"/crivet_*.deb)" "$node_dir/again" >/dev/null
cmp "$node_dir"/agent/*-0.1.0-*.tar "$node_dir"/again/*.tar || fail "packed again it is another image"
machine_next_package "$node_dir/next" 0.1.1
push_node_image 0.1.1 "$(echo "$node_dir"/next/crivet_*.deb)"

machine_prepare
machine_containerd
mkdir -p "$machine_root/etc/acme"
cp "$node_dir/tls/ca.crt" "$machine_root/etc/acme/notary-ca.crt"
machine_boot
kubelet_at "$usual" --deadline 20000 status --ready >/dev/null
step "booted: $(kubelet_at "$usual" version)"
cp "$node_dir"/again/*.tar "$machine_root/root/agent.oci.tar"
ends 0 ctr -n k8s.io images import /root/agent.oci.tar
ends 0 ctr -n k8s.io images list
expect_like "imported from the archive" "*localhost/crivet-node:0.1.0 *$imported*" "$said"

step "the pod installs crivet and takes the manifest's rules"
config_map "$node_dir/shipped.toml"
start_pod first
wait_until 30 "the rules" agent_said "took new rules"
for unit in crivet.socket crivet.service; do expect "$unit" active "$(property "$unit" ActiveState)"; done
cmp "$machine_root$config" "$node_dir/shipped.toml" || fail "the node has other rules than the ConfigMap"
expect "the file's owner" "root:crivet 640" "$(in_machine stat -c '%U:%G %a' "$config")"
ends 0 crivet status
expect_like "the daemon's rules" "*crivet itself *allow*" "$said"
ends 0 crivet takeover
expect "audit mode" other "$(kubelet_at "$usual" run "$unsigned")"
kubelet_at "$usual" rmi "$unsigned" >/dev/null

# after_swap FILE TEXT: the ConfigMap is changed, and that is what the agent says of it.
after_swap() {
  said_before=$(agent_says "$agent_uid" rules | wc -l)
  config_map "$1"
  wait_until 30 "the agent to see the ConfigMap" agent_said "$2"
}
refuses() {
  local got
  if got=$(kubelet_at "$usual" "$3" "$2" 2>&1); then fail "$2 is not refused: $got"; fi
  expect_like "$2" "*, $1]" "$got"
}

step "new rules are in force, wrong ones never"
rules_of enforce >"$node_dir/rules.toml"
after_swap "$node_dir/rules.toml" "took new rules"
refuses tag-not-signed "$unsigned" run
sed '1i listne = 1' "$node_dir/rules.toml" >"$node_dir/wrong.toml"
sed -i 's/"enforce"/"audit"/' "$node_dir/wrong.toml"
after_swap "$node_dir/wrong.toml" "kept the old rules"
expect_like "why" '*unknown key "listne"*' "$(agent_says_now)"
cmp "$machine_root$config" "$node_dir/rules.toml" || fail "wrong rules are on the node"
refuses tag-not-signed "$unsigned" run

step "neither are those that a running daemon cannot take"
sed '1i state_dir = "/var/lib/elsewhere"' "$node_dir/rules.toml" >"$node_dir/wrong.toml"
after_swap "$node_dir/wrong.toml" "kept the old rules"
wait_until 10 "why" agent_said '"state_dir" has changed, which needs a restart'
cmp "$machine_root$config" "$node_dir/rules.toml" || fail "rules that the daemon refused are on the node"
expect "files beside them" $'conf.d\nconfig.toml' "$(in_machine ls -A /etc/crivet | grep -v containerd)"
refuses tag-not-signed "$unsigned" run

step "without a rule of its own the next version is refused"
sed -i "s,:0.1.0\",:0.1.1\"," "$manifest"
refuses no-trust-data "$(manifest image "$manifest" install)" pull

step "with one crivet is upgraded through itself, one pod after the other"
rules_of enforce "$own_rule" >"$node_dir/rules.toml"
after_swap "$node_dir/rules.toml" "took new rules"
kubelet_at "$usual" stop "$following" >/dev/null
kubelet_at "$usual" stop-pod "$pod" >/dev/null
pid=$(property crivet MainPID)
start_pod second
expect "the installed version" 0.1.1 "$(in_machine dpkg-query --show crivet | cut -f 2)"
[[ $(property crivet MainPID) != "$pid" ]] || fail "the old program still runs"
cmp "$machine_root$config" "$node_dir/rules.toml" || fail "the upgrade changed the rules"
expect "a signed image" hello "$(kubelet_at "$usual" run "$registry/shop/web:1.0")"
refuses tag-not-signed "$unsigned" run

step "a node that has it all is left alone"
kubelet_at "$usual" stop "$following" >/dev/null
kubelet_at "$usual" stop-pod "$pod" >/dev/null
pid=$(property crivet MainPID)
start_pod third
expect_like "the agent" "*crivet 0.1.1 is installed*" "$(agent_says third install)"
expect "crivet's process" "$pid" "$(property crivet MainPID)"
step "done"
