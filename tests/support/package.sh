#!/bin/bash
# Packs what is built, as `cmake --build … --target package` does, but alike byte for byte wherever and whenever it runs.
#
#   package.sh BUILD FOLDER [VERSION]
#
# leaves crivet_VERSION_ARCHITECTURE.deb and crivet-VERSION-Linux.tar.gz in FOLDER. Every file in them has the time of
# SOURCE_DATE_EPOCH, else of the last commit, else of CHANGELOG.md.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$1" && pwd)
folder=$2
version=${3:-}

epoch() { git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/CHANGELOG.md"; }

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(epoch)}
export SOURCE_DATE_EPOCH
umask 022
mkdir -p "$folder"
cpack --config "$build/CPackConfig.cmake" -B "$folder" ${version:+-R "$version"}
rm -r "$folder/_CPack_Packages"
