# What people do about an alert after it was sent, who lets devices in, and pages: what somebody tries who
# may little or nothing. Sourced by scripts/hostile.sh after cases_authority.sh.
say "somebody else's alert"
of="$url/api/v1/alerts/$alert"
as_viewer() { local wanted=$1; shift; http "$wanted" -H "Authorization: Bearer $viewer" "$@"; }
json='Content-Type: application/json'
as_small 403 -X POST "$of/told" -H "$json" -d '{"members":["good"]}'
as_small 403 -X POST "$of/remind" -H "$json" -d '{"every_minutes":1}'
for what in told remind; do as_viewer 403 -X POST "$of/$what" -H "$json" -d '{}'; done
as_viewer 403 -X POST "$of/spoken-approval" -H "$json" -d '{"for":"duty","code":"123456"}'
post 404 "/api/v1/alerts/$alert/told" -H "$json" -d '{"members":["nobody-of-that-name"]}'
post 400 "/api/v1/alerts/$alert/told" -H "$json" -d '{}'
printf '{"members":["%s"]}' "$(seq -s '","' 5000)" >many.json
post 413 "/api/v1/alerts/$alert/told" -H "$json" --data-binary @many.json
for every in -1 1441 1e9 '"x"'; do post 400 "/api/v1/alerts/$alert/remind" -H "$json" -d "{\"every_minutes\":$every}"; done
verdict "$(curl -sS -o out.out -w '%{http_code}' -X POST "$of/remind" -H "$auth" -H "$json" -d '{"every_minutes":5}')" 201 "reminders every 5 minutes" ok "$(cat out.out)"
for every in 1 2 3; do post 429 "/api/v1/alerts/$alert/remind" -H "$json" -d "{\"every_minutes\":$every}"; done
verdict "$(curl -sS -o out.out -w '%{http_code}' -X POST "$of/remind" -H "$auth" -H "$json" -d '{"every_minutes":0}')" 201 "and they are ended at once" ok "$(cat out.out)"
codes=$(for _ in $(seq 30); do curl -sS -o /dev/null -w '%{http_code}\n' -X POST "$of/remind" -H "$auth" -H "$json" -d '{"every_minutes":0}' & done | sort | uniq -c | tr -s ' \n' ' ')
verdict "$codes" " 30 429 " "30 reminders at once, within the minute" 429 "$codes"

say "the street"
asks_in() { curl -sS -o body.out -w '%{http_code}' -X POST "$url/enrol/ask" "$@"; }
commitment() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='; }
body() { printf '{"kind":"screen","ticket":"%s","commitment":"%s"}' "$1" "$(commitment)"; }
codes=$(for _ in $(seq 20); do asks_in -H "$json" -d "$(body '')"; echo; done | sort | uniq -c | tr -s ' \n' ' ')
verdict "$codes" " 3 200 17 429 " "20 devices that nobody invited, of one address" 429 "$codes"
codes=$(for _ in $(seq 200); do asks_in -H "$json" -d "$(body "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')")"; echo; done | sort -u | tr '\n' ' ')
verdict "$codes" "404 " "200 tickets that were guessed" 404 "$codes"
http 400 -X POST "$url/enrol/ask" -d "$(body '')"
http 403 -X POST "$url/enrol/ask" -H "$json" -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site' -d "$(body '')"
http 400 -X POST "$url/enrol/ask" -H "$json" -d '{"kind":"screen","ticket":"","commitment":"short"}'

say "pages"
# page WANTED WHAT CURL-ARGUMENTS: a request for a page.
page() {
  local wanted=$1 what=$2 code
  shift 2
  code=$(curl -sS -o page.out -w '%{http_code}' --max-time 60 "$@")
  verdict "$code" "$wanted" "$what" "$code" ""
}
page 303 "what is in force, without having signed in" "$url/console/now"
page 401 "a form, without having signed in" -X POST "$url/console/alerts/$alert/remind" -d every=1
page 400 "a page with the token of a program" "$url/console/now" -H "$auth"
page 403 "a page under another host name" "$url/console/handbook" -H 'Host: evil.example'
page 403 "a form of another site" -X POST "$url/console/sign-in" -H 'Origin: https://evil.example' -d name=duty -d password=x
for path in handbook/..%2f..%2fetc%2fpasswd handbook/%2e%2e%2f%2e%2e%2fnode.json static/..%2f..%2fidentity%2froot.pem; do
  page 404 "/console/$path" --path-as-is "$url/console/$path"
done
page "400 401" "the API with the cookie of a page" "$url/api/v1/alerts" -H 'Cookie: almenara=x'
tool "$evil" mqtt-shows-anything
verdict "$(grep -c 'reading answers to an alert' "$work/n1.log" || true)" 0 "what no alert is" 0 "makes no line in the log"
