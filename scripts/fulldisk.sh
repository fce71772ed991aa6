#!/usr/bin/env bash
# A node on a real file system of 700 MB that somebody else fills while alerts go out.
# Needs root, or user namespaces, to mount a tmpfs that nobody else sees.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -trimpath -o "$work/fulldisk" ./scripts/fulldisk
mkdir "$work/disk"
own=(unshare --mount)
[ "$(id -u)" = 0 ] || own=(unshare --mount --user --map-root-user)
"${own[@]}" bash -c 'mount -t tmpfs -o size=700m tmpfs "$1/disk" && exec "$1/fulldisk" "$1/disk"' fulldisk "$work"
