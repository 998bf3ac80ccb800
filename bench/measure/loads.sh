#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# By hand, about two minutes: what reading and verifying a repository costs over its number of tags, crivet beside Notary's own
# client, python-tuf and go-tuf. Writes load.json, load.md and load.svg in bench/results. Needs root and the preset `bench`.
#
#   bench/measure/loads.sh [ROUNDS]     5 or more for figures to keep; fewer only print the table
#   bench/measure/loads.sh report       the page and the picture from load.json again
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/packages.sh
source "$root/tests/support/packages.sh"
if [[ ${1:-} == report ]]; then
  exec /usr/bin/python3 "$root/bench/measure/loads.py" report
fi
ninja -C "$root/build-release" crivet trust_load_bench tuf_load_bench signed_repositories >&2
unpack_parts 1.6
unpack_tuf
unpack_apart go-tuf
unpack_apart python3-urllib3
libraries=usr/lib/python3/dist-packages
export PYTHONPATH=$root/tests/support/tuf:$parts_dir/tuf-sid/$libraries:$parts_dir/python3-urllib3/$libraries
# One processor, ahead of whoever else is at work: the figures are CPU time, and caches that others empty count into it.
exec taskset -c "$(($(nproc) - 1))" chrt --fifo 10 /usr/bin/python3 "$root/bench/measure/loads.py" \
  "$(parts_root)/usr/bin/notary" "$parts_dir/go-tuf/usr/bin/tuf-client" "${1:-7}"
