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
