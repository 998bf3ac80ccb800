#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Notary's client and crivet beside each other: comparison_test runs inside a node and calls back into its functions.
# The tables that trust/notary/COMPARISON.md should have are left in build/comparison.md.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

cat >"$node_dir/do" <<SH
#!/bin/bash
set -euo pipefail
# shellcheck source=tests/support/node.sh
source "$root/tests/support/node.sh"
cd "$node_dir"

# Each takes the collection last.
remove_tag() { notary_client remove "\$1" 1.0 -p; }
rotate_key() { notary_client key rotate "\$2" "\$1" < <(yes); }
rotate_server_key() { notary_client key rotate "\$2" "\$1" -r; }
begin_anew() { notary_client delete "\$1" --remote && notary_client init "\$1" -p; }
remove_delegation() { notary_client delegation remove "\$1" targets/releases -y -p; }
add_delegation() {
  [[ -e delegate.crt ]] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \\
    -keyout delegate.key -out delegate.crt -days 2 -subj "/CN=delegate"
  notary_client delegation add "\$1" targets/releases delegate.crt --all-paths -p
  notary_client key import delegate.key --role user
}

"\$@" >>"$node_dir/log/do.log" 2>&1 </dev/null
SH
chmod +x "$node_dir/do"

cd "$node_dir"
start_notary
CRIVET_DO=$node_dir/do CRIVET_NOTARY_URL=$notary_url CRIVET_TLS=$node_dir/tls CRIVET_PUBLISHER=$node_dir/publisher \
  CRIVET_TABLES=$build/comparison.md "$build/tests/comparison_test" --log_level=test_suite "$@"
