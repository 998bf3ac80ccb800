#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Kubernetes manifests, as far as they go without a cluster: kustomize makes them, kubectl knows every field, and the
# DaemonSets' containers run on a booted machine as kubelet would run them, with a ConfigMap's folder. They install crivet,
# put it in place and take it out again, follow the rules, keep the old ones where the new ones are wrong, let Prometheus
# in, and upgrade crivet through itself.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
machine_package
# The kustomize of Debian 12's knows no components.
[[ -n $node_dir || $(id -u) != 0 ]] || unpack_apart kubectl
node_enter "$@"

usual=/run/containerd/containerd.sock
unsigned=$registry/shop/web:unsigned
node_image=platform/crivet-node
volume=/var/lib/kubelet/pods/rules  # where kubelet keeps a ConfigMap's files
config=/etc/crivet/config.toml

step() { say "$(printf '%3d s  %s' "$SECONDS" "$*")"; }
manifest() { python3 "$root/tests/support/kubelet/pod_of_manifest.py" "$@"; }

# kustomized OVERLAY: as YAML.
kustomized() { "$parts_dir/kubectl/usr/bin/kubectl" kustomize "$kustomize/$1"; }

# kubectl without a cluster, of the oldest release that is served.
kubectl_alone() { KUBECONFIG=/dev/null "$(parts_root)/usr/bin/kubectl" "$@"; }

# manifest_as_written FILE, manifest_as_typed FILE: as JSON; typed is what is left when the API's types have read it.
manifest_as_written() { kubectl_alone label --local --dry-run=client -f "$1" none- -o json; }
manifest_as_typed() { kubectl_alone set serviceaccount --local -f "$1" nobody -o json 2>"$node_dir/log/kubectl.log"; }

# knows FILE: kubectl knows every field of it; as JSON it is $node_dir/written.json.
knows() {
  manifest_as_written "$1" >"$node_dir/written.json" && manifest daemonsets "$node_dir/written.json" >"$node_dir/pods.json" &&
    manifest_as_typed "$node_dir/pods.json" >"$node_dir/typed.json" &&
    manifest compare "$node_dir/written.json" "$node_dir/typed.json"
}

# on_a_node FOLDER: what the agent makes of a ConfigMap's files.
on_a_node() {
  local file
  rm -rf "$node_dir/node-etc" && mkdir -p "$node_dir/node-etc/conf.d"
  for file in "$1"/*; do
    case ${file##*/} in
      config.toml) cp "$file" "$node_dir/node-etc/" ;;
      *.toml) cp "$file" "$node_dir/node-etc/conf.d/cluster-${file##*/}" ;;
    esac
  done
}

# push_node_image VERSION PACKAGE: as dist makes it, with no engine.
push_node_image() {
  "$root/systemd/agent_image" "$2" "$node_dir/agent" >"$node_dir/agent-digest"
  skopeo --insecure-policy copy --quiet --preserve-digests --dest-tls-verify=false \
    "oci-archive:$(echo "$node_dir/agent/crivet-node-$1"-linux-*.oci.tar)" "docker://$registry/$node_image:$1"
}

# config_map FOLDER: the ConfigMap has these files now; kubelet swaps a link, so that no reader sees half of it.
config_map() {
  local folder=$machine_root$volume now file
  now=..$(date +%s.%N)
  mkdir -p "$folder/$now"
  cp "$1"/* "$folder/$now/"
  ln -s "$now" "$folder/..data_tmp"
  mv -T "$folder/..data_tmp" "$folder/..data"
  find "$folder" -maxdepth 1 -type l ! -name '..*' -delete
  for file in "$1"/*; do ln -s "..data/${file##*/}" "$folder/${file##*/}"; done
}

# cri METHOD MESSAGE: the answer, as JSON.
cri() { kubelet_at "$usual" --json call "/runtime.v1.$1" "$2"; }
json() { python3 -c "import json,sys; print(json.load(sys.stdin)['$1'])"; }

