#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The environment itself, without crivet: if this fails, no other end-to-end failure means anything. Registry, Notary as in
# production, Docker's signing and a containerd of the chosen version do what their own documentation says.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

notary_mode=database
node() { kubelet_to "$containerd_sock" "$@"; }

start_registry
start_notary
push_pause
make_image web /bin/echo hello
make_index multi /bin/echo many
push_signed web shop/web 1.0
push multi shop/multi:1.0

# The signature survives its server.
part_kill notary-server
part_kill notary-signer
start_notary
found=$(notary_client lookup "$registry/shop/web" 1.0)
[[ $found == "1.0 $(image_digest web) $(image_size web)" ]] || fail "lookup says: $found"

# Docker signs, and refuses what is not signed.
start_dockerd
docker_load web "$registry/shop/docker:1.0"
docker_trusted push "$registry/shop/docker:1.0" >/dev/null 2>&1
docker_trusted pull "$registry/shop/docker:1.0" >/dev/null 2>&1
push web shop/docker:unsigned
if said=$(docker_trusted pull "$registry/shop/docker:unsigned" 2>&1); then
  fail "Docker pulled an unsigned tag"
fi
[[ $said == *"No valid trust data for unsigned"* ]] || fail "Docker says: $said"

# Containers of an image and of an index print; a restart of containerd loses neither.
start_containerd
[[ $(node version) == "containerd $containerd_version."* ]] || fail "this is $(node version)"
[[ $(node run "$registry/shop/web:1.0") == hello ]] || fail "no hello"
[[ $(node run "docker.io/shop/multi:1.0") == many ]] || fail "no index"
part_kill containerd
start_containerd
[[ $(node run --policy Never "$registry/shop/web:1.0") == hello ]] || fail "the image is gone"
