# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What runs containers: containerd, and Docker's engine for its own trust flow; and crivet in front of containerd.

readonly containerd_sock=$node_dir/containerd.sock
readonly crivet_sock=$node_dir/crivet.sock

# Every name resolves to the one registry, so that images keep the names that people know.
write_mirrors() {
  mkdir -p "$node_dir/mirrors/_default"
  cat >"$node_dir/mirrors/_default/hosts.toml" <<TOML
server = "http://$registry"
[host."http://$registry"]
TOML
}

start_containerd() {
  write_mirrors
  cat >"$node_dir/containerd.toml" <<TOML
version = 2
root = "$node_dir/containerd/root"
state = "$node_dir/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$containerd_sock"
[ttrpc]
  address = "$containerd_sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_image"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$node_dir/cni/bin"
    conf_dir = "$node_dir/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$node_dir/mirrors"
TOML
  part_start containerd containerd --config "$node_dir/containerd.toml"
  part_ready containerd kubelet_client --endpoint "$containerd_sock" status --ready
}

# containerd's own client, in the namespace of CRI.
ctr_client() { ctr --address "$containerd_sock" --namespace k8s.io "$@"; }

# kubelet_to SOCKET ...: the tests' kubelet, with its logs inside the node's folder.
kubelet_to() {
  local socket=$1
  shift
  kubelet_client --endpoint "$socket" --log-root "$node_dir/pods" "$@"
}
kubelet() { kubelet_to "$crivet_sock" "$@"; }

# Docker's engine and client, without a bridge and without touching the firewall. It starts a containerd of its own.
start_dockerd() {
  part_start dockerd env "PATH=$(parts_root)/usr/bin:$PATH" dockerd --bridge=none --iptables=false --ip6tables=false \
    --data-root "$node_dir/docker/data" --exec-root /run/docker-exec -H "unix://$node_dir/docker.sock" \
    --pidfile "$node_dir/docker.pid" --insecure-registry "$registry"
  part_ready dockerd docker_client version
  mkdir -p "$HOME/.docker/tls/${notary_url#https://}"
  cp "$node_dir/tls/ca.crt" "$HOME/.docker/tls/${notary_url#https://}/ca.crt"
}

docker_client() { "$(parts_root)/usr/bin/docker" --host "unix://$node_dir/docker.sock" "$@"; }

# The client under Content Trust: push signs, pull verifies.
docker_trusted() {
  DOCKER_CONTENT_TRUST=1 DOCKER_CONTENT_TRUST_SERVER=$notary_url DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE=passphrase \
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE=passphrase docker_client "$@"
}

# docker_load NAME REFERENCE: an OCI layout into the engine, without signing.
docker_load() {
  skopeo --insecure-policy copy --quiet "oci:$node_dir/oci/$1" "docker-archive:$node_dir/tmp/$1.tar:$2" \
    >>"$node_dir/log/skopeo.log" 2>&1
  docker_client load --quiet --input "$node_dir/tmp/$1.tar" >>"$node_dir/log/docker.log"
  rm "$node_dir/tmp/$1.tar"
}

# Serves $node_dir/crivet.toml.
crivet_environment=()  # NAME=value; trouble.sh puts a clock there
start_crivet() {
  part_start crivet env "${crivet_environment[@]}" crivet serve --config "$node_dir/crivet.toml"
  part_ready crivet kubelet version
}

# usual_rules: what most tests' nodes go by: what is in the registry is verified by Notary with the publisher's root key, the
# pause image may run, nothing else.
usual_rules() {
  local lines
  printf -v lines 'trust = "acme"\nroot = { key_ids = ["%s"] }' "$(root_key_id)"
  rules_by "$lines"
}

# rules_by LINES: the usual rules, with LINES saying by whom the registry's images are verified.
rules_by() {
  local lines=$1
  cat <<TOML
[default]
action = "deny"
[[rule]]
images = ["$registry/**"]
action = "verify"
$lines
[[rule]]
images = ["registry.k8s.io/pause"]
action = "allow"
TOML
}

# write_crivet_config <<TOML: everything but [default] and the rules, which come from stdin. A test's own lines come in
# crivet_head (top level), crivet_trust and crivet_gate; crivet_trust_url, crivet_trust_auth and crivet_upstream where these are
# not Notary, "none" and containerd.
write_crivet_config() {
  local gate=${crivet_gate:-}
  # The Status of containerd 2.1 no longer tells the name of the sandbox image.
  [[ $containerd_version != 2.* ]] || gate+=$'\n'"sandbox_image = \"$pause_image\""
  mkdir -p "$node_dir/crivet-state"
  {
    cat <<TOML
listen = "$crivet_sock"
upstream = "${crivet_upstream:-$containerd_sock}"
state_dir = "$node_dir/crivet-state"
admin = "$node_dir/crivet-admin.sock"
${crivet_head:-}
[trust.acme]
kind = "notary"
url = "${crivet_trust_url:-$notary_url}"
ca_file = "$node_dir/tls/ca.crt"
auth = "${crivet_trust_auth:-none}"
${crivet_trust:-}
[gate]
$gate
[log]
level = "info"
audit = "$node_dir/log/audit.log"
TOML
    cat
  } >"$node_dir/crivet.toml"
}
