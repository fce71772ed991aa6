#!/usr/bin/env bash
# How fast a district warns and agrees while nodes are gone, and is one again after 72
# hours of the clock: a table with targets.
# Run it on a machine that does nothing else. Arguments go to the measurement:
# -splitbench.kills 100, -splitbench.receipts 1000000 and -splitbench.devices 1000 (of the
# island). How fast a node whose two peers lost power warns is a cell of scripts/bench,
# where the devices are a process of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -trimpath -o dist/almenara .
printf '%-48s %5s  %8s %8s %8s  %s\n' measured times p50 p99 most target
status=0
out=$(go test -v -tags splitbench -count=1 -timeout 30m -run '^TestSplitbench_' ./node -args -splitbench.almenara "$PWD/dist/almenara" "$@" 2>&1) || status=$?
grep -E -- '->' <<<"$out" || true
[ "$status" = 0 ] || { echo "$out"; exit "$status"; }
scripts/bench --cells district --devices 1000 --only node
