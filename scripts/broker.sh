#!/usr/bin/env bash
# The way through an external broker, with mosquitto: three nodes as processes, devices
# that know the broker only, alerts over HTTP; the publisher killed, the broker killed
# and started again in the middle of an alert. Every device must prove every alert once,
# and every node must count it. Installs mosquitto with apt; ports of loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
devices=${1:-200}
PATH=$PATH:/usr/sbin
work=$(mktemp -d)
declare -A pid
cleanup() {
  for p in "${pid[@]}"; do kill "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${passed:-}" ] && rm -rf "$work" || echo "folders and logs are kept in $work"
}
trap cleanup EXIT

# install gets mosquitto without the service that Debian starts for it.
install() {
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends mosquitto
  if [ -d /run/systemd/system ]; then $sudo systemctl disable --now mosquitto; fi
}
command -v mosquitto >/dev/null || install >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
go build -o dist/almenara .
bin=$PWD/dist/almenara

say() { printf '\n== %s\n' "$*"; }
free() {
  local p
  while :; do
    p=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null && continue
    mkdir "$work/port-$p" 2>/dev/null && break
  done
  echo "$p"
}
field() { sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\).*/\1/p" <<<"$1" | head -n 1; }
ask() { local n=$1; shift; "$bin" --api "${api[$n]}" --token "$token" "$@"; }
until_true() { local end=$((SECONDS + 60)); until eval "$1"; do [ $SECONDS -lt $end ] || { echo "never true: $1"; exit 1; }; sleep 0.1; done; }
serve() {
  "$bin" serve --data "$work/n$1" --broker "tcp://127.0.0.1:$mqtt" --broker-user node --broker-password-file "$work/password" >>"$work/n$1.log" 2>&1 &
  pid[$1]=$!
  until_true "ask $1 status --json >/dev/null 2>&1"
}
broker() {
  mosquitto -c "$work/mosquitto.conf" >>"$work/mosquitto.log" 2>&1 &
  pid[broker]=$!
  until_true "(exec 3<>/dev/tcp/127.0.0.1/$mqtt) 2>/dev/null"
}

# A device reads what is for it and for all, and writes what it says itself: the broker
# vouches for who it is. Nodes write the other half.
say "mosquitto with an access list"
mqtt=$(free)
printf 'secret of the nodes' >"$work/password"
: >"$work/users"
mosquitto_passwd -b "$work/users" node "$(cat "$work/password")"
cat >"$work/acl" <<ACL
user node
topic readwrite almenara/1/#

pattern read almenara/1/now
pattern read almenara/1/keys
pattern read almenara/1/device/%c/alert/+
pattern read almenara/1/device/%c/command
pattern write almenara/1/device/%c/receipt
pattern write almenara/1/device/%c/report
pattern write almenara/1/device/%c/state
ACL
cat >"$work/mosquitto.conf" <<CONF
listener $mqtt 127.0.0.1
user root
acl_file $work/acl
password_file $work/users
persistence true
persistence_location $work/
max_inflight_messages 1000
max_queued_messages 100000
CONF
chmod 700 "$work/acl" "$work/users"

declare -A api listen
for n in 1 2 3; do
  api[$n]=http://127.0.0.1:$(free)
  listen[$n]="--internode 127.0.0.1:$(free) --listen ${api[$n]#http://} --mqtt 127.0.0.1:$(free) --mqtt-tls 127.0.0.1:$(free) --mqtt-ws 127.0.0.1:$(free)"
done
"$bin" init --data "$work/n1" --name n1 --district tuen-mun ${listen[1]}
token=$(cat "$work/n1/operator.token")
serve 1 # before the broker: a node does not wait for it
until_true 'ask 1 status --json | grep -q "\"ready\": true"'
for n in 2 3; do
  "$bin" join --data "$work/n$n" --name n$n ${listen[$n]} "$(field "$(ask 1 node invite --json)" token)"
  serve $n
done
until_true '[ "$(ask 1 status --json | grep -c "\"voter\": true")" = 3 ]'

say "$devices devices that know the broker only"
for ((i = 1; i <= devices; i++)); do printf '%s\n' "lift-$i"; done >"$work/ids"
ask 1 --json device enrol --kind screen --place tuen-mun/on-ting/block-1 $(cat "$work/ids") >"$work/devices.json"
# their credentials at the broker are those of their enrolment
sed -n 's/.*"id": "\([^"]*\)".*/\1/p' "$work/devices.json" >"$work/names"
sed -n 's/.*"secret": "\([^"]*\)".*/\1/p' "$work/devices.json" >"$work/secrets"
paste -d: "$work/names" "$work/secrets" >"$work/plain"
mosquitto_passwd -U "$work/plain" && cat "$work/plain" >>"$work/users"
broker
ask 1 --json simulate --file "$work/devices.json" --servers "tcp://127.0.0.1:$mqtt" --expect-alert 4 --for 150s >"$work/simulate.json" 2>"$work/simulate.err" &
sim=$!
pid[simulate]=$sim
leads() { for n in 1 2 3; do if [ "$(field "$(ask $n status --json 2>/dev/null)" role)" = leader ]; then echo $n; fi; done; }
there() { ask "$(leads)" status --json | sed -n '/"broker"/,/}/s/.*"devices": \([0-9]*\).*/\1/p'; }
until_true '[ "$(there)" = '"$devices"' ]'
leader=$(leads)
ask "$leader" status | sed -n '/^Broker/p'

send() {
  ask "$1" alert send --json --event Fire --category Fire --severity Extreme --urgency Immediate --certainty Observed \
    --headline "$2" --instruction "Leave by the stairs." --select "place under tuen-mun/on-ting"
}
presented() { field "$(ask "$1" alert show "$2" --json)" presented; }
proven() { for n in $(live); do until_true '[ "$(presented '"$n $1"')" = '"$devices"' ]'; echo "n$n: presented $(presented "$n" "$1") of $devices"; done; }
live() { for n in 1 2 3; do if [ -n "${pid[$n]:-}" ]; then echo $n; fi; done; }

say "an alert to a follower"
follower=$((leader % 3 + 1))
first=$(field "$(send $follower "Fire in block 1")" alert)
proven "$first"

say "kill -9 of the publisher n$leader right after an alert"
second=$(field "$(send $follower "Fire in block 2")" alert)
kill -9 "${pid[$leader]}"
unset "pid[$leader]"
proven "$second"

say "kill -9 of the broker in the middle of an alert"
third=$(field "$(send $follower "Fire in block 3")" alert)
kill -9 "${pid[broker]}"
wait "${pid[broker]}" 2>/dev/null || true
broker
proven "$third"

say "n$leader returns"
serve "$leader"
proven "$third"

say "a last alert, with everybody back" # until here the devices have stayed: who leaves cannot be asked again
fourth=$(field "$(send $follower "Fire in block 4")" alert)

say "what the devices say"
wait $sim && echo "simulate: exit 0" || { cat "$work/simulate.json" "$work/simulate.err"; exit 1; }
unset "pid[simulate]"
cat "$work/simulate.json"
proven "$fourth"
passed=1
