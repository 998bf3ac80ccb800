#!/bin/bash
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
expect 64 verify
says err "IMAGE is required"
expect 64 check --nonsense
expect 64 check extra
silent out

expect 0 version
says out "crivet "
silent err

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
for command in serve "verify x" "warm x" "pin x" "forget --yes x" "import /" status; do
  # shellcheck disable=SC2086  # words are meant
  expect 78 $command --config "$folder/bad.toml"
done

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
