#!/usr/bin/env bash
# A district of three processes loses its majority for good. One node goes on and
# takes a new member; the old two come back, accept what they can, find themselves
# out, and come back under new ids. Whatever any of them acknowledged must be in every
# audit in the end, and all states must be equal. Then a backup of the running district
# is restored on its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
make_work
go build -o "$bin" .

say "a district of three"
for n in n4 n5; do place $n; done
district n1 n2 n3
ask n1 user add watcher --role viewer >/dev/null
fleet n1 60
alert n2 agreed-by-three committed

say "n1 is cut off; n2 and n3 go on, then n2 alone"
stop n1
alert n2 agreed-by-two committed
ask n2 user add left-behind --role viewer >/dev/null
stop n3
alert n2 of-one-alone local
crash n2

say "n1 is recovered"
if "$bin" recover --data "$work/n1" </dev/null >/dev/null 2>"$work/refused"; then echo "recover did not ask"; exit 1; fi
grep -q 'not confirmed' "$work/refused"
echo tuen-mun | "$bin" recover --data "$work/n1"
"$bin" recover --data "$work/n1" --yes 2>/dev/null | grep 'nothing was changed' >/dev/null
serve n1
until_true "ready n1"
[ "$(status n1 incarnation)" = 2 ]
add n4 n1
alert n1 agreed-by-one committed

say "the old two come back and find themselves out"
serve n2
serve n3
for n in n2 n3; do
  until_true '[ "$(status '$n' quarantined)" = true ]'
  if ask $n user add too-late --role viewer 2>"$work/refused"; then echo "$n agreed to something"; exit 1; fi
  cat "$work/refused"
done
alert n3 under-quarantine local
for words in agreed-by-three agreed-by-two of-one-alone agreed-by-one under-quarantine; do
  until_true 'audited n1 '$words
done

say "they join anew"
old=$(status n2 node)
for n in n2 n3; do
  stop $n
  "$bin" rejoin --data "$work/$n" "$(invitation n1)"
  serve $n
done
until_true '[ "$(voters n1)" = 4 ] && [ "$(members n1)" = 4 ]'
until_true '[ "$(states n1 n2 n3 n4)" = 1 ]'
echo "state hash: $(field "$(ask n1 status --hash --json)" state_hash)"
for n in n1 n2 n3 n4; do
  for words in agreed-by-three agreed-by-two of-one-alone agreed-by-one under-quarantine; do
    audited $n $words || { echo "$n lost $words"; exit 1; }
  done
  ! audited $n left-behind || { echo "$n has what was left behind"; exit 1; }
  audited $n "$old" || { echo "$n does not say that $old was removed"; exit 1; }
  "$bin" audit verify "$work/audit-$n.jsonl"
done
grep -q left-behind "$work"/n2/left-behind-*.jsonl

say "a node whose state cannot be read does not return under its id"
stop n3
table=$(find "$work/n3/state" -name '*.sst' | head -n 1)
echo damaged >"$table"
if "$bin" serve --data "$work/n3" 2>"$work/refused"; then echo "n3 serves a damaged state"; exit 1; fi
grep -q 'almenara rejoin' "$work/refused"
"$bin" rejoin --data "$work/n3" "$(invitation n1)"
serve n3
until_true '[ "$(voters n1)" = 4 ] && [ "$(members n1)" = 4 ] && [ "$(states n1 n2 n3 n4)" = 1 ]'

say "a backup under load, and the district from it alone"
for i in 1 2 3; do alert n1 "load-$i" local; done &
load=$!
ask n1 backup --out "$work/district.backup"
wait $load
[ "$(stat -c %a "$work/district.backup")" = 600 ]
"$bin" backup verify "$work/district.backup"
head -c 4000 "$work/district.backup" >"$work/cut.backup"
if "$bin" backup verify "$work/cut.backup" 2>"$work/refused"; then echo "half a backup passes"; exit 1; fi
cat "$work/refused"
for n in n1 n2 n3 n4; do stop $n; done
if "$bin" restore --data "$work/n5" --name n5 ${listen[n5]} "$work/district.backup" </dev/null 2>"$work/refused"; then echo "restore did not ask"; exit 1; fi
grep -q "not confirmed" "$work/refused"
echo tuen-mun | "$bin" restore --data "$work/n5" --name n5 ${listen[n5]} "$work/district.backup"
serve n5
until_true "ready n5"
[ "$(status n5 incarnation)" = 3 ]
audited n5 under-quarantine
until_true 'audited n5 "restore on"'
"$bin" audit verify "$work/audit-n5.jsonl"
alert n5 after-the-restore committed
passed=1
echo "passed after $SECONDS s"
