#!/bin/bash
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
run 2 pin "$registry/shop/nowhere"

say "verify: the pinned name alone on stdout"
run 0 verify "$web"
expect "verify" "$pinned" "$out"
expect_like "verify" "*timestamp *version *, expires*ALLOWED: $pinned" "$err"
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
run 2 verify --offline "$web"

say "forget beside a daemon: its memory is emptied too"
run 0 import "$node_dir/publisher"
start_containerd
start_crivet
kubelet pull "$web" >/dev/null
run 0 status --json
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
expect_like "would-refuse" "*image *$registry/shop/web*" "$out"
