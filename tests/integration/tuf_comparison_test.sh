#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# python-tuf, go-tuf and crivet beside each other: tuf_comparison.py serves them editions of a repository of TUF 1.0 and asks all
# the same. The rows that trust/tuf1/COMPARISON.md should have are left in build/tuf_comparison.md.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/packages.sh
source "$root/tests/support/packages.sh"
build=${CRIVET_BUILD:-$root/build}
unpack_tuf
unpack_apart go-tuf
unpack_apart python3-urllib3
libraries=usr/lib/python3/dist-packages
PYTHONPATH=$root/tests/support/tuf:$parts_dir/tuf-sid/$libraries:$parts_dir/python3-urllib3/$libraries \
  exec /usr/bin/python3 "$root/tests/integration/tuf_comparison.py" "$build/tests/tuf_editions" "$build/crivet" \
  "$parts_dir/go-tuf/usr/bin/tuf-client" "$root/trust/tuf1/COMPARISON.md" "$build/tuf_comparison.md"
