#!/usr/bin/env bash
# Cuts the power of a node at every flush of its disk, and opens what is left. Needs
# root and /dev/fuse.
#   scripts/powercut.sh                  # every flush of a workload, minutes, by hand
#   scripts/powercut.sh -seed 7 …        # flags of `powercut store`
#   scripts/powercut.sh nodes -cuts 20   # whole nodes, three of them, at random flushes
#   scripts/powercut.sh --prove          # programs that leave out a sync must be caught
#   scripts/powercut.sh --quick          # a sample of the first, and the second
# The seed is printed. SEED sets it for the last two.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e /dev/fuse ] || mknod -m 600 /dev/fuse c 10 229 2>/dev/null || true # small containers leave it out
[ -w /dev/fuse ] && [ "$(id -u)" = 0 ] || { echo "powercut.sh needs root and /dev/fuse"; exit 1; }
seed=${SEED:-$(date +%s)}

go build -o dist/powercut ./scripts/powercut

# without PART WORDS: a program that leaves out the syncs of a part must break the
# promise that WORDS are from.
without() {
  echo "== without the syncs of: $1"
  ALMENARA_LOSSY=$1 dist/powercut-lossy store -seed "$seed" -steps 40 -imports 0 -most 60 -caught "$2"
}

prove() {
  go build -tags lossy -o dist/powercut-lossy ./scripts/powercut
  without store "acknowledged as applied"
  without journal "stream"
  without log "log"
  without files "neither the old one nor the new one"
}

case ${1:-} in
--prove) prove ;;
--quick)
  dist/powercut store -seed "$seed" -steps 40 -most 12
  dist/powercut store -seed "$seed" -steps 40 -most 40 -imports 0
  go build -o dist/almenara .
  dist/powercut nodes -seed "$seed" -nodes 1 -cuts 1
  dist/powercut nodes -seed "$seed" -nodes 3 -cuts 1
  prove
  ;;
nodes)
  shift
  go build -o dist/almenara .
  dist/powercut nodes "$@"
  ;;
*) dist/powercut store "$@" ;;
esac
