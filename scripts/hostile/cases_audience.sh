# Audience: files, and an import in whose middle the node is killed. Sourced.
say "files of members"
# file NAME WANTED: HTTP 200 with "applied":false names the faults by line.
file() {
  "$hostile" --out "$1.csv" "$1"
  post "$2" /api/v1/audience/import -H 'Content-Type: text/csv' --data-binary "@$1.csv"
}
for name in csv-binary csv-field-10mb csv-quote-open csv-header csv-empty; do file "$name" 400; done
for name in csv-utf16-cut csv-twice csv-formula; do
  "$hostile" --out "$name.csv" "$name"
  faults "$name.csv"
done
if [ -n "${ALMENARA_TESTDATA:-}" ]; then
  faults "$ALMENARA_TESTDATA/audiences/residents-40-with-faults.csv"
  grep 'line ' out.out | cut -c1-140
fi
# stream NAME WANTED: a file that is made while it is sent.
stream() {
  local code
  code=$("$hostile" "$1" | curl -sS -o body.out -w '%{http_code}' --max-time 120 -X POST "$url/api/v1/audience/import" -H "$auth" -T - 2>curl.err) || true
  verdict "$code" "$2" "hostile $1 | curl -T - /api/v1/audience/import" "$code" "$(cat body.out)"
}
stream csv-200mb 413
stream csv-2000001-rows 400
echo "memory: $(rss) kB; files left in the folder: $(ls n1 | grep -c 'import-' || true)"
same "members after refused files" "$before" "$(snapshot)"

say "devices, places, users, nodes"
many() { printf '['; for i in $(seq "$1"); do printf '{"id":"d%d","kind":"screen","place":"%s"},' "$i" "$([ "$i" = "$1" ] && echo ../x || echo tuen-mun/a)"; done | sed 's/,$/]/'; }
many 500 >devices.json
post 422 /api/v1/devices -d @devices.json
post 422 /api/v1/devices -d '[{"id":"q","kind":"screen","place":"tuen-mun/a"},{"id":"q","kind":"screen","place":"tuen-mun/a"}]'
post 422 /api/v1/devices -d '{"id":"../x","kind":"screen","place":"tuen-mun/a"}'
post 400 /api/v1/devices -d '[]'
http 422 -X PUT "$url/api/v1/places" -H "$auth" -d '[{"path":"tuen-mun/z"},{"path":"tuen-mun/y","lat":1e300,"lon":1}]'
post 409 /api/v1/users -d '{"name":"administrator","roles":["viewer"]}'
post 422 /api/v1/users -d '{"name":"x","roles":["god"]}'
post 422 /api/v1/users -d '{"name":"\u0000","roles":["viewer"]}'
http 409 -X DELETE "$url/api/v1/users/administrator" -H "$auth"
node=$(get /api/v1/status | sed -n 's/^{"node":"\([^"]*\)".*/\1/p')
http 422 -X DELETE "$url/api/v1/nodes/$node" -H "$auth"
http 400 "$url/api/v1/alerts/..%2f..%2fetc" -H "$auth"
http 404 "$url/api/v1/audit?from=18446744073709551615" -H "$auth"
same "members after refused changes" "$before" "$(snapshot)"

say "kill -9 in the middle of an import of 200,000 rows"
"$hostile" --out mass.csv csv-200000-rows
mass() { get "/api/v1/audience/select?expr=place%20under%20tuen-mun%2Fmass&limit=1" | sed -n 's/.*"counts":{"total":\([0-9]*\).*/\1/p'; }
# interrupted SIGN WANTED: kills when the audit shows SIGN, or after a moment for "".
interrupted() {
  curl -sS -o /dev/null -X POST "$url/api/v1/audience/import" -H "$auth" --data-binary @mass.csv 2>/dev/null &
  local request=$!
  if [ -n "$1" ]; then until_true 'get /api/v1/audit | grep "'"$1"'" >/dev/null'; else until_true 'ls n1 | grep -q import-'; sleep 0.7; fi
  crash n1
  wait "$request" || true
  serve n1
  until_true "ready n1"
  local left
  left=$(ls n1 | grep -c import- || true)
  [ -z "$1" ] || until_true '[ "$(mass)" = 200000 ]'
  verdict "$(mass)" "$2" "kill -9, serve; before activation: nothing, after it: all" "$(mass)" "members of the import; uploads left: $left"
}
interrupted "" 0
interrupted "import activate" 200000
http 200 -X POST "$url/api/v1/audience/import?replace=false&dry_run=true" -H "$auth" --data-binary @mass.csv
before=$(snapshot)
