#!/usr/bin/env bash
# What must hold before a change goes in, beside the tests and scripts/race.sh: format, vet,
# staticcheck, import arrows, sizes, static builds. Needs Go alone.
set -euo pipefail
cd "$(dirname "$0")/.."
STATICCHECK=honnef.co/go/tools/cmd/staticcheck@v0.8.2

step() { printf '\n== %s\n' "$*"; }

step format
unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }

step vet
go vet ./...

step staticcheck
go run "$STATICCHECK" ./...

step import arrows
bash scripts/arrows.sh

step one clock
bash scripts/clocks.sh

step no decision by prose
bash scripts/prose.sh

step room sizes
go run ./scripts/rooms -check

step file sizes
git ls-files '*.go' | while read -r f; do
  lines=$(wc -l <"$f"); most=500
  case $f in *_test.go) most=800 ;; esac
  [ "$lines" -le "$most" ] || { echo "$f has $lines lines, $most at most"; exit 1; }
done

step static builds
for arch in amd64 arm64; do
  CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -ldflags=-s -o "dist/almenara-linux-$arch" .
  ls -l "dist/almenara-linux-$arch"
done