# start_container DAEMONSET UID POD CONTAINER [FIELD=VALUE]: pulled, made and started as the manifest says; prints its ID.
start_container() {
  local id container image set=$manifest#$1
  image=$(manifest image "$set" "$4")
  id=$(kubelet_at "$usual" pull "$image") || return
  container=$(cri RuntimeService/CreateContainer \
    "$(manifest create "$set" "$2" "$4" "$3" "$id" "host=/" "rules=$volume" "${@:5}")" | json container_id) || return
  kubelet_at "$usual" start "$container" >/dev/null
  echo "$container"
}
# start_sandbox DAEMONSET UID: prints its ID.
start_sandbox() {
  mkdir -p "$machine_root/var/log/pods/crivet_$1_$2"
  cri RuntimeService/RunPodSandbox "$(manifest sandbox "$manifest#$1" "$2")" | json pod_sandbox_id
}
# start_alone DAEMONSET CONTAINER [FIELD=VALUE]: a pod of one container; $alone is its ID.
start_alone() {
  alone=$(start_sandbox "$1" "$1")
  start_container "$1" "$1" "$alone" "${@:2}" >/dev/null
}

# start_pod UID: the init container has done its work, the other follows the rules.
start_pod() {
  local installing
  pod=$(start_sandbox crivet-node "$1")
  installing=$(start_container crivet-node "$1" "$pod" install)
  wait_until 60 "the init container" ended "$installing"
  step "  $(agent_says "$1" install | grep crivet-node-agent: | head -n 1)"
  # JSON leaves out what is zero.
  if kubelet_at "$usual" --json inspect "$installing" | grep '"exit_code"'; then
    fail "the init container: $(agent_says "$1" install)"
  fi
  following=$(start_container crivet-node "$1" "$pod" rules)
  agent_uid=$1 said_before=0
}
ended() { kubelet_at "$usual" --json inspect "$1" | grep -q CONTAINER_EXITED; }
# agent_says UID CONTAINER [DAEMONSET]
agent_says() { cut -d ' ' -f 4- "$machine_root/var/log/pods/crivet_${3:-crivet-node}_$1/$2.log" 2>/dev/null; }
placed() { [[ $(agent_says "crivet-$1" "$1" "crivet-$1") == *"crivet $2: done"* ]]; }
# What it says of the rules since the ConfigMap has changed.
agent_says_now() { agent_says "$agent_uid" rules | tail -n "+$((said_before + 1))"; }
agent_said() { [[ $(agent_says_now) == *"$1"* ]]; }

# rules_of MODE: signed images.
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
TOML
}
# scraped: what Prometheus gets of the node, as its status and whether crivet's metrics are in it.
serves_metrics() { (: <"/dev/tcp/127.0.0.2/9478") 2>/dev/null; }
scraped() {
  python3 - <<'PY'
import urllib.error, urllib.request
try:
    with urllib.request.urlopen("http://127.0.0.2:9478/cgi-bin/metrics", timeout=10) as answer:
        text = answer.read().decode()
        print(answer.status, answer.headers["Content-Type"], "crivet_build_info" in text and text.endswith("\n"))
except urllib.error.HTTPError as error:
    print(error.code)
PY
}

manifest=$node_dir/acme.json
kustomize=$node_dir/kubernetes
acme=$kustomize/acme
cp -r "$root/systemd/kubernetes" "$kustomize"
mkdir "$acme"
# As the operations page says.
sed -n '/^apiVersion: kustomize/,/^```/p' "$root/systemd/README.md" | grep -v '```' >"$acme/kustomization.yaml"
printf '[[rule]]\nname = "acme"\nimages = ["registry.acme.example/shop/**"]\naction = "deny"\n' >"$acme/acme.toml"

