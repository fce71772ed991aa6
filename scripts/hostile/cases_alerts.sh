# Alerts: CAP over HTTP and cap check, JSON, tokens. Sourced by scripts/hostile.sh.
say "CAP"
polygon() { echo "<area><areaDesc>x</areaDesc><polygon>$1</polygon></area>"; }
square='22.3,113.9 22.4,113.9 22.4,114.0 22.3,113.9'
mkdir -p cap
make_cap xxe "" '<!DOCTYPE a [<!ENTITY e SYSTEM "'"$fetch"'/x">]>' '&e;' >cap/entity.xml
make_cap file "" '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' '&e;' >cap/entity-file.xml
make_cap lol "" '<!DOCTYPE l [<!ENTITY a "lollollol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>' '&d;' >cap/billion-laughs.xml
make_cap dtd "" '<!DOCTYPE alert SYSTEM "'"$fetch"'/cap.dtd">' >cap/dtd.xml
make_cap big "" "" "$(head -c 2097152 /dev/zero | tr '\0' x >big.txt; echo BIG)" | sed -e '/BIG/{r big.txt' -e 'd}' >cap/2-mib.xml
make_cap deep "" "" "$(for _ in $(seq 5000); do printf '<b>'; done)" >cap/nested.xml
make_cap bytes "" "" FIRE | sed 's/FIRE/\xff\xfe\xc0\x80/' >cap/invalid-utf8.xml
make_cap old "" "" Fire urn:oasis:names:tc:emergency:cap:1.1 >cap/cap-1.1.xml
make_cap nan "$(polygon 'NaN,NaN 1,NaN NaN,1 NaN,NaN')" >cap/nan.xml
make_cap inf "$(polygon 'Inf,1 1,Inf 1,1 Inf,1')" >cap/inf.xml
make_cap huge "$(polygon '1e308,1 1,1e308 1,1 1e308,1')" >cap/huge.xml
make_cap many "$(polygon "$(seq 1 260000 | awk '{printf "22.%04d,113.%06d ", $1 % 900 + 1000, $1}') 22.1001,113.00001")" >cap/260000-points.xml
make_cap heavy "$(for _ in $(seq 60000); do polygon "$square"; done)" >cap/60000-polygons.xml
make_cap swapped "$(polygon '113.9,22.3 113.9,22.4 114.0,22.4 113.9,22.3')" >cap/lon-lat.xml
make_cap circle '<area><areaDesc>x</areaDesc><circle>22.3,113.9 99999999</circle></area>' >cap/circle.xml
make_cap scheme '<area><areaDesc>x</areaDesc><geocode><valueName>NOBODY-KNOWS</valueName><value>1</value></geocode></area>' >cap/geocode.xml
make_cap empty >cap/empty-area.xml
make_cap trailing | sed 's/$/<alert\/>/' >cap/two-roots.xml
for f in cap/*.xml; do post "400 413 422" /api/v1/cap -H 'Content-Type: application/cap+xml' --data-binary "@$f"; done
make_cap crossing "$(polygon '22.3,113.9 22.4,114.0 22.4,113.9 22.3,114.0 22.3,113.9')" >crossing.xml
post 422 '/api/v1/cap?select=place%20under%20tuen-mun/nobody' --data-binary @crossing.xml

say "CAP cut off at every 60th byte: $(wc -c <ok.xml) bytes"
codes=
for n in $(seq 0 60 $(($(wc -c <ok.xml) - 1))); do
  head -c "$n" ok.xml >cut.xml
  codes+=$(curl -sS -o /dev/null -w '%{http_code} ' -X POST "$url/api/v1/cap" -H "$auth" --data-binary @cut.xml)
done
verdict "$(tr ' ' '\n' <<<"$codes" | sort -u | tr -d '\n')" "400422 422" "curl … --data-binary @cut.xml, $(wc -w <<<"$codes") times" 422 "$codes"

say "cap check"
cli 1 cap check cap/entity.xml cap/billion-laughs.xml cap/dtd.xml cap/invalid-utf8.xml cap/cap-1.1.xml cap/nan.xml cap/nested.xml
cli 1 cap check cap/2-mib.xml
cat out.out | cut -c1-160

say "what stands around the body"
"$hostile" --out bomb.gz gzip-bomb
post 422 /api/v1/cap -H 'Content-Encoding: gzip' --data-binary @bomb.gz
post "400 415 422" /api/v1/cap -H 'Content-Type: image/png' --data-binary @cap/nan.xml
http 401 -X POST "$url/api/v1/cap" --data-binary @ok.xml
http 401 -X POST "$url/api/v1/cap" -H "Authorization: Bearer wrong" --data-binary @ok.xml
http 401 -X POST "$url/api/v1/cap" -H "Authorization: Basic $token" --data-binary @ok.xml
http 401 -X POST "$url/api/v1/cap" -H "Authorization: $token" --data-binary @ok.xml
viewer=$(curl -sS -X POST "$url/api/v1/users" -H "$auth" -d '{"name":"viewer","roles":["viewer"]}' | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
before=$(snapshot)
http 403 -X POST "$url/api/v1/cap" -H "Authorization: Bearer $viewer" --data-binary @ok.xml
post 400 '/api/v1/cap?selekt=x' --data-binary @ok.xml
post 405 /api/v1/status -d '{}'
post 404 /api/v1/nothing -d '{}'

say "JSON"
json() { printf '%s' "$2" >json.in; post "$1" /api/v1/alerts --data-binary @json.in; }
info='{"language":"en","category":["Fire"],"event":"Fire","urgency":"Immediate","severity":"Extreme","certainty":"Observed","headline":"H","area":[{"areaDesc":"X"}]}'
json 400 ''
json 400 '{'
json 400 'null'
json 400 '{"select":"place under tuen-mun","alert":{"info":['"$info"']},"colour":1}'
json 422 '{"select":"place under tuen-mun","alert":{"info":['"$info"'],"colour":1}}'
json 400 '{"select":["x"],"alert":{"info":['"$info"']}}'
json 422 '{"select":"place under tuen-mun","alert":{"info":{}}}'
json 422 '{"select":"place under tuen-mun","alert":{"info":['"${info/\"H\"/5}"']}}'
json 422 '{"select":"place under tuen-mun","alert":{"info":['"${info/\"H\"/\"a\\u0000b\"}"']}}'
json 422 '{"select":"place under tuen-mun","alert":{"info":['"${info/\"H\"/\"a\\u001b[31mb\"}"']}}'
json 400 '{"select":"place under tuen-mun","alert":{"info":['"$info"']}} {}'
json 400 '{"select":"place under tuen-mun","select":"kind = screen","alert":{"info":['"$info"']}}'
json 422 '{"alert":{"info":['"$info"']}}'
json 413 '{"select":"place under tuen-mun","alert":{"info":['"${info/\"H\"/\"H\",\"description\":\"$(head -c 100000 /dev/zero | tr '\0' '<')\"}"']}}'
"$hostile" --out deep.json json-deep
post 400 /api/v1/alerts --data-binary @deep.json
"$hostile" --out large.json json-10mib
post 413 /api/v1/alerts --data-binary @large.json

say "selections"
head -c 1048000 /dev/zero | tr '\0' '(' >million.txt
choose() { http "$1" -G "$url/api/v1/audience/select" -H "$auth" --data-urlencode "expr=$2"; }
choose 400 'place under'
choose 400 '((((kind = screen)'
choose 400 "$(printf '%0.s(' $(seq 200))kind = screen$(printf '%0.s)' $(seq 200))"
choose 400 "$(head -c 5000 million.txt)"
choose 400 'kind = "unclosed'
choose 400 $'kind = \x01\x02'
choose 400 "kind = screen; drop table members"
json 400 '{"select":"'"$(cat million.txt)"'","alert":{"info":['"$info"']}}'
