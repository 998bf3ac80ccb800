#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line without a node: usage, help, exit codes, and that completion knows every option.
#
#   cli_test.sh PROGRAM
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

crivet=$1
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
bad=0

wrong() {
  echo "$*"
  bad=1
}

# expect EXIT ARGUMENTS...: stdout and stderr are in $folder.
expect() {
  local wanted=$1 got=0
  shift
  "$crivet" "$@" >"$folder/out" 2>"$folder/err" </dev/null || got=$?
  [[ $got == "$wanted" ]] || wrong "crivet $*: exit $got, wanted $wanted: $(cat "$folder/err")"
}

says() { grep -qF -- "$2" "$folder/$1" || wrong "no '$2' on std$1, but: $(cat "$folder/$1")"; }
silent() { [[ ! -s $folder/$1 ]] || wrong "std$1 should be empty: $(cat "$folder/$1")"; }

commands=(serve check verify status reload pin warm forget import takeover release version)

for command in "" "${commands[@]}"; do
  # shellcheck disable=SC2086  # none is meant where it is empty
  expect 0 $command --help
  silent err
  says out "Example:"
  [[ $(wc -l <"$folder/out") -le 30 ]] || wrong "help of '$command' does not fit a screen"
  [[ $(wc -L <"$folder/out") -le 80 ]] || wrong "help of '$command' is wider than 80 columns"
  [[ -n $command ]] || continue
  # CLI11 writes no completion, so these are by hand.
  while read -r option; do
    for completion in systemd/completion/crivet.bash systemd/completion/_crivet; do
      grep -qF -- "$option" "$completion" || wrong "$completion does not know $option of $command"
    done
  done < <(grep -oE '^  (-h,)?--[a-z-]+' "$folder/out" | grep -oE -- '--[a-z-]+')
  for completion in systemd/completion/crivet.bash systemd/completion/_crivet; do
    grep -qw -- "$command" "$completion" || wrong "$completion does not know $command"
  done
done

expect 64
says err "A subcommand is required"
expect 64 nonsense
says err 'there is no command "nonsense"'
expect 64 statsu
says err 'there is no command "statsu" (did you mean "status"?)'
expect 64 hlep
says err 'did you mean "help"?'
expect 64 help statsu
says err 'did you mean "status"?'
expect 64 status --jsno
says err 'status: there is no option --jsno (did you mean "--json"?)'
says err 'Try "crivet status --help".'
expect 64 --vresion
says err 'there is no option --vresion (did you mean "--version"?)'
expect 64 verify
says err "IMAGE is required"
expect 64 check --nonsense
expect 64 check extra
silent out

expect 0 version
says out "crivet "
silent err
cp "$folder/out" "$folder/version"
expect 0 --version
cmp -s "$folder/out" "$folder/version" || wrong "crivet --version is not crivet version"
expect 0 verify --help
cp "$folder/out" "$folder/help"
expect 0 help verify
cmp -s "$folder/out" "$folder/help" || wrong "crivet help verify is not crivet verify --help"
expect 0 help
says out "Subcommands:"

printf '[default]\naction = "deny"\n' >"$folder/good.toml"
printf '[default]\nactoin = "deny"\n' >"$folder/bad.toml"
expect 0 check --config "$folder/good.toml"
says out "good: 0 rules"
expect 0 --config "$folder/good.toml" check
expect 78 check --config "$folder/bad.toml"
silent out
says err "$folder/bad.toml:2:1: unknown key \"actoin\" in [default] (did you mean \"action\"?)"
expect 78 check --config "$folder/none.toml"
says err "No such file or directory"
for command in serve "verify x" "warm x" "pin x" "forget --yes x" "import /"; do
  # shellcheck disable=SC2086  # words are meant
  expect 78 $command --config "$folder/bad.toml"
done

# Where the daemon is away, status says so and why, whatever the file is.
for file in good.toml bad.toml none.toml; do
  printf 'admin = "%s/admin.sock"\n[default]\naction = "deny"\n' "$folder" >"$folder/good.toml"
  for options in "" --json --would-refuse; do
    # shellcheck disable=SC2086  # none is meant where it is empty
    expect 2 status --config "$folder/$file" $options
    says err "the daemon does not answer at"
    silent out
  done
