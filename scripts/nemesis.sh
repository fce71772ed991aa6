#!/usr/bin/env bash
# Real nodes under partitions, freezes, kills, power cuts, bad disks, wrong clocks and
# changes of the membership, and strangers who take descriptors, while alerts go out, and
# what must hold afterwards. As root on Linux each node gets a network namespace and, with
# /dev/fuse, a disk of its own; otherwise proxies stand between them and the disk is the
# machine's. Nothing but Go is needed.
# Takes the nemesis's own flags, for example:
#   scripts/nemesis.sh -seed 7                    # 2 minutes, 3 nodes
#   scripts/nemesis.sh -for 30m -nodes 5          # by hand, before a release
#   scripts/nemesis.sh -stale-reads               # must fail: shows that stale reads are seen
# The seed is printed; the same seed repeats the same faults.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -e /dev/fuse ] || mknod -m 600 /dev/fuse c 10 229 2>/dev/null || true # small containers leave it out
go build -o dist/almenara .
go build -o dist/nemesis ./scripts/nemesis
go build -o dist/nemesis-node ./scripts/nemesis/skewed
go build -o dist/lossyfs ./scripts/lossyfs
exec dist/nemesis -bin dist/almenara -serve dist/nemesis-node -disks dist/lossyfs "$@"
