# What a composer of one place can do to the alerts of others: nothing. Sourced by
# scripts/hostile.sh. Each attack ends in refusals and in a district that shows the fire.
say "one composer against the district"
composer=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"composer","roles":["composer"],"places":["tuen-mun/butterfly"]}' | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
as_composer="Authorization: Bearer $composer"
anywhere=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"anywhere","roles":["composer"]}' | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
as_anywhere="Authorization: Bearer $anywhere" # limited to nothing: no rule but those on times and budgets stops it

# make_cancel IDENTIFIER SENT REFERENCES: a Cancel.
make_cancel() {
  printf '<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>%s</identifier><sender>hostile@example.org</sender><sent>%s</sent><status>Actual</status><msgType>Cancel</msgType><scope>Public</scope><references>%s</references></alert>' "$1" "$2" "$3"
}
# unseen COUNT PREFIX: references to what nobody has sent.
unseen() { for n in $(seq "$1"); do printf 'nobody@example.org,%s-%s,%s ' "$2" "$n" "$soon"; done; }
# many COUNT FILE-OR-PATTERN PATH [HEADER]: posts as the composer, or as who the header says,
# and lists the codes that came back.
many() {
  for n in $(seq "$1"); do
    [ "$n" = 1 ] || echo next
    printf 'url = "%s%s"\nheader = "%s"\ndata-binary = "@%s"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\nsilent\n' "$url" "$3" "${4:-$as_composer}" "${2//%/$n}"
  done >many.curl
  curl -K many.curl | sort | uniq -c | awk '{printf "%s×%s ", $1, $2}'
}
# fire NAME: an emergency of the administrator's to everybody is in force at once, and a
# device that connects after all of that shows it.
fire() {
  local begun=$EPOCHREALTIME took code id
  code=$(curl -sS -o fire.out -w '%{http_code}' -X POST "$url/api/v1/alerts?wait=local" -H "$auth" -d '{"select":"place under tuen-mun","alert":{"info":['"${info/\"H\"/\"fire $1\"}"']}}')
  took=$(awk "BEGIN{printf \"%d\", ($EPOCHREALTIME - $begun) * 1000}")
  id=$(sed -n 's/.*"alert":"\([^"]*\)".*/\1/p' fire.out)
  verdict "$code$(grep -o '"state":"in-force"' fire.out)" '202"state":"in-force"' "the fire after $1, $took ms" "$code" "$(cat fire.out)"
  [ "$took" -lt 1000 ] || misbehaved "the fire took $took ms, 1000 at most"
  echo "$devices" | sed 's/,{"id":"evil".*/]/' >good.json
  timeout 60 "$bin" --api "$url" --token "$token" --json simulate --file good.json --expect-alert 2 --for 20s >simulate.out 2>simulate.err || true
  until_true 'get /api/v1/alerts/'"$id"' | grep "\"presented\":[1-9]" >/dev/null'
  verdict "$(get "/api/v1/alerts/$id" | grep -o '"presented":[1-9]' | head -n 1)" '"presented":1' "a device that reconnects shows the fire" ok "$(tr -d '\n ' <simulate.out | cut -c1-120)"
}

soon=$(date -u +%Y-%m-%dT%H:%M:%S-00:00)
make_cancel far 9999-12-31T23:59:59-14:00 'nobody@example.org,nothing,9999-12-31T23:00:00-14:00' >far.xml
http "403 422" -X POST "$url/api/v1/cap" -H "$as_composer" --data-binary @far.xml
make_cancel of-far "$soon" 'nobody@example.org,nothing,9999-12-31T23:00:00-14:00' >of-far.xml
http "403 422" -X POST "$url/api/v1/cap" -H "$as_composer" --data-binary @of-far.xml
http 422 -X POST "$url/api/v1/cap" -H "$as_anywhere" --data-binary @far.xml
http 422 -X POST "$url/api/v1/cap" -H "$as_anywhere" --data-binary @of-far.xml
make_cancel wide "$soon" "$(unseen 1000 wide)" >wide.xml
http "403 422" -X POST "$url/api/v1/cap" -H "$as_composer" --data-binary @wide.xml
http 422 -X POST "$url/api/v1/cap" -H "$as_anywhere" --data-binary @wide.xml
fire "a Cancel of the year 9999 and one of 1,000 references"

