#!/usr/bin/env bash
# A district of three processes loses its majority for good. One node goes on and
# takes a new member; the old two come back, accept what they can, find themselves
# out, and come back under new ids. Whatever any of them acknowledged must be in every
# audit in the end, and all states must be equal. Then a backup of the running district
# is restored on its own.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -o dist/almenara .
bin=$PWD/dist/almenara
work=$(mktemp -d)
. scripts/recovery/lib.sh
trap cleanup EXIT

say "a district of three"
for n in 1 2 3 4 5; do place $n; done
"$bin" init --data "$work/n1" --name n1 --district tuen-mun ${listen[1]} >/dev/null
token=$(cat "$work/n1/operator.token")
serve 1
until_true 'ask 1 status --json | grep -q "\"ready\": true"'
for n in 2 3; do add $n 1; done
until_true '[ "$(voters 1)" = 3 ]'
ask 1 user add watcher --role viewer >/dev/null
fleet 1 60
alert 2 agreed-by-three committed

say "n1 is cut off; n2 and n3 go on, then n2 alone"
stop 1
alert 2 agreed-by-two committed
ask 2 user add left-behind --role viewer >/dev/null
stop 3
alert 2 of-one-alone local
crash 2

say "n1 is recovered"
if "$bin" recover --data "$work/n1" </dev/null >/dev/null 2>"$work/refused"; then echo "recover did not ask"; exit 1; fi
grep -q 'not confirmed' "$work/refused"
echo tuen-mun | "$bin" recover --data "$work/n1"
"$bin" recover --data "$work/n1" --yes 2>/dev/null | grep -q 'nothing was changed'
serve 1
until_true 'ask 1 status --json | grep -q "\"ready\": true"'
[ "$(field "$(ask 1 status --json)" incarnation)" = 2 ]
add 4 1
alert 1 agreed-by-one committed

say "the old two come back and find themselves out"
serve 2
serve 3
for n in 2 3; do
  until_true 'ask '$n' status --json | grep -q "\"quarantined\": true"'
  if ask $n user add too-late --role viewer 2>"$work/refused"; then echo "n$n agreed to something"; exit 1; fi
  cat "$work/refused"
done
alert 3 under-quarantine local
for words in agreed-by-three agreed-by-two of-one-alone agreed-by-one under-quarantine; do
  until_true 'audited 1 '$words
done

say "they join anew"
old=$(field "$(ask 2 status --json)" node)
for n in 2 3; do
  stop $n
  "$bin" rejoin --data "$work/n$n" "$(invitation 1)"
  serve $n
done
until_true '[ "$(voters 1)" = 4 ] && [ "$(members 1)" = 4 ]'
until_true '[ "$(same 1 2 3 4)" = 1 ]'
echo "state hash: $(field "$(ask 1 status --hash --json)" state_hash)"
for n in 1 2 3 4; do
  for words in agreed-by-three agreed-by-two of-one-alone agreed-by-one under-quarantine; do
    audited $n $words || { echo "n$n lost $words"; exit 1; }
  done
  ! audited $n left-behind || { echo "n$n has what was left behind"; exit 1; }
  audited $n "$old" || { echo "n$n does not say that $old was removed"; exit 1; }
  "$bin" audit verify "$work/audit$n.jsonl"
done
grep -q left-behind "$work"/n2/left-behind-*.jsonl

say "a node whose state cannot be read does not return under its id"
stop 3
table=$(find "$work/n3/state" -name '*.sst' | head -n 1)
echo damaged >"$table"
if "$bin" serve --data "$work/n3" 2>"$work/refused"; then echo "n3 serves a damaged state"; exit 1; fi
grep -q 'almenara rejoin' "$work/refused"
"$bin" rejoin --data "$work/n3" "$(invitation 1)"
serve 3
until_true '[ "$(voters 1)" = 4 ] && [ "$(members 1)" = 4 ] && [ "$(same 1 2 3 4)" = 1 ]'

say "a backup under load, and the district from it alone"
for i in 1 2 3; do alert 1 "load-$i" local; done &
load=$!
ask 1 backup --out "$work/district.backup"
wait $load
[ "$(stat -c %a "$work/district.backup")" = 600 ]
"$bin" backup verify "$work/district.backup"
head -c 4000 "$work/district.backup" >"$work/cut.backup"
if "$bin" backup verify "$work/cut.backup" 2>"$work/refused"; then echo "half a backup passes"; exit 1; fi
cat "$work/refused"
for n in 1 2 3 4; do stop $n; done
"$bin" restore --data "$work/n5" --name n5 ${listen[5]} "$work/district.backup"
serve 5
until_true 'ask 5 status --json | grep -q "\"ready\": true"'
[ "$(field "$(ask 5 status --json)" incarnation)" = 3 ]
audited 5 under-quarantine
until_true 'audited 5 "restore on"'
"$bin" audit verify "$work/audit5.jsonl"
alert 5 after-the-restore committed
passed=1
echo "passed after $SECONDS s"
