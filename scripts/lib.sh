# What the scripts that drive real processes share; sourced by them, at the root of the
# repository. It starts nothing by itself.
#
# A script calls make_work, and puts every process that it starts into pid[NAME]: they
# end with the script. It sets passed=1 when all is proven, or its folder is kept. A node
# is named by a word (n1, n2): $work/NAME is its data folder, place NAME gives it its
# addresses, and serve NAME starts it. bin is the program, token the administrator's.
declare -A pid api listen program serve_flags
passed=

# make_work makes the folder of this run in work, which cleanup removes. The program has
# its place there, so that runs beside each other do not replace each other's.
make_work() {
  work=$(mktemp -d) bin=$work/almenara
  trap cleanup EXIT
}
cleanup() {
  local p
  for p in "${pid[@]}"; do kill -- "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ -n "$passed" ]; then rm -rf "$work"; else echo "folders and logs are kept in $work"; fi
}

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
# until_true CONDITION: waits until the words are true, a minute at most.
until_true() { local end=$((SECONDS + 60)); until eval "$1"; do [ $SECONDS -lt $end ] || { echo "never true: $1"; exit 1; }; sleep 0.1; done; }
# field JSON KEY: the first value of a key in the program's own JSON, or in the API's.
field() { sed -n 's/.*"'"$2"'": *"\{0,1\}\([^",}]*\).*/\1/p' <<<"$1" | head -n 1; }

# apt_install PACKAGE… installs what a script needs.
apt_install() {
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq || return
  $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@"
}
# need_mosquitto LOG installs the broker where it is missing, without the service that
# Debian starts for it.
need_mosquitto() {
  PATH=$PATH:/usr/sbin
  if command -v mosquitto >/dev/null; then return; fi
  apt_install mosquitto >"$1" 2>&1 || { cat "$1"; exit 1; }
  if [ -d /run/systemd/system ]; then systemctl disable --now mosquitto || sudo systemctl disable --now mosquitto; fi
}

# free prints a port on which nothing listens, below those that the system hands out by
# itself, and never the same one twice.
free() {
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue
    mkdir "$work/port-$p" 2>/dev/null && break
  done
  echo "$p"
}
# place NODE gives it an address for each of its ports.
place() {
  api[$1]=http://127.0.0.1:$(free)
  listen[$1]="--internode 127.0.0.1:$(free) --listen ${api[$1]#http://} --mqtt 127.0.0.1:$(free) --mqtt-tls 127.0.0.1:$(free) --mqtt-ws 127.0.0.1:$(free)"
}
# address NODE PORT is one of those: internode, listen, mqtt, mqtt-tls or mqtt-ws.
address() { sed "s/.*--$2 \([^ ]*\).*/\1/" <<<"${listen[$1]}"; }
# found NODE begins a district with it and starts it.
found() {
  [ -n "${listen[$1]:-}" ] || place "$1"
  "${program[$1]:-$bin}" init --data "$work/$1" --name "$1" --district tuen-mun ${listen[$1]} >"$work/init.log"
  token=$(cat "$work/$1/operator.token")
  serve "$1"
  until_true "ready $1"
}
# serve starts a node, with a program and with flags of its own where it has them, and
# waits until it answers.
serve() {
  "${program[$1]:-$bin}" serve --data "$work/$1" ${serve_flags[$1]:-} >>"$work/$1.log" 2>&1 &
  pid[$1]=$!
  until_true '[ -n "$(status '"$1"' node)" ]'
}
# stop ends a process of ours as planned, and crash as a power cut does.
stop() { kill "${pid[$1]}"; wait "${pid[$1]}" || true; unset "pid[$1]"; }
crash() { kill -9 "${pid[$1]}"; wait "${pid[$1]}" 2>/dev/null || true; unset "pid[$1]"; }

# ask NODE WORDS… is a command of the administrator's at that node.
ask() { local at=$1; shift; "$bin" --api "${api[$at]}" --token "$token" "$@"; }
status() { field "$(ask "$1" status --json 2>/dev/null)" "$2"; }
ready() { [ "$(status "$1" ready)" = true ]; }
invitation() { field "$(ask "$1" node invite --json)" token; }
# add NODE BY joins it with an invitation of another, and starts it.
add() {
  [ -n "${listen[$1]:-}" ] || place "$1"
  "${program[$1]:-$bin}" join --data "$work/$1" --name "$1" ${listen[$1]} "$(invitation "$2")" >/dev/null
  serve "$1"
}
# district NODE… is one of all of them, which vote.
district() {
  local first=$1 all=$# n
  found "$1"
  shift
  for n in "$@"; do add "$n" "$first"; done
  until_true '[ "$(voters '"$first"')" = '"$all"' ]'
}
voters() { ask "$1" status --json | grep -c '"voter": true' || true; }
members() { ask "$1" status --json | grep -c '"voter":' || true; }
# leader NODE… is the one of them that leads.
leader() { local n; for n in "$@"; do if [ "$(status "$n" role)" = leader ]; then echo "$n"; fi; done; }
# without NODE NODE… lists the others.
without() { local gone=$1 n out=(); shift; for n in "$@"; do [ "$n" = "$gone" ] || out+=("$n"); done; echo "${out[*]}"; }
# states NODE… counts how many different ones they have.
states() { local n; for n in "$@"; do field "$(ask "$n" status --hash --json)" state_hash; done | sort -u | wc -l; }

# fleet NODE COUNT connects devices, enrolled through it, that stay until the end.
fleet() {
  ask "$1" --json simulate --devices "$2" --place tuen-mun/on-ting/block-1 --for 300s >"$work/simulate.json" 2>"$work/simulate.err" &
  pid[fleet]=$!
  until_true '[ "$(status '"$1"' devices_connected)" != 0 ]'
}
# alert NODE NAME WAIT sends one to all of the district, and waits until it has got as
# far as WAIT says. NAME is its headline, and its sender is NAME@drill.example. The
# answer is in $work/outcome.json.
alert() {
  local expires
  expires=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S-00:00)
  curl -sS --fail-with-body -X POST "${api[$1]}/api/v1/alerts?wait=$3" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' -d '{"select": "place under tuen-mun",
    "alert": {"sender": "'"$2"'@drill.example", "info": [{"language": "en", "category": ["Fire"], "event": "Fire", "urgency": "Immediate",
    "severity": "Extreme", "certainty": "Observed", "headline": "'"$2"'", "instruction": "Leave by the stairs.", "expires": "'"$expires"'",
    "area": [{"areaDesc": "On Ting Estate"}]}]}}' >"$work/outcome.json" || return 1 # also where a condition switched errexit off
  [ "$3" != committed ] || grep -q '"replication": *"committed"' "$work/outcome.json" || { echo "$2 was not committed:"; cat "$work/outcome.json"; exit 1; }
  echo "$1 took $2"
}
# alert_id is that of the alert that was sent last; presented NODE ALERT how many
# members have seen it, as far as the node knows.
alert_id() { field "$(cat "$work/outcome.json")" alert; }
presented() { field "$(ask "$1" alert show "$2" --json)" presented; }
# audited NODE WORDS says whether its audit has them; it is kept in $work/audit-NODE.jsonl.
audited() { ask "$1" audit export >"$work/audit-$1.jsonl" && grep -q -- "$2" "$work/audit-$1.jsonl"; }
