# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests/demo and tests/run do before anything else. Sourced after node.sh.

# become_root "$@": returns as root, or runs the calling script again with sudo and says so.
become_root() {
  [[ $(id -u) != 0 ]] || return 0
  if ! command -v sudo >/dev/null; then
    say "$0 needs root, to install packages and to start containers, and there is no sudo here: run it as root."
    exit 1
  fi
  say "$0 needs root, to install packages and to start containers: calling sudo."
  exec sudo CRIVET_CONTAINERD="$containerd_version" CI="${CI:-}" TUF_CONFORMANCE="${TUF_CONFORMANCE:-}" "$0" "$@"
}

# Runs a command as the owner of the project's folder, so that what root builds does not belong to root.
as_owner() {
  local owner
  owner=$(stat -c %U "$root")
  if [[ $(id -u) != 0 || $owner == root || $owner == UNKNOWN ]]; then
    "$@"
  else
    runuser -u "$owner" -- "$@"
  fi
}

# build_project PRESET [TARGET...]: configures once and builds.
build_project() {
  local preset=$1 dir=$root/build
  shift
  [[ $preset == default ]] || dir=$root/build-$preset
  if [[ ! -e $dir/build.ninja ]]; then
    say "Configuring the $preset build"
    (cd "$root" && as_owner cmake --preset "$preset" --log-level=WARNING >&2)
  fi
  say "Building ($preset)"
  as_owner cmake --build "$dir" ${1:+--target "$@"} >&2
}

# Everything that needs the network.
fetch_everything() {
  install_packages build
  install_packages tools
  unpack_sources
  unpack_parts "$containerd_version"
  give_build_back
}

# What root made in the build folder goes to the owner of the project's folder, but for the machines' files: their owners
# are part of them.
give_build_back() {
  find "$root/build" -path "$parts_dir/machine*" -prune -o -exec chown --no-dereference --reference="$root" {} +
}
