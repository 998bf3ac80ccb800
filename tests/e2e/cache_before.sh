#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The operations page's nginx before a Notary and before a repository of TUF 1.0, as it stands there: what it keeps, for how
# long and for whom; and that nothing which it keeps hides a rotation, a withdrawal or an expiry.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
[[ -n $node_dir ]] || unpack_tuf
node_enter "$@"

gun=$registry/shop/web
cache_url=https://notary.acme.example:8443
tuf_url=https://notary.acme.example:8444
# By themselves, answers of Notary's may be kept for five minutes.
notary_max_age=300
crivet_trust_url=$cache_url

# cache_conf NAME PORT ORIGIN: the page's file, with the test's names.
cache_conf() {
  # shellcheck disable=SC2016  # backquotes are meant
  sed -n '/^```nginx$/,/^```$/{/^```/d;p}' "$root/systemd/README.md" |
    sed -e "s|/run/crivet-cache|$node_dir/nginx/$1-cache|" -e "s|crivet:16m|$1:16m|" -e "s|proxy_cache crivet;|proxy_cache $1;|" \
      -e "s|crivet_insists|$1_insists|" -e "s|listen 443 ssl|listen 127.0.0.1:$2 ssl|" -e "s|https://10.0.0.5:4443|$3|" \
      -e "s|/etc/nginx/notary.crt|$node_dir/tls/server.crt|" -e "s|/etc/nginx/notary.key|$node_dir/tls/server.key|" \
      -e "s|/etc/acme/notary-ca.crt|$node_dir/tls/ca.crt|"
}

# nginx_with NAME: runs $node_dir/NAME.http.
nginx_with() {
  mkdir -p "$node_dir/nginx"
  cat >"$node_dir/$1.conf" <<CONF
daemon off; worker_processes 1; pid $node_dir/nginx/$1.pid;
user root;
events {}
http {
  log_format asked '\$request_uri \$status \$upstream_cache_status';
  access_log $node_dir/log/$1-access.log asked;
  client_body_temp_path $node_dir/nginx/a; proxy_temp_path $node_dir/nginx/b; fastcgi_temp_path $node_dir/nginx/c;
  uwsgi_temp_path $node_dir/nginx/d; scgi_temp_path $node_dir/nginx/e;
  include $node_dir/$1.http;
}
CONF
  part_start "$1" "$parts_dir/tuf/usr/sbin/nginx" -c "$node_dir/$1.conf" -p "$node_dir/nginx" -e "$node_dir/log/$1-error.log"
}

# asked HEADER METHOD URL...: status and what the cache did, as in `200 HIT, 200 HIT`.
asked() {
  python3 - "$node_dir/tls/ca.crt" "$@" <<'PY'
import ssl, sys, urllib.error, urllib.request
ca, header, method, *urls = sys.argv[1:]
said = []
for url in urls:
    request = urllib.request.Request(url, method=method)
    if header:
        request.add_header(*header.split(": "))
    try:
        answer = urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca))
    except urllib.error.HTTPError as refused:
        answer = refused
    said.append(f"{answer.status} {answer.headers.get('X-Cache') or 'NONE'}")
print(", ".join(said))
PY
}
# Twice a second's rounding.
after_a_second() { sleep 2.1; }
verify() { crivet_here verify "$@" 2>&1 || true; }
a_new_node() {
  rm -rf "$node_dir/crivet-state"
  mkdir "$node_dir/crivet-state"
}

start_notary
sign "$gun" 1.0 "sha256:$(printf '%064d' 1)" 1000
publish_tuf "$node_dir/fleet" "$gun:1.0=sha256:$(printf '%064d' 1)"
cat >"$node_dir/origin.http" <<CONF
server {
  listen 127.0.0.1:8081;
  location /metadata/ { alias $node_dir/fleet/metadata/; }
  location /private/ {
    if (\$http_authorization != "Bearer alice") { return 401; }
    alias $node_dir/fleet/metadata/;
  }
}
CONF
nginx_with origin
part_ready origin listens 8081
{ cache_conf notary 8443 "$notary_url" && cache_conf tuf 8444 http://127.0.0.1:8081; } >"$node_dir/cache.http"
nginx_with cache
part_ready cache listens 8443
usual_rules | write_crivet_config
crivet_clock 0

say "a second node is answered by the cache, of Notary's files"
expect_like "verify" "*$gun:1.0*ALLOWED*" "$(verify "$gun:1.0")"
: >"$node_dir/log/cache-access.log"
a_new_node
expect_like "verify" "*$gun:1.0*ALLOWED*" "$(verify "$gun:1.0")"
expect_like "what it was answered" "*/snapshot.????*.json 200 HIT*" "$(tr '\n' ' ' <"$node_dir/log/cache-access.log")"
expect_like "what it was answered" "*/targets.????*.json 200 HIT*" "$(tr '\n' ' ' <"$node_dir/log/cache-access.log")"

say "a timestamp is kept for a second, and not for who insists"
timestamp=$cache_url/v2/$gun/_trust/tuf/timestamp.json
expect_like "at once" "200 *, 200 HIT" "$(asked "" GET "$timestamp" "$timestamp")"
expect_like "no-cache" "200 BYPASS" "$(asked "Cache-Control: no-cache" GET "$timestamp")"
after_a_second
expect_like "later" "200 EXPIRED" "$(asked "" GET "$timestamp")"

say "what the publisher signs, withdraws and rotates arrives"
sign "$gun" 2.0 "sha256:$(printf '%064d' 2)" 1000
after_a_second
expect_like "verify" "*$gun:2.0*ALLOWED*" "$(verify "$gun:2.0")"
withdraw "$gun" 2.0
notary_client key rotate "$gun" root <<<$'yes\nyes\nyes' >>"$node_dir/log/notary.log" 2>&1
after_a_second
expect_like "verify" "*root  *version 2*tag-not-signed*" "$(verify "$gun:2.0")"

say "of a repository of TUF 1.0: what has a number is kept, what is not there yet is not"
role=$tuf_url/metadata/1.snapshot.json new_root=$tuf_url/metadata/2.root.json
expect_like "a role, the next root" "200 MISS, 200 HIT, 404 MISS, 404 MISS" \
  "$(asked "" GET "$role" "$role" "$new_root" "$new_root")"
publish_tuf "$node_dir/fleet" rotate-root
expect_like "the next root" "200 MISS, 200 HIT" "$(asked "" GET "$new_root" "$new_root")"

say "another one's token is another question"
private=$tuf_url/private/1.snapshot.json
expect_like "alice" "200 MISS, 200 HIT" "$(asked "Authorization: Bearer alice" GET "$private" "$private")"
expect_like "bob" "401 MISS, 401 MISS" "$(asked "Authorization: Bearer bob" GET "$private" "$private")"
expect_like "nobody" "401 MISS, 401 MISS" "$(asked "" GET "$private" "$private")"
expect_like "alice" "200 HIT" "$(asked "Authorization: Bearer alice" GET "$private")"
expect_like "nothing but reading" "405 *" "$(asked "" PUT "$private")"

say "with the server away, what was kept hides no expiry"
part_stop notary-server
after_a_second
expect_like "the timestamp" "502 *" "$(asked "" GET "$timestamp")"
expect_like "verify" "*$gun:1.0*ALLOWED*" "$(verify "$gun:1.0")"
crivet_clock $((15 * one_day))
expect_like "verify" "*expired*" "$(verify "$gun:1.0")"
