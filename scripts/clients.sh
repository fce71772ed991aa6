#!/usr/bin/env bash
# Stock MQTT clients as devices of a running node: mosquitto's tools, Eclipse Paho in
# Go and Python, and npm's mqtt, with MQTT 3.1.1 and 5, over TCP, TLS and WebSocket.
# Installs what it needs with apt and npm; starts one node on free ports of loopback.
#
# Each client is a program under clients/ that is told in the environment
#   MQTT_URL tcp://, ssl:// or ws://   MQTT_VERSION 4 (3.1.1) or 5   CA_FILE (PEM)
#   DEVICE, SECRET, ROOT_KEY as at enrolment
#   OTHER, FORGED: another device, and receipts in its name
# It checks that it is refused with a wrong secret, for others' topics and for FORGED.
# Then it subscribes, verifies what is retained and prints "ready"; takes the body of one
# alert, publishes receipts and state, and prints "presented ALERT" after the PUBACKs;
# and prints "ended ALERT" when a manifest lists the end and it has told that it has stopped. Otherwise it says why on
# standard error and exits with 1.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
NPM_MQTT=mqtt@5.16.0
ROUNDS=${ROUNDS:-2} # of the day, for each client
make_work
lanes=()
row='%-24s %-6s %-4s %s\n'
# end_lanes ends clients too, in process groups of their own, some of which stand still.
end_lanes() {
  local p
  for p in "${lanes[@]}" $(cat "$work"/*.pid 2>/dev/null); do kill -CONT -- "$p" 2>/dev/null || true; kill -- "$p" 2>/dev/null || true; done
}
trap 'end_lanes; cleanup' EXIT

# install: what is missing, with apt; then the npm package into the work folder.
install() {
  local missing=()
  command -v mosquitto_sub >/dev/null && command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
  /usr/bin/python3 -c 'import paho.mqtt.client, cryptography' 2>/dev/null || missing+=(python3-paho-mqtt python3-cryptography)
  command -v curl >/dev/null || missing+=(curl)
  command -v node >/dev/null || missing+=(nodejs)
  for tool in npm jq openssl; do command -v $tool >/dev/null || missing+=($tool); done
  if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}" || return; fi
  npm install --prefix "$work/npm" --no-audit --no-fund --loglevel=error $NPM_MQTT
}

# soon COMMAND: waits until it is true, 20 seconds at most.
soon() { local end=$((SECONDS + 20)); until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done; }
enrolled() { jq -r --arg id "$1" '.[] | select(.id == $id) | '"$2" "$work/enrolled.json"; }
send() {
  ask stock alert send --json --event Fire --category Fire --severity Extreme --urgency Immediate --certainty Observed \
    --headline "Fire in block 1" --instruction "Leave by the stairs." --select "id = $1"
}

# hear LINE: what the client must print next. Without LINE: that it ends well.
hear() {
  local line=
  if [ $# = 0 ]; then wait "$client" && return; else read -r -t 60 -u "$said" line || true; fi
  [ $# = 1 ] && [ "$line" = "$1" ] || fail "expected ${1:-exit code 0}: ${line:-$(tail -n 1 "$errors")}"
}
# fail ends the story, and its alert, so that the next story starts clean.
fail() {
  echo "$*"
  kill "$client" 2>/dev/null || true
  rm -f "$errors.pid"
  [ -z "$alert" ] || ask stock alert cancel "$alert" --reason "the story failed" >/dev/null 2>&1 || true
  exit 1
}
rungs() { ask stock alert show "$1" --json | jq -e ".addressed.total == 1 and .rungs.verified == $2 and .rungs.presented == $2"; }
stopped() { ask stock alert show "$1" --json | jq -e '.rungs.cancelled == 1 and .rungs.presented == 1'; }
presenting() { ask stock device list --json | jq -e --arg id "$DEVICE" 'any(.[]; .id == $id and .condition == "presenting")'; }

# story DEVICE VERSION SCHEME COMMAND…: one client and one alert; prints what failed.
# It runs in a process of its own.
story() {
  local alert=
  export DEVICE=$1 MQTT_VERSION=$2 SECRET MQTT_URL
  SECRET=$(enrolled "$1" .secret) MQTT_URL=$(enrolled "$1" '.servers[]' | grep "^$3://")
  errors=$work/$1-$2-$3.log
  exec {said}< <(exec "${@:4}" 2>"$errors")
  client=$!
  echo "$BASHPID $client" >"$errors.pid"
  hear ready
  rungs "$standing" 0 >/dev/null || fail "a forged receipt was counted"
  alert=$(send "$DEVICE" | jq -r .alert) || fail "the alert was not sent"
  hear "presented $alert"
  soon rungs "$alert" 1 || fail "the node does not count it as presented"
  [ "$DEVICE" = mosquitto ] || soon presenting || fail "the node does not know what the device said of itself"
  ask stock alert cancel "$alert" --reason "end of the story" >/dev/null || fail "the alert was not cancelled"
  hear "ended $alert"
  hear
  soon stopped "$alert" || fail "the node does not count it as stopped"
  rm "$errors.pid"
}

# begin COMMAND…: starts a client in a process group of its own and waits until it is ready.
begin() {
  exec {said}< <(exec setsid "$@" 2>>"$errors")
  client=$!
  echo "$BASHPID -$client" >>"$errors.pid"
  hear ready
}

# day DEVICE VERSION SCHEME COMMAND…: a day's losses in fast motion. In each round one
# client is lost without a word, the next one stands still with its connection open while
# an alert comes and goes, and a third takes the device over: it has to get the next alert
# and its end, and nothing of the one before.
day() {
  local alert= missed round still
  export DEVICE=$1 MQTT_VERSION=$2 SECRET MQTT_URL
  SECRET=$(enrolled "$1" .secret) MQTT_URL=$(enrolled "$1" '.servers[]' | grep "^$3://")
  errors=$work/$1-$2-$3.log
  for ((round = 0; round < ROUNDS; round++)); do
    begin "${@:4}"
    kill -KILL -- "-$client" # before the alert, between its packets
    begin "${@:4}"
    kill -STOP -- "-$client"
    still=$client
    missed=$(send "$DEVICE" | jq -r .alert) || fail "the alert was not sent"
    ask stock alert cancel "$missed" --reason "over before anybody saw it" >/dev/null || fail "the alert was not cancelled"
    begin "${@:4}"
    alert=$(send "$DEVICE" | jq -r .alert) || fail "the alert was not sent"
    hear "presented $alert"
    soon rungs "$alert" 1 || fail "the node does not count it as presented"
    ask stock alert cancel "$alert" --reason "end of the round" >/dev/null || fail "the alert was not cancelled"
    hear "ended $alert"
    hear
    kill -KILL -- "-$still"
    rungs "$missed" 0 >/dev/null || fail "an alert that nobody saw is counted as presented"
  done
  rm "$errors.pid"
}

# lane NAME DEVICE VERSIONS SCHEMES COMMAND…: stories of one client, one after the
# other, as it has one credential. Lanes run side by side.
lane() {
  local version scheme why
  for version in $3; do
    for scheme in $4; do
      if why=$($kind "$2" "$version" "$scheme" "${@:5}"); then why=ok; else why="FAILED: ${why:-no reason given}"; fi
      printf "$row" "$1" "${version/4/3.1.1}" "${scheme/ssl/tls}" "$why"
    done
  done
}
kind=story
start_lane() { lane "$@" >"$work/lane${#lanes[@]}" & lanes+=($!); }

if ! install >"$work/install.log" 2>&1; then cat "$work/install.log"; exit 1; fi
go build -o "$bin" .
go build -o "$work/gopaho" ./scripts/clients/go
found stock
ask stock device enrol --json --kind screen --place tuen-mun/on-ting/block-1 \
  mosquitto go3 go5 python npm other day-mosquitto day-go3 day-go5 day-python day-npm >"$work/enrolled.json"
enrolled other .ca >"$work/ca.pem"
outcome=$(send other)
standing=$(jq -r .alert <<<"$outcome")
export OTHER=other CA_FILE=$work/ca.pem NODE_FOLDER=$work/npm ROOT_KEY FORGED
ROOT_KEY=$(enrolled other .root_key)
FORGED=$(jq -c --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '[{alert, revision, rung: "presented", at: $at, seq: 1}]' <<<"$outcome")

version() { go list -m -f '{{.Version}}' "$1"; }
mosquitto_version=$(mosquitto_pub --version 2>/dev/null | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -n 1 || true)
python_version=$(/usr/bin/python3 -c 'import paho.mqtt; print(paho.mqtt.__version__)')
# Debian's mosquitto tools speak no WebSocket.
start_lane "mosquitto $mosquitto_version" mosquitto "4 5" "tcp ssl" bash scripts/clients/mosquitto.sh
start_lane "paho.mqtt.golang $(version github.com/eclipse/paho.mqtt.golang)" go3 4 "tcp ssl ws" "$work/gopaho"
start_lane "paho.golang $(version github.com/eclipse/paho.golang)" go5 5 "tcp ssl ws" "$work/gopaho"
start_lane "paho python $python_version" python "4 5" "tcp ssl ws" /usr/bin/python3 scripts/clients/device.py
start_lane "npm $NPM_MQTT" npm "4 5" "tcp ssl ws" node scripts/clients/device.mjs

# finish_lanes: their rows, in the order in which they were started.
finish_lanes() {
  local i
  for i in "${!lanes[@]}"; do
    wait "${lanes[$i]}" || true
    tee -a "$work/results" <"$work/lane$i"
  done
  lanes=()
}
printf "$row" CLIENT MQTT OVER RESULT
finish_lanes

# The day, and what it must leave behind: nothing.
connections() { curl -sS "${api[stock]}/metrics" | sed -n 's/^almenara_mqtt_connections //p'; }
descriptors() { ls "/proc/${pid[stock]}/fd" | wc -l; }
alone() { [ "$(connections)" = 0 ]; }
idle() { alone && [ "$(descriptors)" -le $((base + 8)) ]; } # the API's own connections come and go
soon alone || true
base=$(descriptors)
kind=day
start_lane "mosquitto, a day" day-mosquitto 5 tcp bash scripts/clients/mosquitto.sh
start_lane "paho.mqtt.golang, a day" day-go3 4 tcp "$work/gopaho"
start_lane "paho.golang, a day" day-go5 5 tcp "$work/gopaho"
start_lane "paho python, a day" day-python 4 tcp /usr/bin/python3 scripts/clients/device.py
start_lane "npm mqtt, a day" day-npm 5 ws node scripts/clients/device.mjs
finish_lanes
soon idle || echo "the day left $(connections) connections, and $(descriptors) descriptors after $base" | tee -a "$work/results"
good=$(grep -c ' ok$' "$work/results" || true)
bad=$(($(wc -l <"$work/results") - good))
echo "$good passed, $bad failed"
if [ "$bad" = 0 ] && [ "$good" = 27 ]; then passed=1; else exit 1; fi