done
expect 2 status --config "$folder/good.toml"
says err "the daemon does not answer at $folder/admin.sock: No such file or directory (does it run? systemctl status crivet)"

# check, in a pipeline.
expect 0 check --config "$folder/good.toml" --json
python3 - "$folder/out" <<'PY' || bad=1
import json, sys
one = json.load(open(sys.argv[1]))
assert one["schema"] == "crivet.check/1" and one["good"] and one["wrong"] == [], one
PY
mkdir -p "$folder/root/etc/crivet" "$folder/root/usr/lib"
openssl req -x509 -newkey ed25519 -keyout /dev/null -nodes -subj /CN=ca -out "$folder/root/usr/lib/ca.crt" 2>/dev/null
ln -s /usr/lib/ca.crt "$folder/root/etc/crivet/ca.crt"  # in that machine
cat >"$folder/root/etc/crivet/config.toml" <<TOML
[default]
action = "deny"
[trust.acme]
kind = "notary"
url = "https://notary.acme.example"
ca_file = "/etc/crivet/ca.crt"
auth = "none"
[[rule]]
images = ["registry.acme.example/**"]
action = "verify"
trust = "acme"
root = { ca_file = "/etc/crivet/ca.crt" }
TOML
expect 0 check --root "$folder/root" --strict
says out "/etc/crivet/config.toml: good: 1 rules, 1 trust servers, 0 warnings"
ln -sf "$folder/root/usr/lib/ca.crt" "$folder/root/etc/crivet/ca.crt"  # of this machine, outside of the folder
expect 78 check --root "$folder/root"
says err "/etc/crivet/ca.crt cannot be read: No such file or directory"
ln -sf /usr/lib/ca.crt "$folder/root/etc/crivet/ca.crt"
printf '[[rule]]\nimages = ["**"]\naction = "allow"\n' >>"$folder/root/etc/crivet/config.toml"
expect 0 check --root "$folder/root"
says err 'warning: /etc/crivet/config.toml:14:1: "**" allows images of every registry'
expect 78 check --root "$folder/root" --strict
says err "1 warnings, and --strict takes none"
silent out
expect 78 check --root "$folder/root" --strict --json
silent err
says out '"good":false'
expect 64 check --root "$folder/nowhere"
says err "--root: $folder/nowhere is no folder"

# A runtime that is not there is said.
printf 'upstream = "%s/none.sock"\n[default]\naction = "deny"\n' "$folder" >"$folder/good.toml"
expect 0 check --config "$folder/good.toml"
says err "warning: no runtime is at $folder/none.sock"
printf '[default]\naction = "deny"\n' >"$folder/good.toml"

# Whom to pin needs no configuration.
for file in "$folder/good.toml" "$folder/bad.toml" "$folder/none.toml"; do
  expect 2 pin --config "$file" --url https://127.0.0.1:1 registry.example/web
  says err "https://127.0.0.1:1: no root (unreachable)"
done
expect 64 pin --url https://127.0.0.1:1 --kind cosign registry.example/web
says err '--kind cannot be "cosign": this version has notary, tuf, sigstore, notation'
expect 64 pin --kind notary registry.example/web
says err "--kind goes with --url"
expect 64 pin --url https://127.0.0.1:1 --kind notation registry.example/web
says err "there is no --url"
expect 2 pin --kind notation 127.0.0.1:1/web
says err "there is nobody to pin"
expect 64 pin --url notary.example registry.example/web
says err "--url is not a URL such as https://notary.example: it has no https:// before it"
expect 64 pin --url http://notary.example registry.example/web
says err "--url must be https"
expect 64 pin --url https://127.0.0.1:1 --ca-file "$folder/none.crt" registry.example/web
says err "--ca-file: $folder/none.crt cannot be read: No such file or directory"
expect 64 pin --ca-file "$folder/none.crt" registry.example/web
says err "--url"
silent out

# Only the place of a socket can be taken.
for place in relative.sock "" /run/../x.sock; do
  expect 64 serve --config "$folder/good.toml" --in-place "$place"
  says err "--in-place"
done
silent out

# Silence must not be taken for success.
if "$crivet" version >/dev/full 2>/dev/null; then wrong "a full disk went unnoticed"; fi
# Nothing of the environment counts.
SIMDJSON_FORCE_IMPLEMENTATION=nonsense "$crivet" version >/dev/null || wrong "the environment counts"

exit $bad
