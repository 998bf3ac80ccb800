#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An environment variable out of a Secret, an argument: what the gate does not judge may hold any bytes. A container
# that starts on the runtime alone starts through crivet, and says the same.
set -euo pipefail

# shellcheck source=tests/support/node.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
node_enter "$@"

image=$registry/shop/web:1.0

# request POD NAME: a CreateContainer in hexadecimal, with bytes that are not UTF-8 in everything that is not judged.
request() {
  python3 - "$(id_of "$image")" "$1" "$2" "$node_dir" "$image" <<'PY'
import sys

image, pod, name, folder, written = sys.argv[1:]
odd = b"p\xffa\xfe"

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])

def field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value

pair = field(1, "PASSWORD") + field(2, odd)
labels = field(9, field(1, "io.kubernetes.container.name") + field(2, name))
config = (field(1, field(1, name)) + field(2, field(1, image) + field(18, written)) + field(3, "/bin/sh") + field(4, "-c")
          + field(4, b'echo "[$PASSWORD]"; : ' + odd) + field(6, pair) + labels
          + field(11, name + ".log"))
sandbox = field(1, field(1, "p") + field(2, "p") + field(3, "default")) + field(3, folder + "/pods") + field(7, pair)
print((field(1, pod) + field(2, config) + field(3, sandbox)).hex())
PY
}

# says_through SOCKET: what a container says that was made there.
says_through() {
  local name=${1##*/} container
  name=${name%.sock}
  kubelet_to "$1" raw /runtime.v1.RuntimeService/CreateContainer "$(request "$pod" "$name")" >/dev/null
  container=$(ctr_client containers list -q "labels.\"io.kubernetes.container.name\"==$name")
  kubelet_to "$containerd_sock" start "$container" >/dev/null
  kubelet_to "$containerd_sock" logs "$container" | od -An -tx1
}

start_registry
push_pause
make_image web /bin/echo hello
push web shop/web:1.0
start_containerd
make_certificates
crivet_head='mode = "audit"' write_crivet_config <<'TOML'
[default]
action = "deny"
TOML
start_crivet
kubelet pull "$image" >/dev/null
pod=$(kubelet_to "$containerd_sock" --name p --uid p run-pod)

alone=$(says_through "$containerd_sock")
expect "the runtime alone starts it" "1" "$(grep -c ' ef bf bd ' <<<"$alone")"
expect "it says the same through crivet" "$alone" "$(says_through "$crivet_sock")"
