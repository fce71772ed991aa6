#!/usr/bin/env bash
# Three nodes as three processes on loopback: 300 devices, an alert over HTTP to a
# follower, the leader killed within a second of it. Every device must prove the
# alert once, the survivors must agree, and the killed node must return and agree.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
devices=${1:-300}
make_work
go build -o "$bin" .

say "init and two joins"
district n1 n2 n3
ask n1 status

say "$devices devices"
ask n1 --json simulate --devices "$devices" --place tuen-mun/on-ting/block-1 --expect-alert 1 --for 120s >"$work/simulate.json" 2>"$work/simulate.err" &
pid[simulate]=$!
connected() { local sum=0 n k; for n in n1 n2 n3; do k=$(status $n devices_connected); sum=$((sum + ${k:-0})); done; echo $sum; }
until_true '[ "$(connected)" = '"$devices"' ]'
leader=$(leader n1 n2 n3)
read -r follower other < <(without "$leader" n1 n2 n3)

say "alert over HTTP to follower $follower, kill -9 of leader $leader"
alert "$follower" fire local
crash "$leader"
cat "$work/outcome.json"
fire=$(alert_id)

say "what the devices say"
wait "${pid[simulate]}" && echo "simulate: exit 0" || { cat "$work/simulate.err"; exit 1; }
unset "pid[simulate]"
cat "$work/simulate.json"

say "what the survivors say"
for n in $follower $other; do
  until_true '[ "$(presented '"$n $fire"')" = '"$devices"' ]'
  echo "$n: presented $(presented "$n" "$fire") of $devices"
done

say "$leader returns"
serve "$leader"
until_true '[ "$(presented '"$leader $fire"')" = '"$devices"' ]'
echo "$leader: presented $(presented "$leader" "$fire") of $devices"
until_true '[ "$(states n1 n2 n3)" = 1 ]'
echo "state hash: $(field "$(ask n1 status --hash --json)" state_hash)"

say "the audit chain of every node"
for n in n1 n2 n3; do
  ask $n audit export >"$work/audit-$n.jsonl"
  "$bin" audit verify "$work/audit-$n.jsonl"
done
passed=1
