#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes onto nodes: the Debian package, the tarball, `cmake --install`, and the units.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRIVET_BUILD:-$root/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

for program in cpack dpkg-shlibdeps systemd-analyze; do
  command -v "$program" >/dev/null || { echo "needs $program" && exit 77; }
done

pack() { "$root/systemd/package.sh" "$build" "$1" >"$work/pack.log" 2>&1 || fail "$(tail -n 5 "$work/pack.log")"; }

# Another time, another folder, files that were made anew: the same bytes.
pack "$work/first"
find "$build/systemd" -name '*.gz' -exec touch {} +
pack "$work/second"
for file in "$work"/first/*; do
  cmp "$file" "$work/second/${file##*/}" || fail "${file##*/} differs when it is packed again"
done
"$root/systemd/linked_with" "$build/crivet" || fail "the program starts on this Debian alone"
deb=$(echo "$work"/first/crivet_*.deb)
tarball=$(echo "$work"/first/crivet-*.tar.gz)

if command -v lintian >/dev/null; then
  # What it warns of and we want stands, with reasons, in systemd/deb/lintian-overrides.
  lintian --fail-on warning "$deb" 2>/dev/null || fail "lintian finds what nobody has explained"
else
  echo "no lintian here (tests/packages, kind dev): not checked with it"
fi

# Where it was built stands in no message of an assertion or a library.
dpkg-deb --fsys-tarfile "$deb" | tar --extract --to-stdout ./usr/bin/crivet >"$work/packed"
where=$(strings -a "$work/packed" | grep -E '(^|/)(trust|proxy|api)/[a-z0-9_/]+[.](cc|h)$' || true)
[[ -z $where ]] || fail "the program names its sources, $(head -n 3 <<<"$where")"

# The three ways give the same tree.
DESTDIR=$work/installed cmake --install "$build" --component crivet >/dev/null
files() { sed 's,/$,,; /^$/d' | sort; }
(cd "$work/installed" && find . -mindepth 1 -printf '%P\n') | files >"$work/of-install"
tar --list --file "$tarball" | sed 's,^[^/]*/,,' | files >"$work/of-tarball"
dpkg-deb --contents "$deb" | sed 's,.* \./,,; s, -> .*,,' | files >"$work/of-deb"
for other in tarball deb; do
  diff "$work/of-install" "$work/of-$other" || fail "cmake --install and the $other differ"
done

# What is in it.
"$build/crivet" --help | sed -n '/^Subcommands:/,/^$/p' | grep -oE '^  [a-z]+ ' | while read -r command; do
  grep -qx "usr/share/man/man8/crivet-$command.8.gz" "$work/of-deb" || fail "no manual page for crivet $command"
done
for file in etc/crivet/config.toml usr/share/man/man5/crivet.toml.5.gz usr/share/man/man8/crivet.8.gz \
  usr/share/bash-completion/completions/crivet usr/share/zsh/vendor-completions/_crivet usr/share/doc/crivet/copyright \
  usr/lib/sysusers.d/crivet.conf usr/lib/tmpfiles.d/crivet.conf usr/share/doc/crivet/README.md \
  usr/share/doc/crivet/operations.md usr/share/doc/crivet/sbom.spdx.json usr/share/doc/crivet/trust.md usr/share/doc/crivet/schema/{audit,check,config,status,verify,would-refuse}.json; do
  grep -qx "$file" "$work/of-deb" || fail "$file is not in the package"
done
grep -qx 'mode = "audit"' "$work/installed/etc/crivet/config.toml" || fail "the package would enforce"
"$build/crivet" check --config "$work/installed/etc/crivet/config.toml" >/dev/null || fail "the package's configuration is wrong"

verifier=$work/installed/usr/lib/crivet/image-verifier
[[ $(ls "$verifier") == crivet-image-verifier ]] || fail "containerd would run more than the verifier: $(ls "$verifier")"
[[ $(realpath -m "$verifier/crivet-image-verifier") == "$work/installed/usr/bin/crivet" ]] || fail "the verifier's link leads astray"

sbom=$work/installed/usr/share/doc/crivet/sbom.spdx.json
for part in grpc protobuf abseil re2 c-ares simdjson fmtlib spdlog nlohmann-json3; do
  grep -q "\"name\": \"$part\"" "$sbom" || fail "the bill of materials has no $part"
done

# The units, as far as they can be judged where systemd does not run them. verify wants the program to be there.
units=$work/installed/usr/lib/systemd/system
systemd-analyze security --offline=true --no-pager --threshold=20 "$units/crivet.service" | tail -n 1
grep -qx LimitCORE=0 "$units/crivet.service" || fail "cores would have pull secrets in them"
sed -i "s,=/usr/bin/crivet ,=$build/crivet ," "$units/crivet.service"
complaints=$(systemd-analyze verify --man=no "$units/crivet.service" "$units/crivet.socket" 2>&1 | grep crivet || true)
[[ -z $complaints ]] || fail "systemd-analyze verify: $complaints"