step "kustomize makes the manifests, kubectl knows every field, and they fit each other"
kustomized base >"$node_dir/base.yaml"
for overlay in audit acme; do
  # The cluster's own has every object that there is.
  folder=overlays/audit mode=audit
  [[ $overlay == audit ]] || folder=acme mode=enforce
  kustomized "$folder" >"$node_dir/$overlay.yaml"
  knows "$node_dir/$overlay.yaml" || fail "$overlay: kubectl does not know: $(knows "$node_dir/$overlay.yaml" 2>&1)"
  manifest fits "$node_dir/written.json" || fail "$overlay does not fit together"
  mkdir -p "$node_dir/maps/$overlay"
  manifest configmap "$node_dir/written.json" "$node_dir/maps/$overlay"
  on_a_node "$node_dir/maps/$overlay"
  crivet check --config "$node_dir/node-etc/config.toml" >"$node_dir/log/check.log" 2>&1 ||
    fail "$overlay: $(cat "$node_dir/log/check.log")"
  expect "the mode of $overlay" "mode = \"$mode\"" "$(grep ^mode "$node_dir/node-etc/config.toml")"
done
cmp "$node_dir/base.yaml" "$node_dir/audit.yaml" || fail "the base by itself is not in audit mode"
grep -q 'mode = "enforce"' <(kustomized overlays/in-place) || fail "in place by itself is in audit mode"
cp "$node_dir/written.json" "$manifest"
expect "the DaemonSets of a whole fleet" "crivet-beside crivet-in-place crivet-metrics crivet-node" \
  "$(manifest daemonsets "$manifest" | python3 -c 'import json, sys; print(*sorted(json.loads(l)["metadata"]["name"] for l in sys.stdin))')"
sed 's/hostPID/hostPid/' "$node_dir/acme.yaml" >"$node_dir/wrong.yaml"
if knows "$node_dir/wrong.yaml" 2>/dev/null; then fail "a wrong field is not noticed"; fi
sed 's/"targetPort": "metrics"/"targetPort": "metric"/' "$manifest" >"$node_dir/wrong.json"
if manifest fits "$node_dir/wrong.json" 2>/dev/null; then fail "a port that no pod has is not noticed"; fi
shipped=$node_dir/maps/audit

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
config_map "$shipped"
start_pod first
wait_until 30 "the rules" agent_said "took new rules"
for unit in crivet.socket crivet.service; do expect "$unit" active "$(property "$unit" ActiveState)"; done
# has_rules FOLDER: the node has what the ConfigMap has, and nothing else.
has_rules() {
  on_a_node "$1"
  diff -r --exclude 'containerd*' --exclude own.toml "$node_dir/node-etc" "$machine_root/etc/crivet"
}
has_rules "$shipped" || fail "the node has other rules than the ConfigMap"
expect "the file's owner" "root:crivet 640" "$(in_machine stat -c '%U:%G %a' "$config")"
expect "its neighbours' owner" "root:root 755 root:root 644" \
  "$(in_machine stat -c '%U:%G %a' /etc/crivet/conf.d /etc/crivet/conf.d/cluster-crivet.toml | xargs)"
ends 0 crivet status
expect_like "the daemon's rules" "*crivet itself *allow*" "$said"

step "with the label crivet is put in place"
start_alone crivet-in-place in-place
wait_until 60 "the takeover" placed in-place takeover
placing=$alone
ends 0 crivet status
expect_like "the place" "*in place*" "$said"
expect "audit mode" other "$(kubelet_at "$usual" run "$unsigned")"
kubelet_at "$usual" rmi "$unsigned" >/dev/null

step "Prometheus is let in by a pod without rights"
start_alone crivet-metrics metrics status.hostIP=127.0.0.2
wait_until 30 "its port" serves_metrics
expect "a scrape" "200 text/plain; version=0.0.4 True" "$(scraped)"

# after_swap FOLDER TEXT: the ConfigMap is changed, and that is what the agent says of it.
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

