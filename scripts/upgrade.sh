#!/usr/bin/env bash
# A district of three processes of the previous version is upgraded one node at a time,
# while alerts and receipts flow. After each step the states must be equal and nothing
# may be lost; what only the new version knows is refused until every node is new. A
# node may go back before that was used, and ends itself loudly afterwards.
#
# The previous version is this code, told at link time to speak command version 1 only.
# PREVIOUS=COMMIT builds it from the history instead.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
make_work
go build -o "$bin" .
old=$work/almenara-old
if [ -n "${PREVIOUS:-}" ]; then
  mkdir "$work/previous"
  git archive "$PREVIOUS" | tar -x -C "$work/previous"
  (cd "$work/previous" && go build -o "$old" .)
else
  go build -ldflags '-X almenara/cluster/command.limit=1' -o "$old" .
fi

# equal waits until all three say the same of their state, while no new alert comes.
equal() {
  touch "$work/hold"
  until_true '[ "$(states n1 n2 n3)" = 1 ]'
  rm "$work/hold"
}
# flow sends alerts to one node after the other until it is told to stop.
flow() {
  local i=0
  : >"$work/flowed"
  while [ ! -e "$work/enough" ]; do
    if [ -e "$work/hold" ]; then sleep 0.1; continue; fi
    i=$((i + 1))
    for n in n1 n2 n3; do
      if (alert $n "flow-$i" local >/dev/null 2>&1); then echo "flow-$i" >>"$work/flowed"; break; fi
    done
    sleep 0.3
  done
}
# nothing_lost: every alert of the flow is in the audit of every node.
nothing_lost() {
  local n name
  for n in n1 n2 n3; do
    until_true 'audited '$n' "$(tail -n 1 "$work/flowed")@"'
    while read -r name; do grep -q -- "$name@" "$work/audit-$n.jsonl" || { echo "$n lost $name"; exit 1; }; done <"$work/flowed"
    "$bin" audit verify "$work/audit-$n.jsonl" >/dev/null
  done
  echo "$(wc -l <"$work/flowed") alerts are in every audit"
}
# new_feature asks node n for what only the new version knows; whether there is any
# depends on the code.
features=
if "$bin" help policy >/dev/null 2>&1; then features=1; fi
new_feature() { ask "$1" policy show >"$work/policy.json" && ask "$1" policy set "$work/policy.json"; }

say "three nodes of the previous version"
for n in n1 n2 n3; do program[$n]=$old; done
district n1 n2 n3
fleet n1 60
flow &
pid[flow]=$!

for n in n1 n2 n3; do
  say "$n is replaced"
  stop $n
  program[$n]=$bin
  serve $n
  until_true "ready $n"
  equal
  if [ $n = n1 ]; then
    say "n1 goes back, and is replaced again"
    stop n1
    program[n1]=$old
    serve n1
    until_true "ready n1"
    equal
    stop n1
    program[n1]=$bin
    serve n1
    until_true "ready n1"
  fi
  if [ -n "$features" ] && [ $n != n3 ]; then
    if new_feature $n 2>"$work/refused"; then echo "a new feature was taken while a node was old"; exit 1; fi
    cat "$work/refused"
  fi
done

say "all nodes are new"
touch "$work/enough"
wait "${pid[flow]}" || true
unset "pid[flow]"
alert n2 after-the-upgrade committed
equal
nothing_lost

if [ -n "$features" ]; then
  say "what is new is taken now, and a node cannot go back"
  stop n3
  new_feature n1
  "$old" serve --data "$work/n3" >>"$work/n3.old.log" 2>&1 && code=0 || code=$?
  [ "$code" = 75 ] || { echo "the old program ended with $code"; exit 1; }
  grep -m 1 -i 'version' "$work/n3.old.log"
  serve n3
  equal
fi
passed=1
echo "passed after $SECONDS s"
