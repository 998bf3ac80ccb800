#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line against the real Notary server: what it prints, where, and how it ends.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web:1.0

# run EXIT ARGUMENTS...: what it says is in $out and $err.
run() {
  local wanted=$1 status=0 command=$2
  shift 2
  crivet "$command" --config "$node_dir/crivet.toml" "$@" >"$node_dir/out" 2>"$node_dir/err" </dev/null || status=$?
  out=$(cat "$node_dir/out")
  err=$(cat "$node_dir/err")
  [[ $status == "$wanted" ]] || fail "crivet $command $*: exit $status, wanted $wanted: $out $err"
}

# json MEMBER: of the one line on stdout.
json() { python3 -c "import json,sys; print(eval('d$1', {'d': json.loads(sys.stdin.read())}))" <<<"$out"; }

# matches NAME: what is on stdout, line by line, is as the package's schema says.
matches() { "$root/tests/support/matches_schema.py" "$root/systemd/schema/$1.json" "$node_dir/out" >&2 || fail "not as schema/$1.json says"; }

rules() {
  write_crivet_config <<TOML
[default]
action = "deny"
$1
TOML
}

start_registry
start_notary
make_image web /bin/echo hello
push_signed web shop/web 1.0
make_image other /bin/echo other
push other shop/web:unsigned
pinned=$registry/shop/web@$(image_digest web)

say "pin: whose root it is, and a rule that works as it is pasted"
rules ""
run 0 pin "$web"
expect_like "pin" "*root   = { key_ids = ?\"$(root_key_id)\"? }" "$out"
expect_like "pin" "*it names \"$registry/shop/web\"*" "$err"
rules "$out"
run 0 check
run 0 pin "$web"
expect_like "pin by the rule" "*key_ids = ?\"$(root_key_id)\"?*" "$out"
run 0 check --json
matches check
run 2 pin "$registry/shop/nowhere"

say "pin --url: the section and the rule, for a configuration that has neither"
printf '[default]\naction = "deny"\n' >"$node_dir/bare.toml"
crivet pin --config "$node_dir/bare.toml" --url "$notary_url" --ca-file "$node_dir/tls/ca.crt" "$web" \
  >"$node_dir/pasted" 2>"$node_dir/err"
expect_like "the section" "?trust.notary-acme-example?*url  = \"$notary_url\"*ca_file = \"$node_dir/tls/ca.crt\"*" "$(cat "$node_dir/pasted")"
cat "$node_dir/pasted" >>"$node_dir/bare.toml"
crivet check --config "$node_dir/bare.toml" >"$node_dir/out" 2>&1 || fail "check of what was pasted: $(cat "$node_dir/out")"
expect_like "check" "*good: 1 rules, 1 trust servers*" "$(cat "$node_dir/out")"
crivet pin --config "$node_dir/bare.toml" --url "$notary_url" --ca-file "$node_dir/tls/ca.crt" "$web" \
  >"$node_dir/again" 2>"$node_dir/err"
expect "a section that is there already" "$(sed -n '/^..rule/,$p' "$node_dir/pasted")" "$(cat "$node_dir/again")"

say "verify: the pinned name alone on stdout"
run 0 verify "$web"
expect "verify" "$pinned" "$out"
expect_like "verify" "*timestamp *version *, expires*ALLOWED: $pinned" "$err"
expect_like "the pinned key" "*pinned *$(root_key_id) (root 1)*" "$err"
expect "verify in a shell" "$pinned" "$(crivet verify --config "$node_dir/crivet.toml" "$web" 2>/dev/null)"

say "verify: each verdict has its exit, the worst of several wins"
run 1 verify "$registry/shop/web:unsigned"
expect "a refusal's stdout" "" "$out"
expect_like "a refusal" "*DENIED: tag is not signed*?tag-not-signed?*what now*docker trust sign*" "$err"
run 1 verify "$web" "$registry/shop/web:unsigned"
expect "the allowed one of two" "$pinned" "$out"
run 1 verify docker.io/library/other
run 1 verify "sha256:$(printf '1%.0s' {1..64})"
run 1 verify "Not A Reference"
run 0 verify "$pinned"
expect "verify by digest" "$pinned" "$out"

say "verify --json: one object a line"
run 0 verify --json "$web"
expect "verdict" allow "$(json '["verdict"]')"
expect "digest" "$(image_digest web)" "$(json '["digest"]')"
expect "roles" "['root', 'timestamp', 'snapshot']" "$(json '["roles"]' | python3 -c 'import sys; print([r["role"] for r in eval(sys.stdin.read())][:3])')"
run 1 verify --json "$registry/shop/web:unsigned"
expect "reason" tag-not-signed "$(json '["reason"]')"
run 1 verify --json "$web" "$registry/shop/web:unsigned"
expect "lines" 2 "$(wc -l <"$node_dir/out")"
matches verify

