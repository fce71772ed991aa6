#!/usr/bin/env bash
# The demo as continuous integration runs it: once as people see it, once with
# every real message that the test data offers for it.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -o dist/almenara .
dist/almenara demo
if [ -n "${ALMENARA_TESTDATA:-}" ]; then
  for cap in cap/synthetic-hk/rain-black.xml cap/valid/eden__philippines-tsunami.xml; do
    dist/almenara demo --json --devices 60 --cap "$ALMENARA_TESTDATA/$cap" >dist/demo.json
    grep -q '"proven"' dist/demo.json
  done
fi
