#!/usr/bin/env bash
# What people see, in a real browser against real nodes: Debian's chromium and its headless shell, installed with
# apt where they are missing, and from npm axe-core, which finds what keeps people from using a page, and jsQR, which reads codes as a telephone does. Pictures go to the folder in SHOTS, or dist/shots; none are taken where SHOTS is empty. Arguments go to
# go test, such as -run Screen.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
make_work
shots=${SHOTS-$PWD/dist/shots}

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v chromium-headless-shell >/dev/null || missing+=(chromium-headless-shell)
fc-list 2>/dev/null | grep 'Noto Sans CJK' >/dev/null || missing+=(fonts-noto-cjk fontconfig)
command -v Xvfb >/dev/null || missing+=(xvfb)
command -v scrot >/dev/null || missing+=(scrot)
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }

command -v npm >/dev/null || apt_install npm >>"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }
npm install --prefix "$work/npm" --no-audit --no-fund --loglevel=error axe-core@4.14.1 jsqr@1.4.0 >/dev/null
go build -o "$bin" .
go vet -tags e2e ./scripts/e2e
# Chromium leaves folders of its own behind: they go with those of this run.
mkdir "$work/tmp"
# Stories mostly wait, for pages that turn and alerts that expire, so that four run at a time; those that
# measure a time run alone. -costs as a flag of the test says what each took of the processors.
TMPDIR=$work/tmp go test -tags e2e -count 1 -timeout 50m -parallel 4 ./scripts/e2e "$@" -args -program "$bin" -shots "$shots" -axe "$work/npm/node_modules/axe-core/axe.min.js" -jsqr "$work/npm/node_modules/jsqr/dist/jsQR.js"
[ -z "$shots" ] || echo "pictures are in $shots"
passed=1
