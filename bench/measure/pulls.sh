# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Pulls of a large image, timed: what the measurements on a node of real parts have in common. Sourced inside the node;
# `image` is the reference.

now_us() { echo "${EPOCHREALTIME/./}"; }
report() { printf '%s\t%s\n' "$1" "$2"; }

# timed NAME COMMAND...: reports how long it took.
timed() {
  local name=$1 began
  shift
  began=$(now_us)
  "$@" >/dev/null 2>>"$node_dir/log/timed.log" || fail "$*"
  report "$name" "$((($(now_us) - began) / 10))e-2"
}

# An image whose layer does not compress, as large as a usual one.
make_large_image() {
  local layer_dir base
  base=$(base_layer)
  layer_dir=$base/rootfs
  head -c "${1}M" /dev/urandom >"$layer_dir/filling"
  rm "$base/layer.tar.gz" "$base/diff_id"
  tar -C "$layer_dir" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$base/layer.tar" .
  sha256_of "$base/layer.tar" >"$base/diff_id"
  gzip -1 -n "$base/layer.tar"
  make_image large /bin/true
}

pull_and_remove() {
  local name=$1 socket=$2
  timed "$name" kubelet_to "$socket" pull "$image"
  kubelet_to "$containerd_sock" rmi "$image" >/dev/null
  # What was removed is gone from the content store before the next pull, or that would find its layer.
  wait_until 20 "the layer to be collected" no_content
}
no_content() { [[ -z $(ctr_client content ls -q) ]]; }

forget_all() {
  part_stop crivet
  rm -rf "$node_dir/crivet-state"
  mkdir "$node_dir/crivet-state"
  start_crivet
}

# measure_pulls ROUNDS: each round straight to containerd, through crivet that knows the image, and through one that knows
# nothing.
measure_pulls() {
  local rounds=$1 i
  for ((i = 0; i < rounds; ++i)); do
    pull_and_remove "pull direct" "$containerd_sock"
    pull_and_remove "pull crivet, warm" "$crivet_sock"
    forget_all
    pull_and_remove "pull crivet, first sight" "$crivet_sock"
  done
}
