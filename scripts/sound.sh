#!/usr/bin/env bash
# What speakers say, held against public tools: speech by espeak-ng in three languages of three
# scenarios, measured by ffmpeg; and the RTP stream as ffmpeg receives it. Installs both with apt.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
make_work
missing=()
for tool in ffmpeg espeak-ng; do command -v $tool >/dev/null || missing+=($tool); done
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }
go vet -tags sound ./channels/speaker
go test -tags sound -count 1 -v -run 'ThreeScenarios|FFmpeg' ./channels/speaker
passed=1
