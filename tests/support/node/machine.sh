# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine that systemd runs: a Debian folder booted by systemd-nspawn inside the node. It shares the node's network, so
# that the node's registry and Notary are there; everything else is its own.

readonly machine_root=$node_dir/machine/root

# machine_package: what a test of one needs before node_enter: the package, of what is built, and the folder.
machine_package() {
  local program
  [[ -z $node_dir && $(id -u) == 0 ]] || return 0
  for program in debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null || { say "needs $program (tests/packages)" && exit 77; }
  done
  if ! makes_devices; then
    say "this machine lets root make no device files, which a Debian folder that boots has"
    exit 77
  fi
  rm -rf "$(package_folder)"
  "$root/systemd/package.sh" "$build" "$(package_folder)" >/dev/null 2>&1 || fail "cannot pack $build"
  unpack_machine "$(echo "$(package_folder)"/crivet_*.deb)"
}
makes_devices() {
  local file works=1
  file=$(mktemp -u "$build/device.XXXXXX")
  mknod "$file" c 1 3 2>/dev/null && (: >"$file") 2>/dev/null && works=0
  rm -f "$file"
  return "$works"
}
package_folder() { echo "$build/package/$(basename "$0" .sh)"; }

# machine_next_package FOLDER VERSION: the same with a later version's number.
machine_next_package() {
  "$root/systemd/package.sh" "$build" "$1" "$2" >"$node_dir/log/package.log" 2>&1
}

# machine_containerd: the containerd that this run is about, with the Debian folder's runc. Images come from the node's
# registry, whatever their names.
machine_containerd() {
  local suite
  suite=$(suite_of_containerd "$containerd_version")
  [[ ${suite:-bookworm} == "$(machine_suite)" ]] || cp "$(parts_root "$suite")"/usr/bin/containerd* "$machine_root/usr/bin/"
  [[ $(machine_suite) != sid ]] || machine_runc_on_version_1
  mkdir -p "$machine_root/etc/containerd/certs.d/_default"
  printf 'server = "http://%s"\n[host."http://%s"]\n' "$registry" "$registry" \
    >"$machine_root/etc/containerd/certs.d/_default/hosts.toml"
  cat >"$machine_root/etc/containerd/config.toml" <<TOML
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause_image"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
TOML
}

# machine_runc_on_version_1: sid's systemd knows cgroups of version 2 alone, and where the host has its controllers on
# version 1 there are none: runc alone is given those, in mounts of its own.
machine_runc_on_version_1() {
  [[ ! -e /sys/fs/cgroup/cgroup.controllers ]] || return 0
  cat >"$machine_root/usr/local/sbin/runc" <<'SH'
#!/bin/sh
exec unshare --mount --propagation slave sh -ec '
  mount -t tmpfs none /sys/fs/cgroup
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
    mkdir "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller"
  done
  PATH=/usr/sbin:/usr/bin exec runc "$@"' runc "$@"
SH
  chmod +x "$machine_root/usr/local/sbin/runc"
}

# machine_prepare: the folder as it is before it boots; tests write to it. What they write goes with the node.
machine_prepare() {
  mkdir -p "$node_dir"/machine/{upper,work,root}
  mount -t overlay -o "lowerdir=$(machine_folder),upperdir=$node_dir/machine/upper,workdir=$node_dir/machine/work" \
    crivet-machine "$machine_root"
  cp /etc/hosts "$machine_root/etc/hosts"
}

# machine_boot: returns when everything has started. Ends the test as skipped where this machine cannot boot even the plain
# folder.
machine_boot() {
  local hierarchy=() init=()
  case $(machine_suite) in
    # Its systemd boots on cgroups of version 1 when it is told to, those that come later do not.
    trixie) init=(SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1) ;;
    sid) hierarchy=(env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1) ;;
  esac
  # containerd's layers cannot lie on an overlay; runc wants a keyring for each container.
  part_start machine in_cgroup "${node_dir##*/}" "${hierarchy[@]}" systemd-nspawn --register=no --keep-unit --quiet \
    --resolv-conf=off --system-call-filter="add_key keyctl bpf" --tmpfs=/var/lib/containerd \
    --bind-ro="$build/tests/kubelet_client:/usr/local/bin/kubelet_client" -D "$machine_root" --boot "${init[@]}"
  if ! machine_started; then
    say "this machine does not boot a Debian folder with systemd-nspawn: $(tail -n 3 "$node_dir/log/machine.log")"
    exit 77
  fi
}

