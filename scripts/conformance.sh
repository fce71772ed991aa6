#!/usr/bin/env bash
# Runs Eclipse's public MQTT test suite (eclipse/paho.mqtt.testing, MQTT 3.1.1 and 5)
# against the real device gateway, in a build whose topics are open, and compares each
# outcome with conformance/expect.tsv: what the contract covers passes; what it does
# not serve is named there with the reason. Needs Go and python3.
#
# The runner is ../shared/tools/run_paho.py; without it there is nothing to run. The
# suite is the interoperability folder at PAHO_SUITE, at ../shared/paho.mqtt.testing,
# or in a clone of the pinned commit.
set -euo pipefail
cd "$(dirname "$0")/.."
SUITE_REPOSITORY=https://github.com/eclipse/paho.mqtt.testing
SUITE_COMMIT=9d7bb80bb8b9d9cfc0b52f8cb4c1916401281103
LANES=${LANES:-40} # tests at the same time: all of them, as they mostly wait
runner=../shared/tools/run_paho.py
if [ ! -f $runner ]; then
  echo "nothing was run: there is no $runner"
  exit 0
fi
. scripts/lib.sh
make_work

clone() {
  git -c advice.detachedHead=false clone -q $SUITE_REPOSITORY "$work/suite" &&
    git -C "$work/suite" checkout -q $SUITE_COMMIT
}
suite=${PAHO_SUITE:-../shared/paho.mqtt.testing/interoperability}
if [ ! -f "$suite/client_test5.py" ]; then
  clone || { echo "the suite is neither at $suite nor at $SUITE_REPOSITORY; PAHO_SUITE can name it"; exit 1; }
  suite=$work/suite/interoperability
fi
suite=$(cd "$suite" && pwd)

# What opens the topics must be in no product.
go build -o "$work/almenara" .
if go tool nm "$work/almenara" | grep OpenTestTopics >/dev/null; then
  echo "the product contains what opens the topics to tests"
  exit 1
fi
go build -tags conformance -o "$work/gateways" ./scripts/conformance

# names SUITE FILE: the tests that the suite has.
names() { sed -n 's/^    def \(test[A-Za-z0-9_]*\)(self):.*/'"$1"'\t\1/p' "$suite/$2.py"; }
{ names v3 client_test; names v5 client_test5; } >"$work/tests"
mkfifo "$work/stdin"
: >"$work/ports"
"$work/gateways" "$(wc -l <"$work/tests")" <"$work/stdin" >"$work/ports" 2>"$work/gateways.log" &
pid[gateways]=$!
exec 4>"$work/stdin" # the gateways end with their input
until [ "$(wc -l <"$work/ports")" = "$(wc -l <"$work/tests")" ]; do
  kill -0 "${pid[gateways]}" || { cat "$work/gateways.log"; exit 1; }
  sleep 0.05
done

# one LIMIT SUITE TEST PORT: suite, test, PASS or else, seconds, error. The limit ends a
# test that waits for ever for what is not served; one that must pass gets more time,
# because the suite takes a second of processor only to start.
one() { python3 "$runner" -d "$suite" -t "$1" 127.0.0.1 "$4" "$2" "$3" 2>>"$work/runner.log" | grep -v '^#'; }
export -f one
export runner suite work
paste "$work/tests" "$work/ports" |
  awk -F'\t' -v OFS='\t' 'NR == FNR { want[$1, $2] = $3; next } { print (want[$1, $2] == "pass" ? 120 : 30), $0 }' \
    scripts/conformance/expect.tsv - | sort -rn |
  xargs -P "$LANES" -L 1 bash -c 'one "$@"' one >"$work/outcomes"

python3 - scripts/conformance/expect.tsv "$work/outcomes" <<'PYTHON' || exit 1
import csv, sys
expected = {(r[0], r[1]): r[2:] for r in csv.reader(open(sys.argv[1]), delimiter="\t") if not r[0].startswith("#")}
got = {tuple(line.split("\t")[:2]): line.rstrip("\n").split("\t")[2:] for line in open(sys.argv[2])}
bad = []
for test in sorted(expected.keys() | got.keys()):
    name, want = " ".join(test), expected.get(test)
    if test not in got or want is None:
        bad.append(f"{name}: " + ("was not run" if test not in got else "is not in expect.tsv"))
    elif (got[test][0] == "PASS") != (want[0] == "pass"):
        bad.append(f"{name}: {got[test][0]}, expected {want[0]}: {got[test][2]}")
    elif want[0] not in ("pass", "not served") or not want[1]:
        bad.append(f"{name}: expect.tsv gives no reason")
print(*bad, sep="\n", end="\n" if bad else "")
served = sum(1 for want in expected.values() if want[0] == "pass")
print(f"{served} tests pass, {len(expected) - served} ask for what is not served, {len(bad)} are not as expected")
sys.exit(1 if bad else 0)
PYTHON
passed=1