# The publisher's own folder holds what it last fetched, not what it last published.
notary_client list "$registry/shop/web" >>"$node_dir/log/notary.log"

say "the server is away: what is stored answers, what is not is unavailable"
part_stop notary-server
run 0 verify "$web"
expect_like "verify without the server" "*last refresh*FAILED: unreachable*ALLOWED*" "$err"
run 0 verify --offline "$web"
mv "$node_dir/crivet-state" "$node_dir/kept-state"
mkdir "$node_dir/crivet-state"
run 2 verify --offline "$web"
run 2 verify "$web"
expect_like "verify with nothing" "*UNAVAILABLE*" "$err"
run 2 pin "$web"

say "import: from a notary client's folder"
run 64 import "$node_dir/oci"
run 0 import "$node_dir/publisher"
expect_like "import" "*$registry/shop/web: taken for $notary_url*" "$out"
run 0 verify --offline "$web"
expect "verify what was imported" "$pinned" "$out"

say "forget: the state is gone, and the audit log says so"
run 64 forget "$web"
expect_like "forget without an answer" "*say --yes" "$err"
run 0 forget --yes "$web"
expect_like "audit" "*\"event\":\"forget\",\"gun\":\"$registry/shop/web\"*" "$(cat "$node_dir/log/audit.log")"
cp "$node_dir/log/audit.log" "$node_dir/out"
matches audit
run 2 verify --offline "$web"

say "forget, while a break-glass rule allows the image under another name than the signed one"
run 0 import "$node_dir/publisher"
kept_rules=$(sed -n '/^.default/,$p' "$node_dir/crivet.toml")
write_crivet_config <<TOML
[default]
action = "deny"
[[rule]]
images = ["mirror.example/**"]
action = "verify"
trust = "acme"
gun = "$registry/**"
root = { key_ids = ["$(root_key_id)"] }
[[rule]]
images = ["mirror.example/shop/web"]
action = "allow"
until = 2099-01-01T00:00:00Z
reason = "INC-4711"
TOML
run 0 forget --yes mirror.example/shop/web:1.0
expect_like "forget" "forgotten: $registry/shop/web at *" "$out"
write_crivet_config <<<"$kept_rules"

say "forget beside a daemon: its memory is emptied too"
run 0 import "$node_dir/publisher"
start_containerd
start_crivet
kubelet pull "$web" >/dev/null
# Its server is away: degraded as soon as a refresh has found out.
crivet status --config "$node_dir/crivet.toml" --json >"$node_dir/out" || expect "the exit of status" 1 "$?"
out=$(cat "$node_dir/out")
matches status
expect "repositories" "$registry/shop/web" "$(json '["repositories"][0]["gun"]')"
expect "runtime" containerd "$(json '["upstream"]["name"]')"
run 0 forget --yes "$web"
if kubelet pull "$web" 2>/dev/null; then fail "a pull after forget"; fi

say "warm, beside a daemon"
start_notary
run 2 warm "$web"  # the server began anew: nobody has signed anything there
expect_like "warm" "*no-trust-data*what now *nobody has signed*" "$err"

say "status --would-refuse: what is on the node under a name that is not signed"
run 1 status --would-refuse
expect_like "would-refuse" "*$registry/shop/web:*used by: *enforcing would refuse +([0-9]) image* (of +([0-9]) on this node)*the sandbox image is refused, and with*" "$out"
run 1 status --would-refuse --json
matches would-refuse

say "verify: a refused image that is on the node can be removed"
unsigned=$registry/shop/unsigned:1.0
ctr_client images tag "$web" "$unsigned" >/dev/null
tells_removal() { run 1 verify "$unsigned" && grep -qE 'crictl rmi sha256:[0-9a-f]{64}$' <<<"$err"; }
wait_until 10 "verify to tell how to remove it" tells_removal
kubelet rmi "$(grep -oE 'sha256:[0-9a-f]{64}$' <<<"$err")"
if tells_removal; then fail "verify tells how to remove what is not there"; fi

say "status: the runtime is away, and that is not the daemon"
part_stop containerd
run 1 status
expect_like "status" "DEGRADED: the runtime does not answer at $containerd_sock*" "$out"
run 2 status --would-refuse
expect_like "would-refuse" "crivet: the runtime does not answer at $containerd_sock*" "$err"
part_stop crivet
run 2 status
expect_like "status" "*the daemon does not answer at $node_dir/crivet-admin.sock*systemctl status crivet*" "$err"
