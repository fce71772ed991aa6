#!/usr/bin/env bash
# The way through an external broker, with mosquitto: three nodes as processes, devices
# that know the broker only, alerts over HTTP; the publisher killed, the broker killed
# and started again in the middle of an alert. Every device must prove every alert once,
# and every node must count it. Installs mosquitto with apt; ports of loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
devices=${1:-200}
make_work
need_mosquitto "$work/install.log"
go build -o "$bin" .

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

for n in n1 n2 n3; do
  serve_flags[$n]="--broker tcp://127.0.0.1:$mqtt --broker-user node --broker-password-file $work/password"
done
district n1 n2 n3 # before the broker: a node does not wait for it

say "$devices devices that know the broker only"
for ((i = 1; i <= devices; i++)); do printf '%s\n' "lift-$i"; done >"$work/ids"
ask n1 --json device enrol --kind screen --place tuen-mun/on-ting/block-1 $(cat "$work/ids") >"$work/devices.json"
# their credentials at the broker are those of their enrolment
sed -n 's/.*"id": "\([^"]*\)".*/\1/p' "$work/devices.json" >"$work/names"
sed -n 's/.*"secret": "\([^"]*\)".*/\1/p' "$work/devices.json" >"$work/secrets"
paste -d: "$work/names" "$work/secrets" >"$work/plain"
mosquitto_passwd -U "$work/plain" && cat "$work/plain" >>"$work/users"
broker
ask n1 --json simulate --file "$work/devices.json" --servers "tcp://127.0.0.1:$mqtt" --expect-alert 4 --for 150s >"$work/simulate.json" 2>"$work/simulate.err" &
pid[simulate]=$!
there() { ask "$(leader n1 n2 n3)" status --json | sed -n '/"broker"/,/}/s/.*"devices": \([0-9]*\).*/\1/p'; }
until_true '[ "$(there)" = '"$devices"' ]'
leader=$(leader n1 n2 n3)
ask "$leader" status | sed -n '/^Broker/p'

send() {
  ask "$1" alert send --json --event Fire --category Fire --severity Extreme --urgency Immediate --certainty Observed \
    --headline "$2" --instruction "Leave by the stairs." --select "place under tuen-mun/on-ting"
}
proven() { local n; for n in $(live); do until_true '[ "$(presented '"$n $1"')" = '"$devices"' ]'; echo "$n: presented $(presented "$n" "$1") of $devices"; done; }
live() { local n; for n in n1 n2 n3; do if [ -n "${pid[$n]:-}" ]; then echo $n; fi; done; }

say "an alert to a follower"
read -r follower _ < <(without "$leader" n1 n2 n3)
first=$(field "$(send "$follower" "Fire in block 1")" alert)
proven "$first"

say "a silent test of all of them, through the broker"
leader=$(leader n1 n2 n3)
ask "$follower" alert cancel --reason "all clear" "$first" >/dev/null # what shows an alert is left alone
until_true 'ask '"$follower"' ability test >/dev/null 2>&1'
until_true '[ "$(field "$(ask '"$follower"' ability --json)" passed)" = '"$devices"' ]'
ask "$follower" ability | head -3
ask "$follower" device identify lift-1 || [ $? -eq 3 ] # no broker tells whether it took that
ask "$follower" device show lift-1 | sed -n '/said at/p'

say "kill -9 of the publisher $leader right after an alert"
second=$(field "$(send "$follower" "Fire in block 2")" alert)
crash "$leader"
proven "$second"

say "kill -9 of the broker in the middle of an alert"
third=$(field "$(send "$follower" "Fire in block 3")" alert)
crash broker
broker
proven "$third"

say "$leader returns"
serve "$leader"
proven "$third"

say "a last alert, with everybody back" # until here the devices have stayed: who leaves cannot be asked again
fourth=$(field "$(send "$follower" "Fire in block 4")" alert)

say "what the devices say"
wait "${pid[simulate]}" && echo "simulate: exit 0" || { cat "$work/simulate.json" "$work/simulate.err"; exit 1; }
unset "pid[simulate]"
cat "$work/simulate.json"
proven "$fourth"
passed=1
