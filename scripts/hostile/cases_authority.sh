# Authority: what a composer of one place tries against everybody else. Sourced by
# scripts/hostile.sh; every attempt is refused, and what it was aimed at stays.
say "the smallest rights"
user_token() { sed -n 's/.*"token":"\([^"]*\)".*/\1/p'; }
small=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"small","roles":["composer"],"places":["tuen-mun/butterfly"]}' | user_token)
centre=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"centre","roles":["composer"],"senders":["centre@example.org"],"system":true}' | user_token)
from() { sed "s/hostile@example.org/$1/"; }
make_cap storm | from centre@example.org >storm.xml
storm=$(curl -sS -X POST "$url/api/v1/cap?select=place%20under%20tuen-mun" -H "Authorization: Bearer $centre" --data-binary @storm.xml | sed -n 's/.*"alert":"\([^"]*\)".*/\1/p')
[ -n "$storm" ] || misbehaved "the centre's alert was not taken"
sent=$(sed -n 's/.*<sent>\([^<]*\)<.*/\1/p' storm.xml)
before=$(snapshot)

as_small() { local wanted=$1; shift; http "$wanted" -H "Authorization: Bearer $small" "$@"; }
butterfly="$url/api/v1/cap?select=place%20under%20tuen-mun%2Fbutterfly"
# references KEY TYPE: a message of its own sender that references another.
references() { make_cap "hush-$RANDOM" | sed "s#<msgType>Alert#<msgType>$2#; s#</scope>#</scope><references>$1</references>#"; }

as_small 403 -X POST "$url/api/v1/alerts/$storm/cancel" -d '{"reason":"hush"}'
for type in Cancel Update; do
  references "centre@example.org,storm,$sent" "$type" >hush.xml
  as_small 403 -X POST "$butterfly" --data-binary @hush.xml
  references "centre@example.org,still-to-come,$sent" "$type" >hush.xml
  as_small 403 -X POST "$butterfly" --data-binary @hush.xml
done
make_cap next | from centre@example.org >taken.xml
as_small 403 -X POST "$butterfly" --data-binary @taken.xml
post 403 /api/v1/cap?select=place%20under%20tuen-mun --data-binary @taken.xml
make_cap everybody >everybody.xml
as_small 403 -X POST "$url/api/v1/cap?select=place%20under%20tuen-mun" --data-binary @everybody.xml
as_small 403 -X GET "$url/api/v1/users"
as_small 403 -X PUT "$url/api/v1/policy" -d '{"rules":[]}'

say "a thousand wrong tokens"
codes=$(for _ in $(seq 1000); do printf 'url = "%s/api/v1/places"\noutput = "/dev/null"\n' "$url"; done |
  curl -sS -K - -H "Authorization: Bearer wrong" -w '%{http_code}\n' | sort -u | paste -sd_)
verdict "$codes" 401_429 "curl -H 'Authorization: Bearer wrong', 1,000 times" 429 "$codes"
verdict "$(curl -sS -o /dev/null -w '%{http_code}' "$url/api/v1/places" -H "$auth")" 200 "a good token from the same address" 200 ""
same "what the attempts were aimed at" "$before" "$(snapshot)"

say "a policy, and who would pass by it"
duty=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"duty","roles":["composer"]}' | user_token)
officer=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"officer","roles":["composer"],"senders":["officer@example.org"]}' | user_token)
# policy RULES: replaces the policy.
policy() { verdict "$(curl -sS -o policy.out -w '%{http_code}' -X PUT "$url/api/v1/policy" -H "$auth" -d '{"rules":['"$1"']}')" "200 204" "the policy [$1]" ok "$(cat policy.out)"; }
# waits TOKEN WHAT URL FILE: what is sent waits for a second person, and nothing is shown.
waits() {
  local code
  code=$(curl -sS -o waits.out -w '%{http_code}' -X POST "$3" -H "Authorization: Bearer $1" --data-binary "@$4")
  verdict "$code$(grep -o '"state":"[a-z-]*"' waits.out | head -n 1)" '202"state":"pending"' "$2" "$code" "$(cat waits.out)"
}
policy '{"severity":"Extreme","approvals":1}'
references "centre@example.org,storm,$sent" Update | sed 's#<headline>Fire#<headline>Leave the city#' >leave.xml
waits "$duty" "an Update with other words over the centre's Extreme alert, by another sender" "$url/api/v1/cap?select=place%20under%20tuen-mun" leave.xml
make_cap by-officer | from officer@example.org >officer.xml
waits "$officer" "an Extreme alert by a person who was given a sender" "$url/api/v1/cap?select=place%20under%20tuen-mun" officer.xml
get "/api/v1/alerts/$storm" >storm.out
verdict "$(grep -o '"state":"[a-z-]*"' storm.out | head -n 1)$(grep -c 'Leave the city' storm.out)" '"state":"in-force"0' "the centre's alert" ok "is in force as it was"

policy '{"share":90,"approvals":1}'
printf '%s' '{"select":"not id = evil","alert":{"info":['"${info/\"H\"/\"all but one\"}"']}}' >but-one.json
waits "$duty" "everybody but one screen, of 200,000 members" "$url/api/v1/alerts" but-one.json
policy ''

say "what a viewer reads of people"
viewer=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"looker","roles":["viewer"]}' | user_token)
printf 'id,name,kind,place,tags,endpoints\nr-secret,Chan Tai Man,phone,tuen-mun/on-ting,care=oxygen,sms:85291234567\n' >person.csv
verdict "$(curl -sS -o import.out -w '%{http_code}' -X POST "$url/api/v1/audience/import" -H "$auth" -H 'Content-Type: text/csv' --data-binary @person.csv)" 200 "a phone with a name and a telephone number" ok "$(cat import.out)"
known='id%20%3D%20r-secret&limit=1'
get "/api/v1/audience/select?expr=$known" >known.out
verdict "$(grep -c 'Chan Tai Man' known.out) $(grep -c 85291234567 known.out)" "1 1" "who may read persons reads both" ok "$(cat known.out)"
curl -sS "$url/api/v1/audience/select?expr=$known" -H "Authorization: Bearer $viewer" >seen.out
verdict "$(grep -c r-secret seen.out) $(grep -c 'Chan Tai Man\|85291234567\|oxygen' seen.out || true)" "1 0" "a viewer reads neither" ok "$(cat seen.out)"
http 403 "$url/api/v1/audience/select?expr=care%20%3D%20oxygen" -H "Authorization: Bearer $viewer"
reaches_device
before=$(snapshot)
