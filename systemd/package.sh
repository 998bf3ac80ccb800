#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packs what is built, for Debian and as a tarball of the same tree. The same build gives the same bytes, whenever and on
# whatever file system it is packed; builds of preset release are the same wherever they were made.
#
#   package.sh BUILD FOLDER [VERSION]
#
# leaves crivet_VERSION_ARCHITECTURE.deb and crivet-VERSION-linux-ARCHITECTURE.tar.gz in FOLDER. Every file in them has the
# time of SOURCE_DATE_EPOCH, else of the last commit, else of CHANGELOG.md.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd)
folder=$2
version=${3:-}

epoch() { git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/CHANGELOG.md"; }

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(epoch)}
export SOURCE_DATE_EPOCH

missing() {
  echo "package.sh: $*" >&2
  exit 1
}
# needs PROGRAM PACKAGE
needs() { command -v "$1" >/dev/null || missing "there is no $1: apt-get install $2"; }
needs cpack cmake
needs dpkg-deb dpkg
needs dpkg-shlibdeps dpkg-dev
needs readelf binutils
"$root/systemd/linked_with" "$build/crivet" >&2 || missing "it would start on this Debian alone. Sources of what is linked in" \
  "are unpacked by: bash -c 'root=$root; . $root/tests/support/packages.sh; unpack_sources'; then configure and build again"

umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

# Built for another architecture: what it is linked with lies in a folder with a dpkg database of its own. dpkg-shlibdeps gets
# a copy in which the files have the names that they have here, below /lib and /usr/lib alike.
sysroot=$(sed -n 's/^set(CPACK_CRIVET_SYSROOT "\(.*\)")$/\1/p' "$build/CPackConfig.cmake")
if [[ -n $sysroot ]]; then
  mkdir "$work/dpkg"
  cp -r "$sysroot/var/lib/dpkg/." "$work/dpkg"
  sed -i "/^\/lib\//{p;s,^,/usr,}" "$work"/dpkg/info/*.list
  sed -i "s,^/,$sysroot/," "$work"/dpkg/info/*.list
  DPKG_ADMINDIR=$work/dpkg
  DEB_HOST_ARCH=$(sed -n 's/^set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE "\(.*\)")$/\1/p' "$build/CPackConfig.cmake")
  export DPKG_ADMINDIR DEB_HOST_ARCH
fi

# CPack knows what the package depends on; it takes the files in the folder's own order, dpkg-deb sorts them.
cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work" ${version:+-R "$version"}
deb=$(basename "$work"/*.deb)
dpkg-deb --raw-extract "$work/$deb" "$work/tree"
dpkg-deb --root-owner-group --threads-max=1 --build "$work/tree" "$folder/$deb"

rm -r "$work/tree/DEBIAN"
name=${deb%.deb}
name=crivet-$(cut -d _ -f 2 <<<"$name")-linux-${name##*_}
mv "$work/tree" "$work/$name"
tar --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --create "$name" |
  gzip -9n >"$folder/$name.tar.gz"
