#!/usr/bin/env bash
# Real nodes under partitions, freezes, kills and stops while alerts go out, and what
# must hold afterwards. Takes the nemesis's own flags, for example:
#   scripts/nemesis.sh -seed 7                    # 2 minutes, 3 nodes
#   scripts/nemesis.sh -for 30m -nodes 5          # by hand, before a release
# The seed is printed; the same seed repeats the same faults.
set -euo pipefail
cd "$(dirname "$0")/.."
go build -o dist/almenara .
go build -o dist/nemesis ./scripts/nemesis
exec dist/nemesis -bin dist/almenara "$@"
