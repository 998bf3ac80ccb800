#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images that a repository of TUF 1.0 names: published by the page's own script with the reference library, served by nginx,
# pulled through crivet.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
[[ -n $node_dir ]] || unpack_tuf
node_enter "$@"

web=$registry/shop/web
fleet=$node_dir/fleet
served=$node_dir/served

publish() {
  publish_tuf "$fleet" "$@"
  ln -sfn "$fleet/metadata" "$served"
}

start_nginx() {
  mkdir -p "$node_dir/nginx"
  cat >"$node_dir/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $node_dir/nginx/pid; error_log $node_dir/log/nginx-error.log;
user root;
events {}
http {
  access_log $node_dir/log/nginx-access.log;
  client_body_temp_path $node_dir/nginx/a; proxy_temp_path $node_dir/nginx/b; fastcgi_temp_path $node_dir/nginx/c;
  uwsgi_temp_path $node_dir/nginx/d; scgi_temp_path $node_dir/nginx/e;
  server { listen 127.0.0.1:8081; location /metadata/ { alias $served/; } }
}
CONF
  part_start nginx "$parts_dir/tuf/usr/sbin/nginx" -c "$node_dir/nginx.conf" -p "$node_dir/nginx" \
    -e "$node_dir/log/nginx-error.log"
  part_ready nginx listens 8081
}

