# Residents: links that nobody made, pages of other sites, answers that flood. Sourced by hostile.sh.
say "residents"
page 404 "a link that was guessed" "$url/r/$(head -c 99 /dev/urandom | base32 | tr 'A-Z' 'a-z' | tr -d '=\n')"
page 404 "a link of one letter" "$url/r/a"
page 404 "a link that leads elsewhere" --path-as-is "$url/r/..%2f..%2fidentity%2froot.pem"
page 404 "an answer to a link that was guessed" -X POST "$url/r/aaaa" -d 'answer=help&where=1'
page 403 "an answer from a page of another site" -X POST "$url/r/aaaa" -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site' -d 'answer=seen'
page 405 "a link that is deleted" -X DELETE "$url/r/aaaa"
page "400 404" "a form of 20 MB" -X POST "$url/r/aaaa" -F answer=help -F 'photo=@-;filename=x.jpg' < <(head -c 20000000 /dev/zero)
page "400 404" "ten thousand fields" -X POST "$url/r/aaaa" --data-binary @<(for i in $(seq 10000); do printf 'f%d=x&' "$i"; done)
page 404 "a file of the pages that there is not" "$url/r/file/residents.html"
codes=$(for _ in $(seq 900); do echo "url=$url/r/aaaa"; echo 'output=/dev/null'; done | curl -sS -K - -w '%{http_code}\n' | sort -u | tr '\n' ' ')
verdict "$codes" "404 429 " "900 pages of one address at once" "404 429" "$codes"
http 401 "$url/api/v1/alerts/$alert/residents"
say "visits"
forged=$(head -c 81 /dev/urandom | base32 | tr 'A-Z' 'a-z' | tr -d '=\n')
page 404 "a code of a place that was guessed" "$url/r/at/$forged"
page 404 "a check-in with a code that was guessed" -X POST "$url/r/at/$forged"
page 404 "a code of one letter" "$url/r/at/a"
page 403 "a check-in from a page of another site" -X POST "$url/r/at/$forged" -H 'Origin: https://evil.example' -H 'Sec-Fetch-Site: cross-site'
page 200 "visits that are garbage" "$url/r/visits" -H 'Cookie: visits=%00%ff<script>'
page "200 400 431" "a cookie of thousands of visits" "$url/r/visits" -H "Cookie: visits=$(head -c 60000 /dev/zero | tr '\0' A)"
page "200 400 414 431" "an address of thousands of visits" "$url/r/visits?v=$(head -c 60000 /dev/zero | tr '\0' A)"
page 404 "an answer to a recall without a visit" -X POST "$url/r/recall/$alert" -d 'answer=help&text=x'
page "400 404" "an answer of a megabyte" -X POST "$url/r/recall/$alert" --data-binary @<(printf 'answer=help&text='; head -c 1000000 /dev/zero | tr '\0' x)
page 404 "a recall of an alert that there is not" "$url/r/recall/%2e%2e"
http 401 "$url/api/v1/checkins"
http 401 "$url/api/v1/places/codes?places=tuen-mun"
get_refused() { http "$1" "$url$2" -H "$auth"; }
get_refused 400 "/api/v1/checkins?since=yesterday"
get_refused 400 "/api/v1/checkins?since=1970-01-01T00:00:00Z"
get_refused 404 "/api/v1/checkins?place=%3Cb%3E"
get_refused "400 404 422" "/api/v1/places/codes?places=$(head -c 3000 /dev/zero | tr '\0' ,)"
recall() { printf '{"select":"all","alert":{"info":[{"language":"en","category":["Health"],"event":"Recall","urgency":"Future","severity":"Minor","certainty":"Likely","headline":"x","parameter":[{"valueName":"almenara:visited","value":"%s"}]}]}}' "$1"; }
hour() { date -u -d "$1" +%Y-%m-%dT%H:00:00Z; }
for wild in "nonsense" "2020-01-01T00:00:00Z/$(hour now) tuen-mun" "$(hour '-2 hours')/$(hour '+9 days') tuen-mun" "$(hour '-60 days')/$(hour '-59 days') tuen-mun" "$(hour '-1 hour')/$(hour '-2 hours') tuen-mun" \
  "$(hour '-2 hours')/$(hour '-1 hour') no-such-place" "$(hour '-2 hours')/$(hour '-1 hour') <b>tuen-mun" "$(hour '-2 hours')/$(hour '-1 hour') $(printf '\xe2\x80\xae')tuen-mun"; do
  post 422 /api/v1/alerts -H 'Content-Type: application/json' -d "$(recall "$wild")"
done
