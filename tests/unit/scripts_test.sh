#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts are clean, and tests/README.md names exactly the packages of tests/packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if command -v shellcheck >/dev/null; then
  # What is only sourced is checked with the scripts that source it.
  find .ci tests systemd -type f -perm -u=x \( ! -name '*.*' -o -name '*.sh' \) -exec grep -qE '^#!.*sh$' {} \; -print0 |
    xargs -0 shellcheck -x -a
fi

if awk '$1 !~ /^#/ && NF > 0 && $2 !~ /^(build|cross|tools|source|parts|newer|booted|tuf|peer|ci|dev)$/ { print; bad = 1 } END { exit !bad }' tests/packages; then
  echo "tests/packages: a line without one of the kinds build, cross, tools, source, parts, newer, booted, tuf, peer, ci, dev"
  exit 1
fi
if [[ -n $(awk '$1 !~ /^#/ && NF > 0 { print $1 }' tests/packages | sort | uniq -d) ]]; then
  echo "tests/packages: a name stands there twice"
  exit 1
fi

# The steps that tests/e2e/README.md quotes are there.
grep '^|' tests/e2e/README.md | cut -d '|' -f 3 | grep -oE '[a-z_]+ ("[^"]*",? ?)+' | while read -r script steps; do
  [[ $script != and ]] || continue
  grep -oE '"[^"]*"' <<<"$steps" | while read -r step; do
    grep -qF -e "step $step" -e "say $step" "tests/e2e/$script.sh" || { echo "tests/e2e/$script.sh has no step $step" && exit 1; }
  done
done
# The page's table is what dependency_table.sh prints, line for line.
wanted=$(tests/support/dependency_table.sh)
table=$(grep -A1000 -xF -m1 "${wanted%%$'\n'*}" tests/README.md | awk '/^\|/ { print; next } { exit }')
if [[ $table != "$wanted" ]]; then
  echo "tests/README.md: the table of dependencies differs from tests/support/dependency_table.sh"
  diff <(echo "$table") <(echo "$wanted")
  exit 1
fi