rss_references=$(rss)
for who in composer anywhere; do
  header="as_$who"
  for size in 1000 100; do
    for n in $(seq 100); do make_cancel "$who-$size-$n" "$soon" "$(unseen "$size" "$who-$size-$n")" >"many-$n.xml"; done
    codes=$(many 100 many-%.xml /api/v1/cap "${!header}")
    echo "     $who: $codes"
    refused=$(tr ' ' '\n' <<<"$codes" | awk -F× '$2 ~ /^4/ { sum += $1 } END { print sum + 0 }')
    [ "$refused" -ge 75 ] || misbehaved "$((100 - refused)) of 100 Cancels of $size references by $who were taken"
    case $who$size in
      anywhere1000) [ "$refused" = 100 ] || misbehaved "more references than a message may have were taken" ;;
      anywhere100) grep -q '×429' <<<"$codes" || misbehaved "the budget of references was not asked" ;;
    esac
    verdict "$(grep -c '×5' <<<"$codes")" 0 "100 Cancels of $size references each, by $who" "${codes%% *}" "$(($(rss) - rss_references)) kB more memory"
  done
done
[ $(($(rss) - rss_references)) -lt 60000 ] || misbehaved "references took $(($(rss) - rss_references)) kB"
fire "400 Cancels of many references"

for count in 500 3000; do
  printf '%s' '{"select":"place under tuen-mun/butterfly","alert":{"info":['"${info/\"H\"/\"flood of $count\"}"']}}' >flood.json
  codes=$(many "$count" flood.json /api/v1/alerts)
  echo "     $count alerts to one block: $codes"
  taken=$(tr ' ' '\n' <<<"$codes" | sed -n 's/×200//p')
  [ "${taken:-0}" -le 50 ] || misbehaved "$taken alerts of one composer to one block were taken"
  grep -q '×429' <<<"$codes" || misbehaved "nothing was over budget"
  fire "$count alerts of one composer"
done
http 429 -X POST "$url/api/v1/alerts" -H "$as_composer" --data-binary @flood.json

say "what contradicts what, beside alerts of hundreds of blocks"
# blocks N: an alert of 200 blocks, none of which says what another one of any alert says.
blocks() {
  awk -v n="$1" 'BEGIN {
    split("Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None", words); split("Extreme Severe Moderate Minor Unknown", severity); split("Immediate Expected Future Past Unknown", urgency)
    printf "{\"select\":\"place under tuen-mun/butterfly\",\"alert\":{\"info\":["
    for (i = 0; i < 200; i++) {
      of = n * 200 + i; types = ""; bits = int(of / 25) + 1
      for (w = 1; w <= 9; w++) { if (bits % 2) types = types (types == "" ? "" : ",") "\"" words[w] "\""; bits = int(bits / 2) }
      printf "%s{\"language\":\"en\",\"category\":[\"Fire\"],\"event\":\"Fire\",\"responseType\":[%s],\"severity\":\"%s\",\"urgency\":\"%s\",\"certainty\":\"Observed\",\"headline\":\"%d\",\"area\":[{\"areaDesc\":\"X\"}]}", i ? "," : "", types, severity[of % 5 + 1], urgency[int(of / 5) % 5 + 1], of
    }
    print "]}}" }'
}
for n in $(seq 50); do blocks "$n" >"blocks-$n.json"; done
codes=$(many 50 blocks-%.json /api/v1/alerts "Authorization: Bearer $small")
taken=$(tr ' ' '\n' <<<"$codes" | sed -n 's/×202//p')
[ "${taken:-0}" -ge 20 ] || misbehaved "alerts of 200 blocks: $codes"
ticks() { awk '{ print $14 + $15 }' "/proc/${pid[n1]}/stat"; } # hundredths of a second of the processor
rss_blocks=$(rss) ticks_blocks=$(ticks)
verdict "$(curl -sS -m 60 -o contrary.out -w '%{http_code}' "$url/api/v1/contradictions" -H "Authorization: Bearer $small")" 200 "contradictions among $taken alerts of 200 blocks" ok "$(($(rss) - rss_blocks)) kB more memory, $((($(ticks) - ticks_blocks) * 10)) ms of the processor"
[ $(($(rss) - rss_blocks)) -lt 150000 ] && [ $(($(ticks) - ticks_blocks)) -lt 200 ] || misbehaved "one question took that much"
