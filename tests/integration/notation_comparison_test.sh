#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# notation and crivet beside each other: notation_comparison.py asks them the same inside a node with a docker-registry. The
# table that trust/notation/COMPARISON.md should have is left in build/notation_comparison.md.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
need_notation
node_enter "$@"

registry_yml 127.0.0.1:5055 >"$node_dir/registry.yml"
part_start registry docker-registry serve "$node_dir/registry.yml"
part_ready registry listens 5055
python3 "$root/tests/integration/notation_comparison.py" "$node_dir" "$root/tests/data/sigstore/index.jsonl" \
  "$root/trust/notation/COMPARISON.md" "$build/notation_comparison.md"
