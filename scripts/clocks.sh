#!/usr/bin/env bash
# One clock is passed in everywhere for the time of day, and durations are monotonic: code
# that asks the machine's clock itself goes wrong on a box whose clock is. scripts/clocks.txt
# lists, with a reason, how often a file may call time.Now(): for a moment from which
# time.Since measures, for the deadline of a socket, where no node runs. Prints every file that
# does more often; exit 1 then.
set -euo pipefail
cd "$(dirname "$0")/.."
code=$(git ls-files --cached --others --exclude-standard '*.go' | grep -vE '_test\.go$|^scripts/|/(clustertest|channeltest|apitest|storagetest)/')
bad=$(grep -cE 'time\.Now\(\)' $code | awk -F: '
  FILENAME == "scripts/clocks.txt" { if ($0 !~ /^#/ && NF) { split($0, f, " "); most[f[2]] = f[1] } next }
  $2 > 0 && $2 > most[$1] + 0 { printf "%s calls time.Now() %d times, %d at most (scripts/clocks.txt): use the clock that is passed in\n", $1, $2, most[$1] }
' scripts/clocks.txt -)
# A moment that was made of a number has lost its monotonic part.
stepped=$(grep -nE 'time\.(Since|Until)\(time\.Unix' $code || true)
# The clock itself as a value, where an option was left empty, is told by what is left of it.
values=$(grep -nE '[^A-Za-z.]time\.Now($|[^A-Za-z(])' $code | grep -vE '(Clock|clock|wall) *(=|:) *time\.Now$|//.*time\.Now' || true)
[ -z "$bad$stepped$values" ] || { printf '%s\n' "$bad" "$stepped" "$values" | sed '/^$/d'; exit 1; }
