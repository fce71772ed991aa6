# The data folder. The node is stopped by its end. Sourced.
say "data folders"
cli 1 serve --data n1
cli 1 init --data n1 --district tuen-mun
cli 1 init --data /dev/null/x --district tuen-mun
cli 1 init --data x1 --district '../..'
cli 1 serve --data nowhere
until_true '[ -f n1/identity/begun ]'
stop n1
head=$(tail -n 1 <(sed -n '$p' n1.log))
# spoilt WANTED-SENTENCE COMMAND: spoils a copy, which must be refused.
spoilt() {
  local sentence=$1
  shift
  rm -rf bad
  cp -a --sparse=always n1 bad
  (cd bad && eval "$1")
  cli 1 serve --data bad
  grep -q "$sentence" err.out || misbehaved "the sentence does not say: $sentence"
  rm -rf bad
}
spoilt 'node.json' 'echo "{" >node.json'
spoilt 'in the clear' "sed -i 's#http://127.0.0.1#http://0.0.0.0#' node.json"
spoilt 'run init or join' 'rm node.json'
spoilt 'identity' 'head -c 100 n1/identity/identity.json >identity/identity.json 2>/dev/null || : >identity/identity.json'
spoilt 'identity' 'rm -r identity'
spoilt 'must not return' 'rm -r raft'
spoilt 'must not return' 'rm -r raft state'
spoilt 'damaged' 'echo nonsense >state/CURRENT'
spoilt 'magic\|damaged' 'echo nonsense >state/db-*/MANIFEST'

say "tails that a power cut left: the node starts and has everything"
screens() { get "/api/v1/audience/select?expr=kind%20%3D%20screen&limit=1" | sed -n 's/.*"counts":{"total":\([0-9]*\).*/\1/p'; }
api[bad]=$url # as its settings say
# healed NAME COMMAND: spoils a copy, which must start and have everything.
healed() {
  rm -rf bad
  cp -a --sparse=always n1 bad
  (cd bad && eval "$2")
  serve bad
  until_true "ready bad"
  verdict "$(screens) $(mass)" "2 200000" "$1" "$(screens)" "screens, and $(mass) members of the import"
  stop bad
}
# data FILE: bytes before the zeros at its end.
data() { perl -0777 -ne 's/\0+$//; print length' "$1"; }
healed "raft's log cut off" 'f=$(ls raft/raft/*.wal | tail -n 1); truncate -s $(($(data "$f") - 20)) "$f"'
healed "a bit flipped at the end of raft's log" 'f=$(ls raft/raft/*.wal | tail -n 1); perl -e "open F, q(+<), shift; seek F, shift, 0; read F, \$b, 1; seek F, -1, 1; print F chr(ord(\$b) ^ 4)" "$f" $(($(data "$f") - 30))'
healed "a bit flipped at the end of the journal" 'f=journal/alerts-000.journal; perl -e "open F, q(+<), shift; seek F, shift, 0; read F, \$b, 1; seek F, -1, 1; print F chr(ord(\$b) ^ 4)" "$f" $(($(data "$f") - 30))'
healed "the journal cut off" 'truncate -s 5000 journal/alerts-000.journal'
serve n1
until_true "ready n1"
reaches_device
