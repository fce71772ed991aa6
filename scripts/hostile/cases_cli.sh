# The command line. Sourced.
say "commands that make no sense, or cannot be done"
at="--api $url --token $token"
cli 2 allert list
cli 2 $at alert list --lmit 3
cli 2 $at alert show
cli 2 $at alert show a b
cli 2 $at device enrol --kind
cli 2 --api 'not a url' --token x status
cli 1 $at alert show nonsense
cli 1 $at audience import nowhere.csv
cli 1 $at audience import /
cli 1 cap check nowhere.xml
cli 1 $at alert send --cap /
cli "1 2" $at alert send --headline x --select 'place under'
cli 1 --api http://127.0.0.1:1 --token x status
cli 1 --api http://127.0.0.1:1 --token x alert send --event E --headline x --select 'kind = screen'
cli 1 --api "$url" --token wrong status
cli 1 --api "http://$(address n1 mqtt)" --token x status
cli 1 audit verify /dev/null
head -c 100000 /dev/urandom >random.jsonl
cli 1 audit verify random.jsonl
get /api/v1/audit | sed 's/administrator/somebody/' >forged.jsonl
cli 1 audit verify forged.jsonl
get /api/v1/audit | head -n -3 >cut.jsonl
cli 1 audit verify cut.jsonl
cli 1 simulate --api "$url" --token "$token" --file random.jsonl
