# Sockets: devices, other nodes, HTTP connections. Sourced.
say "MQTT"
presented=$(get "/api/v1/alerts/$alert" | grep -o '"rungs":{[^}]*}' | head -n 1 | grep -o '"presented":[0-9]*' | cut -d: -f2) # by the good device
for c in wrong-secret unknown-device other-id foreign-topic subscribe-all oversize malformed stall false-pubacks \
  duplicate-ids 2000-connections junk-receipts unknown-alerts many-revisions forged-receipts report-photos report-flood; do
  tool "$evil" "mqtt-$c"
done
echo "memory: $(rss) kB, log: $(wc -c <n1.log) bytes"
rungs=$(get "/api/v1/alerts/$alert" | grep -o '"rungs":{[^}]*}' | head -n 1)
verdict "$(grep -o '"presented":[0-9]*' <<<"$rungs" | cut -d: -f2)" "$presented" "forged receipts count for nothing" "" "$rungs"

say "the port of the other nodes"
for c in junk stall no-certificate other-district join-junk; do tool "--addr $(address n1 internode) --id $node" "port-$c"; done
invitation=$(invitation n1)
place j1
other=${listen[j1]}
cli 1 join --data j1 $other garbage
cli 1 join --data j1 $other "${invitation:0:60}"
flip=$(tr 'A-Za-z' 'B-ZAb-za' <<<"${invitation: -20:10}")
cli 1 join --data j2 $other "${invitation:0:-20}$flip${invitation: -10}"
"$bin" join --data j3 $other "$invitation" >/dev/null
cli 1 join --data j4 $other "$invitation"
joined=$(get /api/v1/status | grep -o '"id":"[^"]*"' | cut -d'"' -f4 | grep -v "$node" | head -n 1)
tool "--addr $(address n1 internode) --id $joined --token $invitation" port-join-replay
[ -z "$joined" ] || curl -sS -X DELETE "$url/api/v1/nodes/$joined" -H "$auth"

say "HTTP connections"
for c in slow-header wrong-bytes streams; do tool "--addr ${url#http://} --token $token" "http-$c"; done