# machine_reboot: everything that is only in memory is gone, and so is what containerd kept.
machine_reboot() {
  in_machine systemctl reboot
  # systemd-nspawn leaves starting it again to us.
  wait_until 60 "the machine to go down" not part_runs machine
  machine_boot
}

machine_started() {
  local hierarchy end=$((SECONDS + 60))
  until [[ $(in_machine systemctl is-system-running 2>/dev/null) == @(running|degraded) ]]; do
    part_runs machine && [[ $SECONDS -lt $end ]] || return 1
    sleep 0.05
  done
  # nspawn hands cgroups of version 1 over read-only, but for its own; containers need the others.
  for hierarchy in $(in_machine findmnt --noheadings --raw --output TARGET --types cgroup); do
    in_machine mount -o remount,bind,rw "$hierarchy"
  done
}

# in_cgroup NAME COMMAND…: in a group of that name in every hierarchy, so that nothing is left in the machine's own.
in_cgroup() {
  local folder
  for folder in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do
    [[ -e $folder/cgroup.procs ]] || continue
    mkdir -p "$folder/$1"
    if [[ -e $folder/cpuset.cpus ]]; then
      cat "$folder/cpuset.cpus" >"$folder/$1/cpuset.cpus"
      cat "$folder/cpuset.mems" >"$folder/$1/cpuset.mems"
    fi
    echo "$BASHPID" >"$folder/$1/cgroup.procs"
  done
  shift
  exec "$@"
}

# Its first process.
machine_leader() { pgrep --parent "$(part_pid machine)" | head -n 1; }

# in_machine COMMAND…: as root there, with a plain environment.
in_machine() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
    nsenter --target "$(machine_leader)" --mount --uts --ipc --pid --cgroup --wdns=/ -- "$@"
}

# kubelet_at SOCKET ARGUMENTS…: kubelet's calls, from inside the machine.
kubelet_at() {
  local socket=$1
  shift
  in_machine kubelet_client --endpoint "$socket" --log-root /var/log/pods --cgroup-parent /pods "$@"
}

# ends WANTED-EXIT COMMAND…: in the machine; what it says is in $said.
ends() {
  local wanted=$1 status=0
  shift
  said=$(in_machine "$@" 2>&1) || status=$?
  [[ $status == "$wanted" ]] || fail "$*: exit $status, wanted $wanted: $said"
}

# signal SIGNAL UNIT: to its main process.
signal() { in_machine sh -c "kill -$1 $(property "$2" MainPID)"; }

property() { in_machine systemctl show --value --property="$2" "$1"; }
journal() { in_machine journalctl --quiet --no-pager --output=cat "$@"; }

# The files, units and sockets of the machine. Not of interest: what containerd keeps of containers, and apt, systemd and
# the journal of themselves.
machine_state() {
  # A folder that is not there is part of the state.
  { in_machine find /etc /usr /opt /srv /var /run/containerd /run/crivet /run/systemd/system -xdev \
    '(' -path /var/lib/containerd -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd \
    -o -path /var/log -o -path /var/cache -o -path /var/tmp -o -path '/run/containerd/io.*' -o -path /run/containerd/runc \
    -o -path '/run/containerd/s/*' -o -path '/run/containerd/fifo/*' \
    ')' -prune -o -printf '%p %y %m %u:%g %l\n' 2>/dev/null || true; } | sort
  in_machine find /etc -xdev -type f -exec sha256sum '{}' + | sort -k 2
  in_machine systemctl list-unit-files --no-pager --no-legend --plain
  in_machine systemctl list-units --no-pager --no-legend --plain --type=service,socket,mount --state=active |
    awk '$1 !~ /^run-containerd-/ { print $1 }'
  ss --listening --unix --no-header --numeric | awk '{ print $5 }' | grep -E '^/run/(containerd/[^/]*|crivet/.*)$' | sort
}

# keep_state NAME, expect_state NAME [ALLOWED-DIFFERENCE]: the state is as it was, but for lines that match the pattern.
keep_state() { machine_state >"$node_dir/log/state-$1"; }
expect_state() {
  local differs
  machine_state >"$node_dir/log/state-now"
  differs=$(diff "$node_dir/log/state-$1" "$node_dir/log/state-now" | grep '^[<>]' | grep -vE "${2:-^$}" || true)
  [[ -z $differs ]] || fail "the machine is not as it was ($1): $differs"
}