rules() {
  write_crivet_config <<TOML
[default]
action = "deny"
[trust.fleet]
kind = "tuf"
url = "http://127.0.0.1:8081/metadata"
root = { root_file = "$node_dir/fleet.root.json" }
refresh_interval = "1s"
[[rule]]
images = ["$registry/**"]
action = "verify"
trust = "fleet"
$1
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

start_registry
push_pause
make_image one /bin/echo one
make_image two /bin/echo two
push one shop/web:1.0
push two shop/web:2.0
publish "$web:1.0=$(image_digest one)"
start_nginx
start_containerd
make_certificates  # that the other trust's ca_file names

say "the root of the publisher, and a rule"
cp "$fleet/metadata/1.root.json" "$node_dir/fleet.root.json"
rules ""
crivet_here check >/dev/null
expect_like "pin" "*root version 1 of*root_file*" "$(crivet_here pin "$web:1.0" 2>&1)"
expect_like "verify" "*$web:1.0*$(image_digest one)*" "$(crivet_here verify "$web:1.0" 2>&1)"
start_crivet

say "what a target names runs, pinned; whatever the registry says"
push two shop/web:1.0
expect_output one "$web:1.0"
expect_denied tag-not-signed "$web:2.0"
expect_denied digest-not-signed "$web@$(image_digest two)"
publish "$web:2.0=$(image_digest two)" "$web@$(image_digest two)=$(image_digest two)"
sleep 1.1
expect_output two "$web:2.0"
expect_output two "$web@$(image_digest two)"

say "a mirror's image is looked up under the name that was published"
push one mirror/shop/web:1.0
rules "[[rule]]
images = [\"$registry/mirror/**\"]
action = \"verify\"
trust = \"fleet\"
gun = \"$registry/**\""
crivet_here reload >/dev/null
expect_output one "$registry/mirror/shop/web:1.0"
expect_denied tag-not-signed "$registry/mirror/shop/other:1.0"
expect_like "verify" "*add the target $web:9*" "$(crivet_here verify "$registry/mirror/shop/web:9" 2>&1 || true)"

say "a rotated root key is followed"
cp -r "$fleet" "$node_dir/old"
publish rotate-root
publish "$web:1.0=$(image_digest two)"
sleep 1.1
expect_output two --policy Always "$web:1.0"
expect_like "status" "*root*2*" "$(crivet_here status "*" 2>&1 || crivet_here status 2>&1)"

say "a withdrawn tag does not run any more, present or not"
publish "$web:2.0=" "$web@$(image_digest two)="
sleep 1.1
expect_denied withdrawn "$web:2.0" --policy Always
expect_denied withdrawn "$web:2.0" --policy IfNotPresent
expect_like "would-refuse" "*$web:2.0*withdrawn*" "$(crivet_here status --would-refuse 2>&1 || true)"

say "a server that goes back to the edition before is refused, and what was verified last answers"
ln -sfn "$node_dir/old/metadata" "$served"
sleep 1.1
expect_output two --policy Always "$web:1.0"
expect_like "status" "*DEGRADED*rollback*" "$(crivet_here status 2>&1 || true)"
expect_denied withdrawn "$web:2.0" --policy Always
part_stop crivet
start_crivet
sleep 1.1
expect_output two --policy Always "$web:1.0"

say "a restart with the server away"
part_stop nginx
part_stop crivet
start_crivet
expect_output two --policy Always "$web:1.0"
expect_output two --policy IfNotPresent "$web:1.0"
expect_denied tag-not-signed "$web:3.0"

say "forget of an image drops what is on record of it, and nothing of others"
expect_like "forget without an answer" "*say --yes" "$(crivet_here forget "$web:1.0" 2>&1 </dev/null || true)"
expect_like "forget IMAGE beside a daemon" "*forgotten: records of $web at http://127.0.0.1:8081/metadata: [1-9]*" \
  "$(crivet_here forget --yes "$web:1.0" 2>&1)"
expect_like "audit" "*\"event\":\"forget\"*\"records_of\":\"$web\"*" "$(cat "$node_dir/log/audit.log")"
expect_output two --policy IfNotPresent "$web:1.0"
part_stop crivet
expect_like "forget IMAGE" "*forgotten: records of $web at *: [0-9]*" "$(crivet_here forget --yes "$web:1.0" 2>&1)"
expect_like "the set stays" "*$(image_digest two)*" "$(crivet_here verify --offline "$web:1.0" 2>&1)"

say "forget of the whole repository is by its name"
expect_like "forget --trust" "*speaks for every image of \[trust.fleet\]; images that this node verified and that hang on it: [0-9]*(records of them: [0-9]*)*" \
  "$(crivet_here forget --trust fleet "$web:1.0" 2>&1 </dev/null || true)"
crivet_here forget --yes --trust fleet "$web:1.0" >/dev/null
expect_like "verify" "*no-trust-data*" "$(crivet_here verify --offline "$web:1.0" 2>&1 || true)"

say "a node without a network: the published folder"
expect_like "import" "*: taken for http://127.0.0.1:8081/metadata*" "$(crivet_here import "$fleet/metadata")"
start_crivet
expect_output two --policy Always "$web:1.0"

say "100 000 names in 1024 bins: a name costs its bin"
part_stop crivet
rm -rf "$node_dir/crivet-state"
mkdir "$node_dir/crivet-state"
with_tuf "$root/tests/support/tuf/publish_bins.py" "$node_dir/bins" 100000 10 "$web:1.0=$(image_digest two)"
ln -sfn "$node_dir/bins" "$served"
cp "$node_dir/bins/1.root.json" "$node_dir/fleet.root.json"
start_nginx
: >"$node_dir/log/nginx-access.log"
expect_like "verify" "*$web:1.0*$(image_digest two)*" "$(crivet_here verify "$web:1.0" 2>&1)"
expect_like "what a first name costs" "*/2.root.json *404*/timestamp.json *200*/1.snapshot.json *200*/1.targets.json *200*/1.bin-*.json *200*" \
  "$(tr '\n' ' ' <"$node_dir/log/nginx-access.log")"
[[ $(wc -l <"$node_dir/log/nginx-access.log") == 5 ]] || fail "more was asked: $(cat "$node_dir/log/nginx-access.log")"
start_crivet
expect_output two "$web:1.0"
expect_denied tag-not-signed "$web:3.0" --policy Always
expect_denied digest-not-signed "$web@$(image_digest one)"
expect_like "verify" "*bins, which are not searched for a digest*" "$(crivet_here verify "$web@$(image_digest one)" 2>&1 || true)"
