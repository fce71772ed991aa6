# Places: what who manages one estate tries with outlines and codes against everybody else. Sourced by
# scripts/hostile.sh after cases_residents.sh; all of it is refused.
say "places"
estate=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"estate","roles":["composer","audience-manager"],"places":["tuen-mun/butterfly"]}' | user_token)
as_estate() { local wanted=$1; shift; http "$wanted" -H "Authorization: Bearer $estate" "$@"; }
# comb TEETH SLANT: an outline as a comb, each tooth so many degrees slanted.
comb() {
  awk -v teeth="$1" -v slant="$2" 'BEGIN { for (i = 0; i < teeth; i++) { at = 113.9 + 0.00002 * i
    printf "22.3,%.6f 22.4,%.6f 22.4,%.6f 22.3,%.6f ", at, at + slant, at + slant + 0.000005, at + 0.000005 }
    printf "22.2999,%.6f 22.2999,113.9 22.3,113.9", 113.9 + 0.00002 * teeth }'
}
verdict "$(curl -sS -o put.out -w '%{http_code}' -X PUT "$url/api/v1/places" -H "$auth" -d '[{"path":"tuen-mun/on-ting","geocodes":[{"valueName":"HK-TEST","value":"7"}]}]')" 204 "a code of another estate" ok "$(cat put.out)"
before=$(snapshot)
printf '[{"path":"tuen-mun/butterfly","shape":["%s"]}]' "$(comb 1900 0.1)" >comb.json
as_estate 422 -X PUT "$url/api/v1/places" --data-binary @comb.json
printf '[%s{"path":"tuen-mun/butterfly"}]' "$(for n in 1 2 3; do printf '{"path":"tuen-mun/butterfly/block-%s","shape":["%s"]},' "$n" "$(comb 1900 0)"; done)" >combs.json
as_estate 422 -X PUT "$url/api/v1/places" --data-binary @combs.json
printf '%s' '{"select":"place under tuen-mun/butterfly","alert":{"info":['"${info/\{\"areaDesc\":\"X\"\}/\{\"areaDesc\":\"X\",\"polygon\":[\"$(comb 1900 0.1)\"]\}}"']}}' >comb-alert.json
as_estate 422 -X POST "$url/api/v1/alerts" --data-binary @comb-alert.json
coded='[{"path":"tuen-mun/butterfly","geocodes":[{"valueName":"HK-TEST","value":"7"}]}]'
as_estate 409 -X PUT "$url/api/v1/places" -d "$coded"
as_estate 403 -X PUT "$url/api/v1/places?shared_codes=true" -d "$coded"
as_estate 403 -X PUT "$url/api/v1/places" -d '[{"path":"tuen-mun/on-ting"}]'
as_estate 403 -X POST "$url/api/v1/places/changes" -d '{"path":"tuen-mun/butterfly","shared_codes":true,"place":'"${coded:1:-1}"'}'
awk 'BEGIN { print "id,kind,place"; for (i = 0; i <= 50000; i++) printf "flood-%d,person,tuen-mun/butterfly/block-1\n", i }' >flood.csv
as_estate 429 -X POST "$url/api/v1/audience/import" -H 'Content-Type: text/csv' --data-binary @flood.csv
same "what the attempts were aimed at" "$before" "$(snapshot)"
