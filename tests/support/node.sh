# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A node of real parts, in private namespaces. Source it, call `node_enter "$@"` first, then start parts:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/../support/node.sh"
#   node_enter "$@"
#   start_registry
#   start_containerd
#
# Inside, everything is the test's own: /run, what it writes to /etc, /opt and /var, the network (loopback only, so that
# every port is free and registry.acme.example is a name), the process tree and $node_dir, a tmpfs. When the script ends,
# however it ends, the kernel ends every process and every mount with it: nothing is left on the machine. Needs root.
#
# Parts: node/signing.sh (registry, Notary, MariaDB), node/cosign.sh (cosign, and what it calls), node/tuf.sh, node/images.sh,
# node/runtime.sh (containerd, dockerd, crivet), node/trouble.sh (bent answers, another clock), node/expect.sh, node/attack.sh
# (on plain containerd, then through crivet), node/moving_names.sh (names that point elsewhere a moment later),
# node/machine.sh (a machine that systemd runs).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRIVET_BUILD:-$root/build}
readonly root build
readonly containerd_version=${CRIVET_CONTAINERD:-1.6}
readonly node_dir=${CRIVET_NODE_DIR:-}

# shellcheck source=tests/support/packages.sh
source "$root/tests/support/packages.sh"
# shellcheck source=tests/support/node/parts.sh
source "$root/tests/support/node/parts.sh"
# shellcheck source=tests/support/node/signing.sh
source "$root/tests/support/node/signing.sh"
# shellcheck source=tests/support/node/cosign.sh
source "$root/tests/support/node/cosign.sh"
# shellcheck source=tests/support/node/notation.sh
source "$root/tests/support/node/notation.sh"
# shellcheck source=tests/support/node/tuf.sh
source "$root/tests/support/node/tuf.sh"
# shellcheck source=tests/support/node/images.sh
source "$root/tests/support/node/images.sh"
# shellcheck source=tests/support/node/runtime.sh
source "$root/tests/support/node/runtime.sh"
# shellcheck source=tests/support/node/trouble.sh
source "$root/tests/support/node/trouble.sh"
# shellcheck source=tests/support/node/expect.sh
source "$root/tests/support/node/expect.sh"
# shellcheck source=tests/support/node/attack.sh
source "$root/tests/support/node/attack.sh"
# shellcheck source=tests/support/node/moving_names.sh
source "$root/tests/support/node/moving_names.sh"
# shellcheck source=tests/support/node/machine.sh
source "$root/tests/support/node/machine.sh"

say() { echo "$*" >&2; }

# Ends the test with a message. Works inside $(...) too, because `set -e` sees the failed substitution.
fail() {
  say "FAILED: $*"
  exit 1
}

# node_enter "$@": runs the calling script again, with its arguments, in private namespaces, and returns there.
node_enter() {
  if [[ -n $node_dir ]]; then
    node_prepare
    return
  fi
  if [[ $(id -u) != 0 ]]; then
    say "needs root: private namespaces, containers"
    exit 77  # CTest: skipped
  fi
  local problem
  if ! problem=$(unshare --mount --net --pid --fork --mount-proc true 2>&1); then
    say "this machine lets root make no namespaces: $problem"
    exit 77
  fi
  unpack_parts "$containerd_version"

  local dir child status=0
  dir=$(mktemp -d /tmp/crivet.XXXXXX)
  # Each dies with its parent: unshare with this shell, the namespaces with unshare.
  CRIVET_NODE_DIR=$dir setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc \
    --propagation private -- bash "$0" "$@" </dev/null &
  child=$!
  # unshare blocks TERM.
  trap 'kill -KILL $child 2>/dev/null' INT TERM HUP
  wait "$child" || status=$?
  remove_cgroups "$(basename "$dir")"
  rmdir "$dir"
  exit "$status"
}

# Containers that were killed with their process tree leave empty cgroups behind.
remove_cgroups() {
  local path
  for path in /sys/fs/cgroup/"$1" /sys/fs/cgroup/*/"$1"; do
    [[ -d $path ]] || continue
    find "$path" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

node_prepare() {
  set -o errtrace
  trap 'say "failed: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
  trap 'node_leave $?' EXIT
  trap 'exit 130' INT TERM HUP
  mount -t tmpfs -o mode=700 crivet "$node_dir"
  mkdir "$node_dir"/{log,pid}
  mount -t tmpfs -o mode=755 crivet /run
  mkdir /run/lock
  make_folders_private etc opt var
  ip link set lo up
  printf '127.0.0.1 localhost registry.acme.example notary.acme.example\n' >/etc/hosts
  local parts
  parts=$(parts_root)
  # The newer containerd goes first; runc comes from the running Debian in any case.
  PATH="$(parts_root "$(suite_of_containerd "$containerd_version")")/usr/bin:$build:$build/tests:$parts/usr/bin:$parts/usr/sbin:$parts/bin:$PATH"
  export PATH
  # What the caller's shell carries must not leak into the parts.
  unset DOCKER_HOST DOCKER_CONTENT_TRUST DOCKER_CONTENT_TRUST_SERVER CONTAINERD_ADDRESS http_proxy https_proxy \
    HTTP_PROXY HTTPS_PROXY NOTIFY_SOCKET
  export HOME=$node_dir/home TMPDIR=$node_dir/tmp CRIVET_CGROUP_PARENT=/${node_dir##*/}
  mkdir "$HOME" "$TMPDIR"
}

# make_folders_private NAME...: what is written below /NAME goes to the node's folder. Docker keeps a key in /etc/docker,
# containerd makes /opt/containerd, skopeo a cache in /var/lib, and none can be talked out of it.
make_folders_private() {
  local name
  mkdir "$node_dir/project"
  mount --bind "$root" "$node_dir/project"
  for name in "$@"; do
    mkdir -p "$node_dir/private/$name"/{upper,work}
    mount -t overlay -o "lowerdir=/$name,upperdir=$node_dir/private/$name/upper,workdir=$node_dir/private/$name/work" \
      crivet "/$name"
  done
  # The project may lie in one of them, and its logs are to stay.
  mount --bind "$node_dir/project" "$root"
}

# Keeps the logs of a test that failed, where CI finds them.
node_leave() {
  local status=$1 log kept
  trap - EXIT ERR
  if [[ $status != 0 && $status != 77 ]]; then
    kept=$build/test-logs/$(basename "$0")
    rm -rf "$kept"
    mkdir -p "$kept"
    cp "$node_dir"/log/* "$kept"/ 2>/dev/null || true
    say "--- logs are in $kept; their last lines:"
    for log in "$kept"/*; do
      [[ ! -s $log ]] || { say "--- ${log##*/}" && tail -n 8 "$log" | cut -c 1-300 >&2; }
    done
  fi
  stop_all_parts
  exit "$status"
}
