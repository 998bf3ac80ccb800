#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints tests/README.md's table of dependencies from tests/packages: what is built with and what the tests run.
set -euo pipefail
echo '| Debian package | kind | what for, why this one |'
echo '|---|---|---|'
awk '$1 !~ /^#/ && NF > 2 {
  name = $1; kind = $2
  sub(/^[^ ]+ +[^ ]+ +/, "")
  printf "| `%s` | %s | %s |\n", name, kind, $0
}' "$(dirname "${BASH_SOURCE[0]}")/../packages"
