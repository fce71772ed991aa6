#!/usr/bin/env bash
# Cuts the power of a node at every flush of its disk, and opens what is left. Needs
# root and /dev/fuse.
#   scripts/powercut.sh                  # every flush of a long workload, by hand
#   scripts/powercut.sh --seed 7 ...     # flags of scripts/powercut store
#   scripts/powercut.sh --prove          # programs that leave out a sync must be caught
#   scripts/powercut.sh --quick          # a sample of the first, and the second; for CI
set -euo pipefail
cd "$(dirname "$0")/.."
[ -w /dev/fuse ] && [ "$(id -u)" = 0 ] || { echo "powercut.sh needs root and /dev/fuse"; exit 1; }
seed=${SEED:-$(date +%s)}

go build -o dist/powercut ./scripts/powercut

# prove runs programs that leave out one kind of sync: each must be caught.
prove() {
  go build -tags lossy -o dist/powercut-lossy ./scripts/powercut
  for part in store journal log files; do
    echo "== without the syncs of: $part"
    ALMENARA_LOSSY=$part dist/powercut-lossy store -caught -seed "$seed" -steps 40
  done
}

case ${1:-} in
--prove) prove ;;
--quick)
  dist/powercut store -seed "$seed" -steps 40 -every 8
  prove
  ;;
*) dist/powercut store "$@" ;;
esac
