#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What crivet adds to one CreateContainer, on a node of real parts: straight to containerd; through crivet where a rule in
# audit mode judges the image, which is all but the look at what was made; and where the rule is enforced. Prints lines
# `name<TAB>value`, times in ms.
#
#   bench/measure/creations.sh quick|full
set -euo pipefail

export CRIVET_BUILD=${CRIVET_BUILD:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build-release" && pwd)}
# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../tests/support/node.sh"
node_enter "$@"
PATH=$CRIVET_BUILD/bench:$PATH

rounds=300
[[ $1 == full ]] || rounds=20
web=$registry/shop/web:1.0
start_registry
start_notary
push_pause
make_image web /bin/echo hello
push_signed web shop/web 1.0
start_containerd
write_crivet_config < <(usual_rules
  cat <<TOML
[[rule]]
images = ["$registry/**"]
namespaces = ["judged"]
mode = "audit"
action = "verify"
trust = "acme"
root = { key_ids = ["$(root_key_id)"] }
TOML
)
start_crivet
kubelet pull "$web" >/dev/null
container_creations "$rounds" "$(kubelet image-status "$web" | head -n 1)" "$web" "$node_dir/pods" "$containerd_sock" \
  "create a container, direct=$containerd_sock=direct" \
  "create a container, judged=$crivet_sock=judged" \
  "create a container, judged and checked=$crivet_sock=checked"
judged=$(grep -c '"method":"/runtime.v1.RuntimeService/CreateContainer"' "$node_dir/log/audit.log" || true)
[[ $judged -ge $((rounds * 2)) ]] ||
  fail "crivet judged fewer containers than it was asked for"
