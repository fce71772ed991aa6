#!/usr/bin/env bash
# Bad input against a real node: every case ends in a clear error with nothing lost.
# Prints each case with its command, its status or exit code and the sentence that
# came back, and at the end what is left of the node: counts, audit, members, memory,
# and whether an alert still reaches a device. Exit 1 when any case misbehaves.
# ALMENARA_TESTDATA names a folder with audiences/ for the case with the real faults.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
here=$PWD/scripts/hostile
make_work
go build -o "$bin" .
hostile=$work/hostile
go build -o "$hostile" ./scripts/hostile
cd "$work"
. "$here/lib.sh"

say "a node, two devices, an alert"
found n1
url=${api[n1]}
auth="Authorization: Bearer $token"
devices=$(curl -sS -X POST "$url/api/v1/devices" -H "$auth" -d '[{"id":"good","kind":"screen","place":"tuen-mun/on-ting"},{"id":"evil","kind":"screen","place":"tuen-mun/butterfly"}]')
secret() { sed 's/.*"id":"'"$1"'"[^}]*"secret":"\([^"]*\)".*/\1/' <<<"$devices"; }
evil="--addr $(address n1 mqtt) --id evil --secret $(secret evil)"
make_cap ok >ok.xml
outcome=$(curl -sS -X POST "$url/api/v1/cap?select=place%20under%20tuen-mun%2Fon-ting&wait=committed" -H "$auth" --data-binary @ok.xml)
alert=$(sed -n 's/.*"alert":"\([^"]*\)".*/\1/p' <<<"$outcome")
revision=$(sed -n 's/.*"revision":\([0-9]*\).*/\1/p' <<<"$outcome")
[ -n "$alert" ] || { echo "the first alert was not taken: $outcome"; exit 1; }
before=$(snapshot)
until_true 'audit | grep "alert adopted" >/dev/null'
audit_before=$(audit)
rss_before=$(rss)
trap_on

. "$here/cases_alerts.sh"
same "the audit" "$audit_before" "$(audit)"
. "$here/cases_audience.sh"
. "$here/cases_authority.sh"
. "$here/cases_people.sh"
. "$here/cases_residents.sh"
. "$here/cases_places.sh"

# Slow clients take their time: they run beside what follows.
"$hostile" --addr "${url#http://}" --token "$token" http-slow-body >slow-body.out 2>&1 &
slow=$!
pid[slow]=$slow
. "$here/cases_ports.sh"
. "$here/cases_cli.sh"

say "the slow bodies"
if wait "$slow"; then code=0; else code=1; fi
unset 'pid[slow]'
verdict "$code" 0 "hostile http-slow-body" "$code" "$(cat slow-body.out)"
trap_off

say "what is left"
same "members, users, devices, places and alerts" "$before" "$(snapshot)"
echo "memory: $rss_before kB before, $(rss) kB after"
[ "$(rss)" -lt 400000 ] || misbehaved "the node has grown to $(rss) kB"
get /api/v1/audit >audit.jsonl
verdict "$("$bin" audit verify audit.jsonl >out.out 2>&1; echo $?)" 0 "almenara audit verify, $(wc -l <audit.jsonl) lines" 0 "$(cat out.out)"
tool "$evil" mqtt-alive
for c in silent endless-headers; do tool "--addr ${url#http://} --token $token --id ${pid[n1]}" "http-$c"; done
reaches_device

. "$here/cases_budgets.sh"
. "$here/cases_disk.sh"

printf '\n%d cases, %d misbehaved, %d s\n' "$cases" "$wrong" "$SECONDS"
[ "$wrong" = 0 ] && passed=1
[ "$wrong" = 0 ]
