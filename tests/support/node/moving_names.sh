# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A tenant's names of an image, moved back and forth while others make containers of it. The runtime takes an image by the
# first of its names, and reads where it points after crivet has judged the image.
# shellcheck disable=SC2154  # of node.sh

# make_evil NAME COMMAND...: an image with a root file system of its own, and a configuration that takes long to read: the
# moment between CRI's memory of a name and where it points lasts as long as that.
make_evil() {
  local name=$1 layer=$node_dir/$1-layer
  mkdir -p "$layer/rootfs"/{bin,etc,tmp,proc,sys,dev}
  cp "$(parts_root)/bin/busybox" "$layer/rootfs/bin/"
  ln -s busybox "$layer/rootfs/bin/sh"
  ln -s busybox "$layer/rootfs/bin/sleep"
  printf '#!/bin/sh\nprintf "evil\\n"\n' >"$layer/rootfs/bin/echo"
  chmod 755 "$layer/rootfs/bin/echo"
  printf '%s' "$name" >"$layer/rootfs/etc/name"
  pack_layer "$layer" "$layer/rootfs"
  awk 'BEGIN { for (i = 0; i < 170000; i++) printf "%s{\"created_by\":\"%06d\"}", (i ? "," : ""), i }' >"$node_dir/history"
  image_history=$node_dir/history image_layer=$layer make_image "$@"
}

# layer_of NAME: what a container of that image must lie on, and directly: its chain of one layer.
layer_of() {
  local config
  config=$(config_digest "$1")
  grep -o '"diff_ids":\["sha256:[0-9a-f]*' "$node_dir/oci/$1/blobs/sha256/${config#sha256:}" | grep -o 'sha256:.*'
}

# move_names NAME EVIL GOOD: until $node_dir/moving is gone, about as fast as somebody could pull; not while
# $node_dir/moves-held is there.
move_names() {
  touch "$node_dir/moving"
  while [[ -e $node_dir/moving ]]; do
    ctr_client images tag --force "$2" "$1" >/dev/null 2>&1 || true
    ctr_client images tag --force "$3" "$1" >/dev/null 2>&1 || true
    echo >>"$node_dir/moves"
    sleep 0.1
    while [[ -e $node_dir/moves-held && -e $node_dir/moving ]]; do sleep 0.05; done
  done
}

# lies_on LAYER FILE: how many of the containers whose IDs are in the file lie on the layer.
lies_on() {
  ctr_client snapshots ls | awk -v layer="$1" '$2 == layer { print $1 }' | grep -cFxf "$2" || true
}

# seen_moved: how often crivet found something else than what it had judged.
seen_moved() { grep -c 'was not made from what was judged' "$node_dir/log/crivet.log" || true; }
