# Shared by recovery.sh and upgrade.sh: real processes of a district on loopback.
# bin, work and token are set by the script; a node n has its folder in $work/n$n.

declare -A pid api listen program

cleanup() {
  for p in "${pid[@]}"; do kill "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ -n "${passed:-}" ]; then rm -rf "$work"; else echo "folders and logs are kept in $work"; fi
}

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

# free prints a port on which nothing listens, and never the same one twice.
free() {
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue
    mkdir "$work/port-$p" 2>/dev/null && break
  done
  echo "$p"
}

# place gives node n its addresses.
place() {
  api[$1]=http://127.0.0.1:$(free)
  listen[$1]="--internode 127.0.0.1:$(free) --listen ${api[$1]#http://} --mqtt 127.0.0.1:$(free) --mqtt-tls 127.0.0.1:$(free) --mqtt-ws 127.0.0.1:$(free)"
}

# field JSON KEY: the first value of a key in the program's own JSON.
field() { sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\).*/\1/p" <<<"$1" | head -n 1; }
ask() { local n=$1; shift; "$bin" --api "${api[$n]}" --token "$token" "$@"; }
until_true() { local end=$((SECONDS + 60)); until eval "$1"; do [ $SECONDS -lt $end ] || { echo "never true: $1"; exit 1; }; sleep 0.1; done; }

# serve starts node n, with the program of its own where it has one.
serve() {
  "${program[$1]:-$bin}" serve --data "$work/n$1" >>"$work/n$1.log" 2>&1 &
  pid[$1]=$!
  until_true "ask $1 status --json >/dev/null 2>&1"
}
stop() { kill "${pid[$1]}"; wait "${pid[$1]}" || true; unset "pid[$1]"; }
crash() { kill -9 "${pid[$1]}"; wait "${pid[$1]}" 2>/dev/null || true; unset "pid[$1]"; }

invitation() { field "$(ask "$1" node invite --json)" token; }
# add joins node n with an invitation of node by, and starts it.
add() {
  "${program[$1]:-$bin}" join --data "$work/n$1" --name "n$1" ${listen[$1]} "$(invitation "$2")" >/dev/null
  serve "$1"
}
voters() { ask "$1" status --json | grep -c '"voter": true' || true; }
members() { ask "$1" status --json | grep -c '"voter":' || true; }
# same counts the states of these nodes.
same() { local n; for n in "$@"; do field "$(ask "$n" status --hash --json)" state_hash; done | sort -u | wc -l; }

# fleet connects devices, enrolled through node n, that stay until the end.
fleet() {
  ask "$1" --json simulate --devices "$2" --place tuen-mun/on-ting/block-1 --for 300s >"$work/simulate.json" 2>"$work/simulate.err" &
  pid[fleet]=$!
  until_true '[ "$(field "$(ask '"$1"' status --json)" devices_connected)" != 0 ]'
}

# alert sends one to node n and waits until it has got as far as said.
alert() {
  local expires
  expires=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S-00:00)
  curl -sS --fail-with-body -X POST "${api[$1]}/api/v1/alerts?wait=$3" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' -d '{"select": "place under tuen-mun",
    "alert": {"sender": "'"$2"'@drill.example", "info": [{"language": "en", "category": ["Fire"], "event": "Fire", "urgency": "Immediate",
    "severity": "Extreme", "certainty": "Observed", "headline": "'"$2"'", "expires": "'"$expires"'",
    "area": [{"areaDesc": "On Ting Estate"}]}]}}' >"$work/outcome.json" || return 1 # also where a condition switched errexit off
  [ "$3" != committed ] || grep -q '"state": *"committed"' "$work/outcome.json" || { echo "$2 was not committed:"; cat "$work/outcome.json"; exit 1; }
  echo "n$1 took $2"
}

# audited says whether the audit of node n has the words; it is kept in audit$n.jsonl.
audited() { ask "$1" audit export >"$work/audit$1.jsonl" && grep -q -- "$2" "$work/audit$1.jsonl"; }
