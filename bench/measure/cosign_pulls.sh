#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pulls by tag of an image that cosign signed with a key, from a docker-registry on loopback: straight to containerd,
# through crivet that knows its signature, and through one that knows nothing. Prints each as a line `name<TAB>ms`, then
# the medians of the ratios to the direct pull of the same round.
#
#   bench/measure/cosign_pulls.sh [rounds, 21] [MiB, 128]
set -euo pipefail

export CRIVET_BUILD=${CRIVET_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build-release" && pwd)}
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tests/support/node.sh"
need_cosign
node_enter "$@"
# shellcheck source=bench/measure/pulls.sh
source "$root/bench/measure/pulls.sh"

image=$registry/shop/large:1.0
start_registry
make_large_image "${2:-128}"
push large shop/large:1.0
cosign_key release
cosign_image release large shop/large
start_containerd
make_certificates
cosign_trusts
write_crivet_config < <(usual_rules "$(cosign_rule release)")
start_crivet
kubelet_to "$crivet_sock" pull "$image" >/dev/null  # the page cache is warm, the signature is there
kubelet_to "$containerd_sock" rmi "$image" >/dev/null
wait_until 20 "the layer to be collected" no_content

measure_pulls "${1:-21}" | tee "$node_dir/tmp/pulls"
awk -F '\t' '
  function median(of, n,   i, j, t) {
    for (i = 2; i <= n; ++i) for (j = i; j > 1 && of[j] < of[j - 1]; --j) { t = of[j]; of[j] = of[j - 1]; of[j - 1] = t }
    return n % 2 ? of[(n + 1) / 2] : (of[n / 2] + of[n / 2 + 1]) / 2
  }
  $1 == "pull direct" { direct = $2; ++n }
  $1 == "pull crivet, warm" { warm[n] = $2 / direct }
  $1 == "pull crivet, first sight" { cold[n] = $2 / direct }
  END { printf "warm, x direct\t%.3f\nfirst sight, x direct\t%.3f\n", median(warm, n), median(cold, n) }
' "$node_dir/tmp/pulls"
