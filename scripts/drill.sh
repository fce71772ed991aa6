#!/usr/bin/env bash
# Three nodes as three processes on loopback: 300 devices, an alert over HTTP to a
# follower, the leader killed within a second of it. Every device must prove the
# alert once, the survivors must agree, and the killed node must return and agree.
set -euo pipefail
cd "$(dirname "$0")/.."
devices=${1:-300}
go build -o dist/almenara .
bin=$PWD/dist/almenara
work=$(mktemp -d)
declare -A pid
cleanup() {
  for p in "${pid[@]}"; do kill "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${passed:-}" ] && rm -rf "$work" || echo "folders and logs are kept in $work"
}
trap cleanup EXIT

say() { printf '\n== %s\n' "$*"; }
# free prints a port on which nothing listens, below those that the system hands
# out by itself, and never the same one twice.
free() {
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue
    mkdir "$work/port-$p" 2>/dev/null && break
  done
  echo "$p"
}
# field JSON KEY: the first value of a key in the program's own JSON.
field() { sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\).*/\1/p" <<<"$1" | head -n 1; }
ask() { local n=$1; shift; "$bin" --api "${api[$n]}" --token "$token" "$@"; }
until_true() { local end=$((SECONDS + 60)); until eval "$1"; do [ $SECONDS -lt $end ] || { echo "never true: $1"; exit 1; }; sleep 0.1; done; }
serve() {
  "$bin" serve --data "$work/n$1" >>"$work/n$1.log" 2>&1 &
  pid[$1]=$!
  until_true "ask $1 status --json >/dev/null 2>&1"
}

declare -A api listen
for n in 1 2 3; do
  api[$n]=http://127.0.0.1:$(free)
  listen[$n]="--internode 127.0.0.1:$(free) --listen ${api[$n]#http://} --mqtt 127.0.0.1:$(free) --mqtt-tls 127.0.0.1:$(free) --mqtt-ws 127.0.0.1:$(free)"
done

say "init and two joins"
"$bin" init --data "$work/n1" --name n1 --district tuen-mun ${listen[1]}
token=$(cat "$work/n1/operator.token")
serve 1
until_true 'ask 1 status --json | grep -q "\"ready\": true"'
for n in 2 3; do
  invitation=$(field "$(ask 1 node invite --json)" token)
  "$bin" join --data "$work/n$n" --name n$n ${listen[$n]} "$invitation"
  serve $n
done
until_true '[ "$(ask 1 status --json | grep -c "\"voter\": true")" = 3 ]'
ask 1 status

say "$devices devices"
ask 1 --json simulate --devices "$devices" --place tuen-mun/on-ting/block-1 --expect-alert 1 --for 120s >"$work/simulate.json" 2>"$work/simulate.err" &
sim=$!
connected() { local sum=0 n k; for n in 1 2 3; do k=$(field "$(ask $n status --json)" devices_connected); sum=$((sum + ${k:-0})); done; echo $sum; }
until_true '[ "$(connected)" = '"$devices"' ]'

leader=$(for n in 1 2 3; do if [ "$(field "$(ask $n status --json)" role)" = leader ]; then echo $n; fi; done)
follower=$((leader % 3 + 1))
other=$((follower % 3 + 1)); if [ $other = $leader ]; then other=$((other % 3 + 1)); fi

say "alert over HTTP to follower n$follower, kill -9 of leader n$leader"
expires=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S-00:00)
curl -sS -X POST "${api[$follower]}/api/v1/alerts?wait=local" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{
  "select": "place under tuen-mun/on-ting",
  "alert": {"info": [{"language": "en", "category": ["Fire"], "event": "Fire", "urgency": "Immediate", "severity": "Extreme",
    "certainty": "Observed", "headline": "Fire in block 1", "instruction": "Leave by the stairs.", "expires": "'"$expires"'",
    "area": [{"areaDesc": "On Ting Estate"}]}]}}' | tee "$work/outcome.json"
kill -9 "${pid[$leader]}"
unset "pid[$leader]"
alert=$(sed -n 's/.*"alert": *"\([^"]*\)".*/\1/p' "$work/outcome.json" | head -n 1)

say "what the devices say"
wait $sim && echo "simulate: exit 0" || { cat "$work/simulate.err"; exit 1; }
cat "$work/simulate.json"

say "what the survivors say"
presented() { field "$(ask $1 alert show "$alert" --json)" presented; }
for n in $follower $other; do
  until_true '[ "$(presented '$n')" = '"$devices"' ]'
  echo "n$n: presented $(presented $n) of $devices"
done

say "n$leader returns"
serve $leader
until_true '[ "$(presented '$leader')" = '"$devices"' ]'
echo "n$leader: presented $(presented $leader) of $devices"
same() { for n in 1 2 3; do field "$(ask $n status --hash --json)" state_hash; done | sort -u | wc -l; }
until_true '[ "$(same)" = 1 ]'
echo "state hash: $(field "$(ask 1 status --hash --json)" state_hash)"

say "the audit chain of every node"
for n in 1 2 3; do
  ask $n audit export >"$work/audit$n.jsonl"
  "$bin" audit verify "$work/audit$n.jsonl"
done
passed=1
