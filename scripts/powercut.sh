#!/usr/bin/env bash
# Cuts the power of a node at every flush of its disk, and opens what is left. Needs
# root and /dev/fuse.
#   scripts/powercut.sh                  # every flush of a workload, minutes, by hand
#   scripts/powercut.sh -seed 7 …        # flags of `powercut store`
#   scripts/powercut.sh nodes -cuts 20   # whole nodes, three of them, at random flushes
#   scripts/powercut.sh stall            # a node that is alone, on a disk that stalls, ends
#   scripts/powercut.sh --prove          # programs that leave out a sync must be caught
#   scripts/powercut.sh --quick          # a sample of the first, and the second
# The seed is printed. SEED sets it for the last two.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e /dev/fuse ] || mknod -m 600 /dev/fuse c 10 229 2>/dev/null || true # small containers leave it out
[ -w /dev/fuse ] && [ "$(id -u)" = 0 ] || { echo "powercut.sh needs root and /dev/fuse"; exit 1; }
seed=${SEED:-$(date +%s)}

go build -o dist/powercut ./scripts/powercut

# without PART WHAT WORDS [FLAGS]: a program that leaves out the syncs of a part must break
# the promise that WORDS are from.
without() {
  local part=$1 what=$2 words=$3
  shift 3
  echo "== without the syncs of: $part: $what"
  for more in 0 1 2 3; do # not with every seed does something lie between two syncs
    ALMENARA_LOSSY=$part dist/powercut-lossy store -seed $((seed + more)) -steps 40 -imports 0 -most 60 -caught "$words" "$@" && return
  done
  return 1
}

prove() {
  go build -tags lossy -o dist/powercut-lossy ./scripts/powercut
  without store "the applied index falls behind what was acknowledged" "acknowledged as applied"
  without store "a later transaction is there, with its index, and earlier ones are not" "its state is another one|store is damaged" \
    -steps 65 -imports 40 -lag 5ms -most 200
  without journal "an acknowledged fact is gone" "neither in the journal nor in the state machine"
  without journal "a number is given twice" "was given again"
  without log "an acknowledged entry or vote is gone" "log"
  without files "a file is neither old nor new" "neither the old one nor the new one" \
    -steps 120 # of 40, one seed in twenty-five replaces no file
}

case ${1:-} in
--prove) prove ;;
--quick)
  dist/powercut store -seed "$seed" -steps 40 -most 12
  dist/powercut store -seed "$seed" -steps 40 -most 40 -imports 0
  go build -o dist/almenara .
  dist/powercut nodes -seed "$seed" -nodes 1 -cuts 1
  dist/powercut nodes -seed "$seed" -nodes 3 -cuts 1
  dist/powercut stall -seed "$seed"
  prove
  ;;
nodes | stall)
  go build -o dist/almenara .
  dist/powercut "$@"
  ;;
*) dist/powercut store "$@" ;;
esac