step "new rules are in force, wrong ones never, and what the node has by itself stays"
rules=$node_dir/rules wrong=$node_dir/wrong
mkdir "$rules" "$wrong"
rules_of enforce >"$rules/config.toml"
printf '[[rule]]\nimages = ["registry.acme.example/own"]\naction = "deny"\n' >"$machine_root/etc/crivet/conf.d/own.toml"
after_swap "$rules" "took new rules"
has_rules "$rules" || fail "the node has other rules than the ConfigMap"
refuses tag-not-signed "$unsigned" run
sed '1i listne = 1' "$rules/config.toml" | sed 's/"enforce"/"audit"/' >"$wrong/config.toml"
after_swap "$wrong" "kept the old rules"
expect_like "why" '*unknown key "listne"*' "$(agent_says_now)"
has_rules "$rules" || fail "wrong rules are on the node"
cp "$rules/config.toml" "$wrong/config.toml"
printf '[[rule]]\nimages = ["registry.acme.example/own"]\naction = "allow"\n' >"$wrong/acme.toml"
after_swap "$wrong" "kept the old rules"
expect_like "why" '*conf.d/own.toml:*conf.d/cluster-acme.toml:*' "$(agent_says_now | tr '\n' ' ')"
has_rules "$rules" || fail "rules that tie are on the node"
refuses tag-not-signed "$unsigned" run

step "neither are those that a running daemon cannot take"
rm "$wrong/acme.toml"
sed '1i state_dir = "/var/lib/elsewhere"' "$rules/config.toml" >"$wrong/config.toml"
after_swap "$wrong" "kept the old rules"
wait_until 10 "why" agent_said '"state_dir" has changed, which needs a restart'
has_rules "$rules" || fail "rules that the daemon refused are on the node"
expect "files beside them" $'conf.d\nconfig.toml' "$(in_machine ls -A /etc/crivet | grep -v containerd)"
expect "the node's own" own.toml "$(in_machine ls -A /etc/crivet/conf.d)"
refuses tag-not-signed "$unsigned" run

step "without a rule of its own the next version is refused"
sed -i "s,:0.1.0\",:0.1.1\"," "$manifest"
refuses no-trust-data "$(manifest image "$manifest" install)" pull

step "with one crivet is upgraded through itself, one pod after the other"
cp "$shipped/crivet.toml" "$rules/"
after_swap "$rules" "took new rules"
kubelet_at "$usual" stop "$following" >/dev/null
kubelet_at "$usual" stop-pod "$pod" >/dev/null
pid=$(property crivet MainPID)
start_pod second
expect "the installed version" 0.1.1 "$(in_machine dpkg-query --show crivet | cut -f 2)"
[[ $(property crivet MainPID) != "$pid" ]] || fail "the old program still runs"
has_rules "$rules" || fail "the upgrade changed the rules"
expect "a signed image" hello "$(kubelet_at "$usual" run "$registry/shop/web:1.0")"
refuses tag-not-signed "$unsigned" run

step "a node that has it all is left alone"
kubelet_at "$usual" stop "$following" >/dev/null
kubelet_at "$usual" stop-pod "$pod" >/dev/null
pid=$(property crivet MainPID)
start_pod third
expect_like "the agent" "*crivet 0.1.1 is installed*" "$(agent_says third install)"
expect "crivet's process" "$pid" "$(property crivet MainPID)"

step "what an agent that was killed has left half done is put back"
kubelet_at "$usual" stop "$following" >/dev/null
kubelet_at "$usual" stop-pod "$pod" >/dev/null
in_machine sh -c "mkdir /etc/crivet/.old && mv /etc/crivet/conf.d /etc/crivet/.old/ && ln $config /etc/crivet/.old/"
start_pod fourth
wait_until 30 "the rules" has_rules "$rules"
expect "the node's own" $'cluster-crivet.toml\nown.toml' "$(in_machine ls -A /etc/crivet/conf.d)"

step "without the label containerd gets its socket back"
kubelet_at "$usual" stop-pod "$placing" >/dev/null
start_alone crivet-beside beside
wait_until 60 "the release" placed beside release
ends 0 crivet status
expect_like "the place" "*beside*" "$said"
ends 0 systemctl stop crivet.service
expect "a scrape of a crivet that is away" 502 "$(scraped)"
step "done"
