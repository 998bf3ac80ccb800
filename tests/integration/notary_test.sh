#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The trust service against the real Notary server, the notary client and MariaDB: notary_test runs inside a node and
# calls back into the node's functions.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

cat >"$node_dir/do" <<SH
#!/bin/bash
set -euo pipefail
# shellcheck source=tests/support/node.sh
source "$root/tests/support/node.sh"
notary_mode=database
cd "$node_dir"

rotate_root_key() { notary_client key rotate "\$1" root < <(yes); }

# The delegate's key: certificate to the parent, key to the client's store.
add_delegation() {
  [[ -e delegate.crt ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
    -keyout delegate.key -out delegate.crt -days 2 -subj "/CN=delegate"
  notary_client delegation add "\$1" targets/releases delegate.crt --all-paths -p
  notary_client key import delegate.key --role user
}

start_all_of_notary() {
  local part
  for part in notary-server notary-signer mariadb; do part_stop "\$part"; done
  start_notary
}

# start_notary_with_tokens REALM BUNDLE: the same collections once more, on port 4444.
start_notary_with_tokens() {
  python3 - "\$@" <<'PY'
import json, sys
config = json.load(open("notary-server.json"))
config["server"]["http_addr"] = "127.0.0.1:4444"
config["auth"] = {"type": "token", "options": {"realm": sys.argv[1], "service": "notary",
                  "issuer": "acme tokens", "rootcertbundle": sys.argv[2]}}
json.dump(config, open("notary-tokens.json", "w"))
PY
  part_start notary-tokens notary-server -config "$node_dir/notary-tokens.json"
  part_ready notary-tokens listens 4444
}

"\$@" >>"$node_dir/log/do.log" 2>&1 </dev/null
SH
chmod +x "$node_dir/do"

cd "$node_dir"
notary_mode=database
start_notary
CRIVET_DO=$node_dir/do CRIVET_NOTARY_URL=$notary_url CRIVET_TLS=$node_dir/tls \
  "$build/tests/notary_test" --log_level=test_suite "$@"
