#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cosign, skopeo and crivet beside each other: cosign_comparison.py asks them the same inside a node with a docker-registry.
# The table that trust/sigstore/COMPARISON.md should have is left in build/cosign_comparison.md.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
need_cosign
[[ -n $node_dir ]] || unpack_peer
node_enter "$@"

# By a path of its own: the one in the path is Debian 12's, where sigstore is switched off.
peer=$parts_dir/peer/usr
mkdir "$node_dir/peer"
cat >"$node_dir/peer/skopeo" <<SH
#!/bin/sh
exec "$peer/lib64/ld-linux-x86-64.so.2" --library-path "$peer/lib/x86_64-linux-gnu" "$peer/bin/skopeo" "\$@"
SH
chmod +x "$node_dir/peer/skopeo"
PATH=$node_dir/peer:$PATH

registry_yml 127.0.0.1:5055 >"$node_dir/registry.yml"
part_start registry docker-registry serve "$node_dir/registry.yml"
part_ready registry listens 5055
python3 "$root/tests/integration/cosign_comparison.py" "$node_dir" "$root/tests/data/sigstore/index.jsonl" \
  "$root/trust/sigstore/COMPARISON.md" "$build/cosign_comparison.md"
