#!/usr/bin/env bash
# The JavaScript of channels/contract/js and channels/pages: its tests and the contract's vectors in
# Node.js, its syntax held to ES2019, and random schedules under which its rules must ask for the
# same as those in Go do. Also holds the vectors to the JSON Schemas. Installs Node.js with apt where
# there is none, and a parser and a validator with npm.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
PACKAGES="acorn@8.19.0 ajv@8.20.0 ajv-formats@3.0.1"
make_work
missing=()
for tool in node npm; do command -v $tool >/dev/null || missing+=("${tool/%node/nodejs}"); done
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
npm install --prefix "$work/npm" --no-audit --no-fund --loglevel=error $PACKAGES >/dev/null
for file in channels/contract/js/*.js channels/pages/files/*.js; do
  "$work/npm/node_modules/.bin/acorn" --ecma2019 --module --silent "$file" || { echo "$file is not ES2019"; exit 1; }
done
node --test channels/contract/js/tests/*.test.mjs channels/pages/tests/
NODE_FOLDER=$work/npm node channels/contract/js/tests/schemas.mjs
go vet -tags nodejs ./channels/device/rules
go test -tags nodejs ./channels/device/rules -run JavaScript -count=1 -v
passed=1
