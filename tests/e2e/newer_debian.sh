#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program that was built here starts on newer Debians too: in folders with their libraries, and nothing of this machine.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRIVET_BUILD:-$root/build}
# shellcheck source=tests/support/packages.sh
source "$root/tests/support/packages.sh"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
[[ $(id -u) == 0 ]] || { echo "needs root: chroot" && exit 77; }
"$root/systemd/linked_with" "$build/crivet" || fail "it could not start there"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$("$build/crivet" version)
for suite in trixie sid; do
  unpack_root "$suite"
  # The folder stays as it is for whoever else uses it.
  cp -a "$parts_dir/root-$suite" "$work/$suite"
  mkdir -p "$work/$suite"/{etc/crivet,opt/containerd}
  cp "$build/crivet" "$work/$suite/usr/bin/crivet"
  ln -s crivet "$work/$suite/usr/bin/crivet-image-verifier"
  cp "$root/systemd/config.toml" "$work/$suite/etc/crivet/config.toml"
  inside() { chroot "$work/$suite" "$@"; }
  [[ $(inside /usr/bin/crivet version) == "$version" ]] || fail "$suite: crivet version"
  said=$(inside /usr/bin/crivet check 2>&1) || fail "$suite: crivet check: $said"
  [[ $said == *"config.toml: good:"* ]] || fail "$suite: crivet check: $said"
  status=0
  said=$(inside /usr/bin/crivet-image-verifier -name x </dev/null) || status=$?
  [[ $status == 64 ]] || fail "$suite: crivet-image-verifier: exit $status: $said"
  echo "$suite: $(inside /lib64/ld-linux-x86-64.so.2 --version | head -n 1): $version starts, and checks a configuration"
done
