#!/usr/bin/env bash
# Devices of another hand: a screen in JavaScript and one in Python, written from CONTRACT.md with
# stock MQTT libraries, pass every line of `almenara device check`; and each of the screens that are
# broken on purpose (BROKEN=WORD) fails its own line. Installs what it needs with apt and npm.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
NPM_MQTT=mqtt@5.16.0
make_work

# WORD|the line that it must fail at
broken='
signature|refuses a body that another key signed
typ|refuses the wrong typ
algnone|refuses alg none
retained|does not obey a body with the retain flag
oldring|does not go back to an older ring
expired|does not show what is over when it comes
ownclock|goes by the district'"'"'s time, not its own
ended|stops when it has ended
backlog|shows nothing before the manifest of a connection
digest|shows no other content than the one that is listed
pages|waits for all pages of a manifest
replay|does not show what only an old manifest lists
twice|begins nothing twice when a body comes again
drill|shows a drill that asks for a siren as a drill
forgets|remembers an end over a power cut
unproven|tells nothing of what no node has confirmed since a power cut
'
install() {
  local missing=()
  /usr/bin/python3 -c 'import paho.mqtt.client, cryptography' 2>/dev/null || missing+=(python3-paho-mqtt python3-cryptography)
  for tool in node npm; do command -v $tool >/dev/null || missing+=("${tool/%node/nodejs}"); done
  if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}" || return; fi
  npm install --prefix "$work/npm" --no-audit --no-fund --loglevel=error $NPM_MQTT
}
if ! install >"$work/install.log" 2>&1; then cat "$work/install.log"; exit 1; fi
go build -o "$bin" .
export NODE_FOLDER=$work/npm
javascript="node scripts/devices/screen.mjs"
python="/usr/bin/python3 scripts/devices/screen.py"

# check NAME COMMAND [FLAGS…]: the grades are in $work/NAME.
check() { "$bin" device check --run "$2 >\"$work/$1.out\" 2>&1" "${@:3}" >"$work/$1" 2>"$work/$1.err"; }
good() { if check "$1" "$2" && ! grep -q '^not seen' "$work/$1"; then echo "$1: $(tail -n 1 "$work/$1")"; else echo "FAILED: $1"; cat "$work/$1" "$work/$1.err"; return 1; fi; }
# bad WORD LINE: fails that line, and only because of it.
bad() {
  if BROKEN=$1 check "broken-$1" "$javascript" --only "$2"; then echo "FAILED: the screen that is broken by $1 passes"; return 1; fi
  grep -q "^FAILED .* $2$" "$work/broken-$1" || { echo "FAILED: the screen that is broken by $1 does not fail at: $2"; cat "$work/broken-$1" "$work/broken-$1.err"; return 1; }
  printf '%-10s fails: %s\n' "$1" "$2"
}

jobs=()
good javascript "$javascript" & jobs+=($!)
good python "$python" & jobs+=($!)
while IFS='|' read -r word line; do
  [ -n "$word" ] || continue
  bad "$word" "$line" & jobs+=($!)
  if [ $((${#jobs[@]} % 5)) = 0 ]; then wait "${jobs[-1]}" || exit 1; fi
done <<<"$broken"
for job in "${jobs[@]}"; do wait "$job" || exit 1; done
passed=1
