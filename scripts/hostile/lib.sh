# What scripts/hostile.sh and its cases use; sourced after ../lib.sh, in the working
# folder. url is the node's API.
cases=0
wrong=0

rss() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${pid[n1]}/status"; }
get() { curl -sS "$url$1" -H "$auth"; }

# snapshot says everything that refused input must not change.
snapshot() {
  get "/api/v1/audience/select?expr=not%20id%20%3D%20nobody&limit=1" | sed 's/"members".*//' || true
  get /api/v1/users
  get /api/v1/devices | sed 's/"connected":[a-z]*,*//g; s/"unanswered":\[[^]]*\],*//g; s/"node":"[^"]*",*//g; s/"since":"[^"]*",*//g; s/"condition":"[^"]*",*//g'
  get /api/v1/places
  get /api/v1/alerts | grep -o '"key":"[^"]*"' | sort
}

# audit lists what the audit says was done, but for what refused input may add: that it
# was refused, and the viewer that the cases need.
audit() { get /api/v1/audit | grep '"action"' | grep -v 'refus\|viewer' | sed 's/.*"actor"/"actor"/; s/"hash".*//'; }

misbehaved() { wrong=$((wrong + 1)); printf '   MISBEHAVED: %s\n' "$*"; }

# verdict STATUS WANTED COMMAND SHOWN SENTENCE
verdict() {
  cases=$((cases + 1))
  printf '%-4s %s\n     %s\n' "$4" "$(cut -c1-150 <<<"$3")" "$(head -c 230 <<<"$5" | tr '\n' ' ')"
  case " $2 " in *" $1 "*) ;; *) misbehaved "wanted $2" ;; esac
}

# http WANTED CURL-ARGUMENTS: a request whose answer must be a problem in one sentence.
http() {
  local wanted=$1 code sentence
  shift
  code=$(curl -sS -o body.out -w '%{http_code}' --max-time 60 "$@" 2>curl.err) || true
  sentence=$(sed -n 's/.*"error":"\(\([^"\\]\|\\.\)*\)".*/\1/p' body.out | head -n 1)
  verdict "$code" "$wanted" "curl $(printf '%s ' "$@" | sed "s/$token/…/g; s#$url##g")" "$code" "${sentence:-$(head -c 200 body.out)$(cat curl.err)}"
  case $code in [45]*) [ -n "$sentence" ] || misbehaved "no sentence" ;; esac
  [ "$code" != 500 ] || misbehaved "the node blames itself"
  : >body.out
}
post() { local wanted=$1 path=$2; shift 2; http "$wanted" -X POST "$url$path" -H "$auth" "$@"; }

# cli WANTED ARGUMENTS: a command that must fail with one sentence on stderr.
cli() {
  local wanted=$1 code=0
  shift
  timeout 60 "$bin" "$@" >out.out 2>err.out </dev/null || code=$?
  verdict "$code" "$wanted" "almenara $(printf '%s ' "$@" | sed "s/$token/…/g")" "$code" "$(cat err.out)"
  ! grep -q 'panic:\|goroutine' err.out || misbehaved "a panic"
  [ "$(grep -c '^almenara: ' err.out)" = 1 ] || misbehaved "not one sentence"
}

# faults FILE: an import that must say which lines are wrong, and change nothing.
faults() {
  local code=0
  "$bin" --api "$url" --token "$token" audience import "$1" >out.out 2>err.out || code=$?
  verdict "$code" 1 "almenara audience import $1" "$code" "$(grep '^ *line ' out.out || cat out.out err.out)"
  grep -q 'line [0-9]' out.out || misbehaved "no line is named"
}

# tool ARGUMENTS CASE: a case of the Go program beside this file.
tool() {
  local code=0 said
  said=$(timeout 120 "$hostile" $1 --alert "$alert" --revision "$revision" "$2" 2>&1) || code=$?
  verdict "$code" 0 "hostile $2" "$code" "$said"
}

same() {
  cases=$((cases + 1))
  if [ "$2" = "$3" ]; then echo "unchanged: $1"; else misbehaved "changed: $1"; diff <(echo "$2") <(echo "$3") | cut -c1-300 | head -n 10; fi
}

# trap_on listens for anybody who fetches what a message names; trap_off looks.
trap_on() {
  "$hostile" --out trap.addr trap >trap.out 2>&1 &
  pid[trap]=$!
  until_true '[ -s trap.addr ]'
  fetch=http://$(cat trap.addr)
}
trap_off() {
  local code=0
  kill -INT "${pid[trap]}"
  wait "${pid[trap]}" || code=$?
  unset 'pid[trap]'
  verdict "$code" 0 "what the entities and DTDs named" "$code" "$(cat trap.out)"
}

# reaches_device sends an alert and asks the good device whether it has it.
reaches_device() {
  echo "$devices" | sed 's/,{"id":"evil".*/]/' >good.json
  "$bin" --api "$url" --token "$token" --json simulate --file good.json --expect-alert 2 --for 30s >simulate.out 2>simulate.err &
  local sim=$! code=0
  pid[sim]=$sim
  make_cap "after-$RANDOM" >after.xml
  curl -sS -X POST "$url/api/v1/cap?select=place%20under%20tuen-mun" -H "$auth" --data-binary @after.xml >/dev/null
  wait "$sim" || code=$?
  unset 'pid[sim]'
  verdict "$code" 0 "an alert reaches a device" "$code" "$(tr -d '\n ' <simulate.out | cut -c1-150)$(cat simulate.err)"
}

# make_cap IDENTIFIER [AREA] [BEFORE-ALERT] [HEADLINE] [NAMESPACE]: a CAP message.
make_cap() {
  local now then
  now=$(date -u +%Y-%m-%dT%H:%M:%S-00:00)
  then=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%S-00:00)
  printf '<?xml version="1.0" encoding="UTF-8"?>%s<alert xmlns="%s"><identifier>%s</identifier><sender>hostile@example.org</sender><sent>%s</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>en</language><category>Fire</category><event>Fire</event><urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty><expires>%s</expires><headline>%s</headline>%s</info></alert>' \
    "${3:-}" "${5:-urn:oasis:names:tc:emergency:cap:1.2}" "$1" "$now" "$then" "${4:-Fire}" "${2:-<area><areaDesc>here</areaDesc></area>}"
}
