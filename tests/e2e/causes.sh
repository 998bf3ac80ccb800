#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Why a server gave nothing. kubelet reads one word of a closed set; `verify`, `pin`, `status`, the journal and the audit line
# say all of it, and what to do.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

gun=$registry/shop/web
web=$gun:1.0

# refused COMMAND ARGUMENTS...: what it says on stderr is in $err.
refused() {
  if crivet_here "$@" >"$node_dir/out" 2>"$node_dir/err" </dev/null; then fail "$* did not fail: $(cat "$node_dir/out")"; fi
  err=$(cat "$node_dir/err")
}

# by URL [AUTH]: a new node that asks there.
by() {
  rm -rf "$node_dir/crivet-state"
  crivet_trust_url=$1 crivet_trust_auth=${2:-none} write_crivet_config < <(usual_rules)
}

expect_unlike() {
  # shellcheck disable=SC2053  # a pattern is meant
  [[ $3 != $2 ]] || fail "$1: unwanted '$2', got '$3'"
}

start_notary
notary_client init "$gun" -p >>"$node_dir/log/notary.log"
notary_client addhash "$gun" 1.0 1234 --sha256 "$(printf x | sha256sum | cut -c 1-64)" -p >>"$node_dir/log/notary.log"
start_fault_proxy

say "statuses, with what follows from them"
for row in "405 content trust is not enabled there*enable content trust" \
  "429 too many requests, and says \"UNSUPPORTED: not here\"; it asks for a pause of 120 s*ask less often" \
  "403 access is refused, and says \"UNSUPPORTED: not here\"*asked without credentials*see with which credentials" \
  "503 the server itself fails*see the log of the server"; do
  fault "status ${row%% *}"
  by "$fault_proxy_url"
  refused verify "$web"
  expect_like "verify" "*answers with status ${row%% *}, ${row#* }*" "$err"
  expect_unlike "verify" "*cannot be reached*" "$err"
  refused pin "$web"
  expect_like "pin" "*answers with status ${row%% *}, *" "$err"
done

say "connections, in the library's words"
fault pass
printf '127.0.0.1 other.acme.example\n' >>/etc/hosts
by https://other.acme.example:4453
refused verify "$web"
expect_like "another name's certificate" "*[(]tls)*certificate*what now*ca_file*" "$err"
by https://notary.acme.example:4999
refused verify "$web"
expect_like "nobody listens" "*FAILED: unreachable*Connection refused*what now*see that the server runs*" "$err"

by https://nowhere.acme.example
refused verify "$web"
expect_like "a name that nobody knows" "*FAILED: unreachable*Could not resolve host: nowhere.acme.example*what now*name servers*" "$err"

say "a config.json that gives nothing"
printf '{"auths":{"%s":{}},"credsStore":"pass"}' "$registry" >"$node_dir/docker.json"
chmod 600 "$node_dir/docker.json"
fault pass tokens
by "$fault_proxy_url" "$node_dir/docker.json"
said=$(crivet_here check 2>&1)
expect_like "check" "*has no credentials that can be used*credsStore is not supported*" "$said"
refused verify "$web"
expect_like "verify" "*asked without credentials: *its credsStore pass is not supported*" "$err"

say "a token server over plain http: not asked, and told for what it is, everywhere"
fault pass "realm http://notary.acme.example/service/token"
by "$fault_proxy_url"
why="*http://notary.acme.example as its token server, which is plain http: not asked for a token*"
refused verify "$web"
expect_like "verify" "$why*what now*have the server name its token server over https*" "$err"
start_containerd
start_crivet
if shown=$(kubelet pull "$web" 2>&1); then fail "pulled"; fi
expect_like "kubelet" "*grants no access (credentials-refused) ?rule *, unreachable?*" "$shown"
expect_unlike "kubelet" "*plain http*" "$shown"
expect_like "the journal" "$why" "$(cat "$node_dir/log/crivet.log")"
expect_unlike "the journal" "*neither its own host*" "$(cat "$node_dir/log/crivet.log")"
said=$(crivet_here status 2>&1) || true
expect_like "status" "DEGRADED: *$gun: refreshes fail: unreachable (credentials-refused): $why" "$said"
expect_unlike "status" "*NO CREDENTIALS*" "$said"
expect_like "the audit line" "*\"why\":\"the server names http://notary.acme.example as*" "$(cat "$node_dir/log/audit.log")"

say "a role that nobody delegates"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$node_dir/d.key" -out "$node_dir/d.crt" -days 90 -subj /CN=ci 2>/dev/null
notary_client delegation add "$gun" targets/releases "$node_dir/d.crt" --all-paths -p >>"$node_dir/log/notary.log"
rm -rf "$node_dir/crivet-state"
write_crivet_config < <(usual_rules | sed 's/^root = .*/&\nroles = ["targets\/realeases"]/')
refused verify "$web"
expect_like "verify" "*targets/realeases *no such delegation; there are targets/releases*look at the rule's roles*" "$err"
expect_unlike "verify" "*docker trust sign*" "$err"

say "import: the folder's own trouble"
write_crivet_config < <(usual_rules)
notary_client list "$gun" >>"$node_dir/log/notary.log"
cp -r "$node_dir/publisher" "$node_dir/published"
find "$node_dir/published" -name timestamp.json -delete
refused import "$node_dir/published"
expect_like "without timestamp.json" "*the folder has no timestamp.json: run \"docker trust inspect $gun\"*" "$err"
expect_unlike "without timestamp.json" "*the server*" "$err"
refused import /nonexistent
expect_like "no folder" "*no such folder*" "$err"
refused import "$node_dir/publisher/tuf/$gun/metadata"
expect_like "below" "*there is a root.json, but its place*name the folder that holds tuf/*" "$err"
