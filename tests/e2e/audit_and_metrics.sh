#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Audit mode decides, logs and counts, and changes nothing; switching to enforce changes refusals and pinning alone. A dozen
# images: `status --would-refuse` names exactly those that are refused afterwards. Metrics' labels come from closed sets.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

# rules MODE
rules() {
  crivet_head="mode = \"$1\"" crivet_trust='refresh_interval = "1s"' write_crivet_config <<TOML
$metrics_section
[default]
action = "deny"
[[rule]]
name = "shop"
images = ["$registry/**"]
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

# An image whose containers run until they are stopped, and say what it is to whoever asks.
running() { make_image "$1" /bin/sleep "$2"; }

start_registry
start_notary
push_pause
seconds=1000000
images=()
for n in 01 02 03 04 05 06 07 08 09; do
  running "app$n" $((seconds += 1))
  push_signed "app$n" shop/app "$n"
  images+=("$registry/shop/app:$n")
done
running moved-before 2000001
running moved-after 2000002
running unsigned 2000003
running stranger 2000004
push_signed moved-before shop/app moved
push unsigned shop/app:unsigned
push stranger library/stranger:1
images+=("$registry/shop/app:moved" "$registry/shop/app:unsigned" docker.io/library/stranger:1)
start_containerd

say "on a node that audits, everything starts that started before"
# What was there before crivet: the tag was moved in the registry, and nobody verified what it was.
push unsigned shop/app:moved
kubelet_to "$containerd_sock" pull "$registry/shop/app:moved" >/dev/null
push moved-before shop/app:moved
rules audit
start_crivet

# start_pod IMAGE: a pod whose one container goes on running; prints the container's ID.
start_pod() {
  local name=${1##*[:/]} pod
  if ! kubelet image-status "$1" >/dev/null; then kubelet pull "$1" >/dev/null || return; fi
  pod=$(kubelet --name "$name" --uid "uid-$name" --namespace prod run-pod) || return
  echo "$pod" >"$node_dir/pod-$name"
  kubelet --name "$name" --uid "uid-$name" --namespace prod create "$pod" "$(kubelet image-status "$1" | head -1)" \
    --written "$1" >"$node_dir/container-$name" || return
  kubelet start "$(cat "$node_dir/container-$name")" >/dev/null
}
# The ID of the image that a pod's container runs.
image_of_container() {
  kubelet_to "$containerd_sock" --json inspect "$(cat "$node_dir/container-$1")" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["status"]["image_ref"])'
}
for image in "${images[@]}"; do start_pod "$image" || fail "audit mode refuses $image"; done
expect "containers that run" 12 "$(kubelet ps | wc -l)"

say "each call is decided, in an audit line with the pod that asked"
python3 - "$node_dir/log/audit.log" "$(image_digest app01)" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(line["mode"] == "audit" for line in lines if "verdict" in line), "a line without its mode"
def of(method, image):
    found = [l for l in lines if l["method"].endswith("/" + method) and l["reference"].endswith(image)]
    assert found, (method, image)
    return found[-1]
create = of("CreateContainer", "shop/app:01")
assert create["verdict"] == "allow" and create["pod"] == {"namespace": "prod", "name": "01", "uid": "uid-01"}, create
pull = of("PullImage", "shop/app:01")
assert pull["would_pin"] == sys.argv[2] and pull["rule"] == "shop", pull
assert {role["role"] for role in pull["roles"]} >= {"root", "targets", "snapshot", "timestamp"}, pull
assert all(role["keys"] and role["version"] for role in pull["roles"]), pull
assert pull["latency_us"] >= 0 and "metadata_age_s" in pull, pull
refused = of("PullImage", "shop/app:unsigned")
assert refused["verdict"] == "deny" and refused["reason"] == "tag-not-signed", refused
assert of("CreateContainer", "library/stranger:1")["reason"] == "denied"
PY

say "nothing is rewritten: the runtime was asked for what kubelet wrote"
grep -qF "PullImage \\\"$registry/shop/app:01\\\"" "$node_dir/log/containerd.log" || fail "the pull is not in containerd's log"
if grep "PullImage" "$node_dir/log/containerd.log" | grep -F "@sha256:"; then fail "a pull was rewritten"; fi

say "some tags are signed anew, one of them only in the registry"
push_signed moved-after shop/app 08
push_signed moved-after shop/app 09
push unsigned shop/app:07
kubelet pull "$registry/shop/app:07" >/dev/null
metric_is crivet_tags_moved_total -ge 1 || fail "a tag that moved without a signature is not counted"

say "--would-refuse names what enforcing refuses, neither more nor less"
status=0
crivet_here status --would-refuse --json >"$node_dir/log/would-refuse" || status=$?
expect "the exit of --would-refuse" 1 "$status"
matches_schema() { "$root/tests/support/matches_schema.py" "$root/systemd/schema/$1.json" "$2" >&2 || fail "$2 is not as schema/$1.json says"; }
matches_schema would-refuse "$node_dir/log/would-refuse"
matches_schema audit "$node_dir/log/audit.log"
would_refuse() { # images | containers
  python3 -c 'import json, sys
for line in open(sys.argv[1]):
    one = json.loads(line)
    if sys.argv[2] == "containers" and one["container"]: print(one["container"].split("/")[1])
    if sys.argv[2] == "images" and not one["container"] and "@" not in one["image"]: print(one["image"])' \
    "$node_dir/log/would-refuse" "$1" | sort
}
rules enforce
reload_crivet
expect "containers that run after the switch" 12 "$(kubelet ps | wc -l)"

is_absent() {
  local status=0
  kubelet image-status "$1" >/dev/null || status=$?
  [[ $status == 3 ]]
}
refused_images=() refused_containers=()
for image in "${images[@]}"; do
  name=${image##*[:/]}
  ! is_absent "$image" || refused_images+=("$image")
  # As kubelet restarts a container whose image was there.
  id=$(kubelet_to "$containerd_sock" image-status "$(image_of_container "$name")" | head -1)
  if ! kubelet --name "$name" --uid "uid-$name" --namespace prod create "$(cat "$node_dir/pod-$name")" "$id" \
    --written "$image" --container-name again >"$node_dir/create.out" 2>&1; then
    expect_like "the restart of $image" "*SignatureValidationFailed: $image: *" "$(cat "$node_dir/create.out")"
    refused_containers+=("$name")
  fi
done
expect "refused images" "$(would_refuse images)" "$(printf '%s\n' "${refused_images[@]}" | sort)"
expect "refused containers" "$(would_refuse containers)" "$(printf '%s\n' "${refused_containers[@]}" | sort)"
say "  ${refused_images[*]}; containers of ${refused_containers[*]}"

say "the rest goes on as it did"
for image in "$registry/shop/app:01" "$registry/shop/app:08"; do
  kubelet pull "$image" >/dev/null
  kubelet image-status "$image" | grep -qxF "  $image" || fail "$image has lost its tag"
done
expect_shown "SignatureValidationFailed: *, tag-not-signed]" pull "$registry/shop/app:unsigned"

say "retries of one pod are told from other pods"
for pod in retry retry other retry; do
  kubelet --name "$pod" --uid "uid-$pod" --namespace prod pull "$registry/shop/app:unsigned" >/dev/null 2>&1 || true
done
counted() { grep -F "\"uid\":\"uid-$1\"" "$node_dir/log/audit.log" | grep -oE '"repeat":[0-9]+' | paste -sd ' '; }
all_are_written() { [[ $(counted other) == '"repeat":0' && $(counted retry) == '"repeat":0 "repeat":1 "repeat":2' ]]; }
wait_until 5 "lines of the retries" all_are_written
matches_schema audit "$node_dir/log/audit.log"

say "metrics: labels come from closed sets, whatever callers say"
kubelet raw /evil.Service/Method >/dev/null 2>&1 || true
kubelet call /runtime.v1alpha2.ImageService/PullImage '{"image":{"image":"evil.example/evil:1"}}' >/dev/null 2>&1 || true
kubelet --name evil --uid evil --namespace evil pull evil.example/evil:1 >/dev/null 2>&1 || true
kubelet --name evil --uid evil --namespace evil pull "$registry/evil/evil:1" >/dev/null 2>&1 || true
kubelet pull 'evil"} 1' >/dev/null 2>&1 || true
scrape >"$node_dir/log/scrape"
if grep -i evil "$node_dir/log/scrape"; then fail "a caller's text is in a label"; fi
python3 - "$node_dir/log/scrape" "$root" "$registry/shop/app" <<'PY'
import re, sys
scrape, root, gun = open(sys.argv[1]).read(), sys.argv[2], sys.argv[3]
# A family may have no sample on this node.
names = set(re.findall(r"^(?:# TYPE )?(crivet_\w+)", scrape, re.M))
reasons = set(re.findall(r'\{Reason::k\w+, "([a-z-]+)"', open(root + "/trust/base/reason.h").read()))
methods = {line.split()[0] for line in open(root + "/api/cri_methods.txt") if line[0] == "/"}
methods |= set(re.findall(r'"(/[\w.]+/\w+|containerd[^"]*|also_forward|unknown)"', open(root + "/proxy/road/method_table.cc").read()))
closed = {
    "verdict": {"allow", "deny", "unavailable"}, "mode": {"audit", "enforce"}, "trust": {"acme"}, "gun": {gun},
    "reason": reasons | {""}, "method": methods,
}
seen = {}
for labels in re.findall(r"^crivet_\w+\{(.*)\} [-+.\deE]+$", scrape, re.M):
    for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels):
        seen.setdefault(name, set()).add(value)
open_labels = {name: values - closed[name] for name, values in seen.items() if name in closed and values - closed[name]}
assert not open_labels, open_labels
unknown = set(seen) - set(closed) - {"phase", "le", "outcome", "version"}
assert not unknown, unknown
assert {"audit", "enforce"} <= seen["mode"] and {"tag-not-signed", "denied"} <= seen["reason"], seen
for file in ("dashboard.json", "alerts.yaml"):
    used = set(re.findall(r"\bcrivet_\w+", open(f"{root}/systemd/observability/{file}").read()))
    assert used and not used - names, (file, used - names)
PY
