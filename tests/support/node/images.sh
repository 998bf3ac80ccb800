# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Images without a network: OCI layouts written by hand around a static busybox. Every file has a fixed time and owner, so
# that the same arguments give the same digest.

readonly image_platform=amd64

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# store_blob FILE: moves a file into the layout in the working folder; prints its descriptor without a media type.
store_blob() {
  local digest size
  digest=$(sha256_of "$1")
  size=$(stat -c %s "$1")
  mv "$1" "blobs/sha256/$digest"
  printf '"digest":"sha256:%s","size":%s' "$digest" "$size"
}

# pack_layer FOLDER ROOTFS: makes layer.tar.gz and diff_id in FOLDER.
pack_layer() {
  mkdir -p "$1"
  tar -C "$2" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$1/layer.tar" .
  sha256_of "$1/layer.tar" >"$1/diff_id"
  gzip -1 -n "$1/layer.tar"
}

# The one layer of an image: of the folder $image_layer where a test has made one, else busybox with its common names.
# Printed: its folder, with layer.tar.gz and diff_id.
base_layer() {
  local dir=${image_layer:-$node_dir/base-layer} name
  if [[ ! -e $dir/diff_id ]]; then
    mkdir -p "$dir"/rootfs/{bin,etc,tmp,proc,sys,dev}
    cp "$(parts_root)/bin/busybox" "$dir/rootfs/bin/"
    for name in sh echo cat ls sleep true false id test; do
      ln -s busybox "$dir/rootfs/bin/$name"
    done
    printf 'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n' >"$dir/rootfs/etc/passwd"
    pack_layer "$dir" "$dir/rootfs"
  fi
  echo "$dir"
}

# image_config ARCHITECTURE COMMAND...: the JSON of an image's configuration.
image_config() {
  local architecture=$1 command
  shift
  command=$(printf ',"%s"' "$@")
  printf '{"architecture":"%s","os":"linux","config":{"Cmd":[%s],"Env":["PATH=%s"]},' "$architecture" "${command#,}" "${image_path:-/bin}"
  if [[ -n ${image_history:-} ]]; then printf '"history":[' && cat "$image_history" && printf '],'; fi
  printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(cat "$(base_layer)/diff_id")"
}

# make_image NAME COMMAND...: an OCI layout at $node_dir/oci/NAME whose containers run COMMAND (no quotes or backslashes).
# Environment: image_annotations='"key":"value",…' go into the manifest; image_layer, image_path: what is in it, and where
# its containers look for programs; image_history: a file with the entries of its configuration's history.
make_image() {
  local name=$1 manifest
  shift
  manifest=$(image_layout "$name" "$image_platform" "$@")
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s}]}' "$manifest" \
    >"$node_dir/oci/$name/index.json"
}

# image_layout NAME ARCHITECTURE COMMAND...: adds one platform's blobs to a layout; prints the manifest's descriptor.
image_layout() {
  local dir=$node_dir/oci/$1 architecture=$2 base config layer
  shift 2
  base=$(base_layer)
  mkdir -p "$dir/blobs/sha256"
  cd "$dir" || exit
  echo '{"imageLayoutVersion":"1.0.0"}' >oci-layout
  cp "$base/layer.tar.gz" layer
  layer=$(store_blob layer)
  image_config "$architecture" "$@" >config
  config=$(store_blob config)
  cat >manifest <<JSON
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",${image_annotations:+\"annotations\":{$image_annotations\},}"config":{"mediaType":"application/vnd.oci.image.config.v1+json",$config},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",$layer}]}
JSON
  store_blob manifest
}

# make_index NAME COMMAND...: as make_image, as an index of two platforms.
make_index() {
  local name=$1 dir=$node_dir/oci/$1 architecture manifests=()
  shift
  for architecture in amd64 arm64; do
    manifests+=("$(printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,"platform":{"architecture":"%s","os":"linux"}}' \
      "$(image_layout "$name" "$architecture" "$@")" "$architecture")")
  done
  (
    cd "$dir" || exit
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s,%s]}' \
      "${manifests[@]}" >index
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",%s}]}' \
      "$(store_blob index)" >index.json
  )
}

# image_digest NAME, image_size NAME: of the manifest or index, as a signature names it.
image_digest() { grep -o 'sha256:[0-9a-f]*' "$node_dir/oci/$1/index.json"; }
image_size() { grep -o '"size":[0-9]*' "$node_dir/oci/$1/index.json" | cut -d : -f 2; }

# make_checkpoint NAME BASE TAG: a checkpoint as the runtime writes it, of a container that ran BASE, name@digest, under TAG.
# Its archive is at $node_dir/NAME-layer/layer.tar.
make_checkpoint() {
  local name=$1 dir=$node_dir/$1-layer
  mkdir -p "$dir/dump"
  echo '{"ociVersion":"1.0.0","annotations":{}}' >"$dir/dump/spec.dump"
  printf '{"id":"1","name":"web","rootfsImage":"%s","rootfsImageRef":"%s","rootfsImageName":"%s","runtime":"runc"}' \
    "$3" "$2" "$3" >"$dir/dump/config.dump"
  printf '{"id":"1","metadata":{"name":"web"},"image":{"image":"%s"},"labels":{},"annotations":{}}' "$3" >"$dir/dump/status.dump"
  tar -C "$dir/dump" --owner=0 --group=0 -cf "$dir/layer.tar" .
  sha256_of "$dir/layer.tar" >"$dir/diff_id"
  gzip -1 -n -k "$dir/layer.tar"
  image_layer=$dir image_annotations='"org.criu.checkpoint.container.name":"web"' make_image "$name" /bin/true
}

# config_digest NAME: the ID of an image of one platform.
config_digest() {
  local manifest
  manifest=$(image_digest "$1")
  grep -o '"config":{[^}]*}' "$node_dir/oci/$1/blobs/sha256/${manifest#sha256:}" | grep -o 'sha256:[0-9a-f]*'
}

# push NAME REFERENCE: from the layout to the registry; REFERENCE without the registry's name.
push() {
  skopeo --insecure-policy copy --quiet --all --dest-tls-verify=false "oci:$node_dir/oci/$1" \
    "docker://$registry/$2" >>"$node_dir/log/skopeo.log" 2>&1
}

# push_signed NAME GUN-BELOW-THE-REGISTRY TAG [ROLE]
push_signed() {
  push "$1" "$2:$3"
  sign "$registry/$2" "$3" "$(image_digest "$1")" "$(image_size "$1")" "${4:-targets}"
}

# The sandbox image of every pod: containerd pulls it by itself, through the mirror in hosts.toml.
readonly pause_image=registry.k8s.io/pause:3.9
push_pause() {
  make_image pause /bin/sleep 2147483647
  push pause pause:3.9
}
