#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What one kind of trust is about stays in its folder: no other room names a GUN, Notary or one of its roles, but for the
# places below, each with its reason.
# usage: kind_words_test.sh SOURCE_DIR
set -uo pipefail
cd "$1" || exit 1

# PATH:TEXT: that line of that file may.
exceptions='
trust/signed/:                    the keys, envelopes and canonical JSON that Notary and TUF share are told by who made them
trust/decide/refresh_schedule.h:Notary makes a new timestamp only when
trust/base/reason.h:kTimestamp
trust/base/time.h:ParseRfc3339 reads the form that Notary writes
trust/io/http/bearer_challenge.h:Notary names the wrong one
trust/io/http/refusal_text.cc:Of the distribution specification and of Notary
trust/io/http/server_url:         an address as an example
trust/io/store/state_document.h:inline constexpr std::string_view kFirstKind
trust/io/store/state_document.cc: members of documents that were written before there were kinds
proxy/watch/audit_event.cc:{"gun", id.name}
proxy/watch/metrics_text.cc:gun=
proxy/daemon/admin_server.cc:request->gun()
proxy/cli/explain.cc:             members of JSON that scripts read
proxy/cli/status_text.cc:repository.gun()
proxy/cli/trust_folders.h:a notary
proxy/cli/import.cc:notary
proxy/cli/pin_server.cc:A label has no dots
proxy/cli/pin.cc:crivet pin --url
proxy/takeover/containerd_unit.cc:"root",      "state"
'

found=$(grep -rnwE 'gun|GUN|Gun|notary|Notary|"root"|"targets"|"snapshot"|"timestamp"' --include='*.h' --include='*.cc' \
  trust/base trust/signed trust/decide trust/io proxy | grep -v '#include' | sed 's,trust/notary/[A-Z]*\.md,,g' |
  grep -wE 'gun|GUN|Gun|notary|Notary|"root"|"targets"|"snapshot"|"timestamp"')
[[ -n $found ]] || { echo "nothing found at all: the search is wrong"; exit 1; }
bad=0
while IFS= read -r line; do
  allowed=
  while IFS=: read -r path text; do
    [[ -n $path && $line == "$path"* ]] || continue
    # A text that begins with a space is a reason, and the whole file is meant.
    [[ $text == ' '* || $line == *"$text"* ]] && allowed=1
  done <<<"$exceptions"
  [[ -n $allowed ]] || { echo "$line"; bad=1; }
done <<<"$found"
exit $bad
