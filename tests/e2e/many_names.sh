#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whoever may pull some other name of an image may give it as many as he likes, and nobody's pods notice: with the name that the pod's
# author wrote, and without it, as kubelet before 1.28 asks.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

web=$registry/shop/web:1.0
names=1100

start_registry
start_notary
push_pause
make_image web /bin/echo hello
push_signed web shop/web 1.0
push web library/aaa:1
start_containerd
write_crivet_config < <(
  usual_rules
  cat <<TOML
[[rule]]
images = ["docker.io/library/forbidden"]
action = "deny"
[[rule]]
images = ["docker.io/library/*"]
action = "allow"
TOML
)
start_crivet
expect_output hello --namespace prod "$web"
kubelet --namespace dev pull docker.io/library/aaa:1 >/dev/null

say "$names names of the signed image"
mapfile -t more < <(seq -f 'docker.io/library/aaa:t%g' "$names")
ctr_client images tag docker.io/library/aaa:1 "${more[@]}" >/dev/null
shown() { [[ $(kubelet_to "$containerd_sock" --json image-status "$web" | grep -o 'library/aaa:t' | wc -l) -ge $names ]]; }
wait_until 90 "CRI to show them" shown

within 5000 expect_output hello --namespace prod "$web"
within 5000 expect_output hello --namespace prod --policy Always "$web"
within 15000 expect_output hello --namespace prod --no-user-specified "$web"

say "one that is forbidden is found among them"
ctr_client images tag docker.io/library/aaa:1 docker.io/library/forbidden:1 >/dev/null
has_forbidden() { kubelet_to "$containerd_sock" --json image-status "$web" | grep -q library/forbidden:1; }
wait_until 10 "CRI to show it" has_forbidden
expect_shown '*docker.io/library/forbidden:1*, denied]*' run --namespace prod --no-user-specified "$web"
expect_output hello --namespace prod "$web"
