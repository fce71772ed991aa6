#!/usr/bin/env bash
# Three nodes as three processes on loopback; two lose power, and the devices come to the
# one that is left. It says everywhere that it is alone, warns under a licence and for a
# central system, takes a cancel, and refuses the rest in one sentence. When the others
# are back all three tell the same of it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
devices=${1:-50}
make_work
go build -o "$bin" .

# as NAME WORDS… asks n1 as another user; fails NAME WORDS… wants a refusal, and shows it.
declare -A key
as() { local who=$1; shift; "$bin" --api "${api[n1]}" --token "${key[$who]}" "$@"; }
fails() { ! as "$@" >"$work/refused" 2>&1 || { echo "it was not refused: $*"; cat "$work/refused"; exit 1; }; cat "$work/refused"; }
user() { local name=$1; shift; key[$name]=$(field "$(ask n1 user add "$@" "$name" --json)" token); }
board() { curl -sS "${api[n1]}/?lang=$1" | sed -n 's/.*<h1>\(.*\)<\/h1>.*/\1/p'; }

say "three nodes, $devices devices, an operator with a licence and one without"
district n1 n2 n3
ask n1 --json simulate --devices "$devices" --place tuen-mun/on-ting/block-1 --expect-alert 2 --for 120s >"$work/simulate.json" 2>"$work/simulate.err" &
pid[simulate]=$!
connected() { local sum=0 n k; for n in n1 n2 n3; do k=$(status $n devices_connected); sum=$((sum + ${k:-0})); done; echo $sum; }
until_true '[ "$(connected)" = '"$devices"' ]'
cat >"$work/flood.json" <<'S'
{"id": "flood", "title": "Flood in the estate", "minutes": 60, "select": "place under tuen-mun/on-ting", "blanks": ["where"],
 "alert": {"info": [{"language": "en", "category": ["Met"], "event": "Flood", "urgency": "Immediate", "severity": "Severe",
  "certainty": "Observed", "headline": "Flood at {{where}}", "instruction": "Go upstairs.", "area": [{"areaDesc": "On Ting Estate"}]}]}}
S
ask n1 scenario put "$work/flood.json"
user duty --role composer
user night --role composer
user observatory --system --sender hko@drill.example
ask n1 licence grant --scenario flood --place tuen-mun/on-ting --for 24h duty
board en

say "n2 and n3 lose power"
crash n2
crash n3
until_true '[ "$(board en)" = Alone ] && [ "$(status n1 devices_connected)" = '"$devices"' ]'
echo "board: $(board en) / $(board zh-Hant)"
curl -sS "${api[n1]}/readyz"
curl -sS "${api[n1]}/metrics" | grep -E '^almenara_node_(quorum|alone|policy_age_seconds) '
code=0; ask n1 status || code=$?
[ "$code" = 4 ] || { echo "status of a node that is alone exits with $code, not 4"; exit 1; }

say "what is refused, and what still works"
fails night alert send --scenario flood --set where=lobby --reason "seen by the warden"
fails duty alert send --scenario flood --set where=lobby
fails duty alert send --event Fire --headline "Fire" --select "place under tuen-mun" --reason "smoke"
printf 'id,kind,place\nlate,screen,tuen-mun/on-ting/block-1\n' >"$work/late.csv"
! ask n1 audience import "$work/late.csv" >"$work/refused" 2>&1 || exit 1
cat "$work/refused"

say "the licensed scenario, with a reason, and a central system's warning"
as duty --json alert send --scenario flood --set where=lobby --incident drill-1 --reason "seen by the warden" --wait held >"$work/outcome.json"
flood=$(alert_id)
token=${key[observatory]} alert n1 hko local
central=$(alert_id)
wait "${pid[simulate]}" && echo "simulate: exit 0" || { cat "$work/simulate.err" "$work/simulate.json"; exit 1; }
unset "pid[simulate]"
cat "$work/simulate.json"
as night alert cancel --reason "false alarm" --wait local "$flood"

say "n2 and n3 are back"
serve n2
serve n3
for n in n1 n2 n3; do
  until_true '[ "$(presented '"$n $flood"')" = '"$devices"' ] && [ "$(presented '"$n $central"')" = '"$devices"' ]'
  until_true 'ask '"$n"' alert show --json '"$flood"' | grep "\"state\": \"cancelled\"" >/dev/null'
  echo "$n: both presented $devices of $devices, the flood cancelled"
done
# n1 has its time alone agreed last of all
same() { local n; for n in n1 n2 n3; do ask "$n" status --splits >"$work/splits-$n.txt"; done; grep -q 'n1 was without a majority' "$work/splits-n1.txt" && cmp -s "$work"/splits-n[12].txt && cmp -s "$work"/splits-n[13].txt; }
until_true same
until_true '[ "$(states n1 n2 n3)" = 1 ]'
cat "$work/splits-n1.txt"
for n in n1 n2 n3; do
  ask "$n" audit export >"$work/audit-$n.jsonl"
  "$bin" audit verify "$work/audit-$n.jsonl"
done
passed=1
