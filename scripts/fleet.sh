#!/usr/bin/env bash
# Many devices against one node and against three: scripts/fleet.sh [DEVICES] ["NODES…"].
#
# Of the devices that are connected and have no fault 99.5 % at least present an alert within 10
# seconds of the first one, and all of them once; a device that connects while it is in force is
# right 5 seconds later; and once it is cancelled, none that comes back shows it. A twentieth is
# slow, skewed, rebooting, deaf or forging. 400 devices are for every change; the whole is
#
#   scripts/fleet.sh 10000 "1 3"    3 minutes, 20,000 descriptors a process, 2 GB of memory
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
devices=${1:-400} sizes=${2:-1 3}
make_work
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge $((devices + devices / 2 + 2500)) ] || ulimit -n $((devices + devices / 2 + 2500))
go build -o "$bin" .

# within LIMIT CONDITION: waits so many seconds at most.
within() { local end=$((SECONDS + $1)); until eval "$2"; do [ $SECONDS -lt $end ] || { echo "not true in $1 s: $2"; exit 1; }; sleep 0.5; done; }
online() { local sum=0 n k; for n in "$@"; do k=$(status "$n" devices_connected); sum=$((sum + ${k:-0})); done; echo $sum; }
# pace FILE GROUP KEY is one number of the pace of a group: there or back.
pace() { sed -n '/"'"$2"'": {/,/}/s/.*"'"$3"'": *\([0-9.]*\).*/\1/p' "$1"; }
# punctual FILE GROUP: 99.5 % of those of whom it was due were in time.
punctual() {
  local due in
  due=$(pace "$1" "$2" due) in=$(pace "$1" "$2" in_time)
  echo "$2: $in of $due in time, half within $(pace "$1" "$2" p50_ms) ms, 99 % within $(pace "$1" "$2" p99_ms) ms, the last after $(pace "$1" "$2" last_ms) ms"
  [ "${due:-0}" -ge $((devices * 9 / 10)) ] && [ $((in * 1000)) -ge $((due * 995)) ]
}
# holds FILE KEY NUMBER
holds() { [ "$(field "$(cat "$1")" "$2")" = "$3" ] || { echo "$2 is not $3:"; cat "$1"; exit 1; }; }
all=
try() {
  local n nodes=() result=$work/$1
  for n in $(seq "$1"); do nodes+=("d$1n$n"); done
  say "$1 nodes, $devices devices"
  district "${nodes[@]}"
  ask "${nodes[0]}" --json simulate --devices "$devices" --faulty 5 --keep "$work/all-$1.json" --expect-alert 1 --for 150s >"$result.first" 2>"$result.err" &
  pid[simulate]=$!
  within $((60 + devices / 100)) '[ "$(online '"${nodes[*]}"')" -ge '"$((devices * 98 / 100))"' ]'
  alert "${nodes[-1]}" fire local
  wait "${pid[simulate]}" || { cat "$result.first" "$result.err"; exit 1; }
  unset 'pid[simulate]'
  holds "$result.first" never_connected 0
  holds "$result.first" twice 0
  punctual "$result.first" there || { cat "$result.first"; exit 1; }

  ask "${nodes[0]}" --json simulate --file "$work/all-$1.json" --expect-alert 1 --for 150s >"$result.back" 2>"$result.err" || { cat "$result.back" "$result.err"; exit 1; }
  punctual "$result.back" back || { cat "$result.back"; exit 1; }

  ask "${nodes[0]}" alert cancel "$(alert_id)" >/dev/null
  ask "${nodes[-1]}" --json simulate --file "$work/all-$1.json" --for $((20 + devices / 250))s >"$result.over" 2>"$result.err" || { cat "$result.over" "$result.err"; exit 1; }
  holds "$result.over" never_connected 0
  [ "$(sed -n 's/.*"presented": *\([0-9]*\).*/\1/p' "$result.over" | sort -u)" = 0 ] || { echo "what is over was shown:"; cat "$result.over"; exit 1; }
  for n in "${nodes[@]}"; do stop "$n"; done
}
for size in $sizes; do try "$size"; done
passed=1
