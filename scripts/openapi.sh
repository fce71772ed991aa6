#!/usr/bin/env bash
# Holds the description of the API against a public linter's recommended rules: every
# error fails, warnings are shown. Installs node with apt and the linter with npm.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
LINTER=@redocly/cli@1.34.5
make_work

missing=()
for tool in node npm; do command -v $tool >/dev/null || missing+=($tool); done
[ ${#missing[@]} -eq 0 ] || apt_install nodejs npm >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }
npm install --prefix "$work/npm" --no-audit --no-fund --loglevel=error $LINTER >"$work/npm.log" 2>&1 || { cat "$work/npm.log"; exit 1; }

go run ./scripts/openapi >"$work/openapi.json"
REDOCLY_TELEMETRY=off "$work/npm/node_modules/.bin/redocly" lint --extends=recommended "$work/openapi.json"
passed=1
