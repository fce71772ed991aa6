#!/usr/bin/env bash
# A device made of mosquitto_sub, mosquitto_pub, openssl and jq. clients.sh says what
# it is told in the environment and what it must print. Both tools connect as the
# device, and a device has one connection, so they take turns.
set -euo pipefail
patience=15 # seconds that any answer of the node may take
own=almenara/1/device/$DEVICE
work=$(mktemp -d)
sub=
trap '[ -z "$sub" ] || kill "$sub" 2>/dev/null || true; rm -rf "$work"' EXIT

address=${MQTT_URL#*://}
as=(-h "${address%:*}" -p "${address##*:}" -i "$DEVICE" -u "$DEVICE")
case $MQTT_URL in ssl://*) as+=(--cafile "$CA_FILE") ;; esac
case $MQTT_VERSION in
  4) as+=(-V 311); refused_secret=4 refused_filter=128 ;;
  5) as+=(-V 5); refused_secret=134 refused_filter=135 ;;
esac

die() { echo "$*" >&2; exit 1; }
publish() { timeout $patience mosquitto_pub "${as[@]}" -P "$SECRET" -q 1 "$@"; }

# raw TEXT: the bytes of base64url without padding.
raw() { local t=${1//-/+}; t=${t//_//}; while [ $((${#t} % 4)) -ne 0 ]; do t+==; done; base64 -d <<<"$t"; }
# keep KID X: an Ed25519 key of a key ring (RFC 8037), as openssl reads it (RFC 8410).
keep() { { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; raw "$2"; } | openssl pkey -pubin -inform DER -out "$work/$1.pem"; }
# opened JWS TYP [KID]: checks signature and typ, prints the payload.
opened() {
  local head payload signature kid
  IFS=. read -r head payload signature <<<"$1"
  raw "$head" | jq -e --arg typ "$2" '.alg == "EdDSA" and .typ == $typ' >/dev/null || die "$2: header $(raw "$head")"
  kid=${3:-$(raw "$head" | jq -r .kid)}
  printf '%s.%s' "$head" "$payload" >"$work/signed"
  raw "$signature" >"$work/signature"
  openssl pkeyutl -verify -pubin -inkey "$work/$kid.pem" -rawin -in "$work/signed" -sigfile "$work/signature" >/dev/null ||
    die "$2 does not verify"
  raw "$payload"
}

# listen TOPIC…: subscribes and opens its output as descriptor 3: what the SUBACK
# says, and "retained qos topic payload" for each message.
listen() {
  local t topics=()
  for t in "$@"; do topics+=(-t "$t"); done
  exec 3< <(exec stdbuf -oL mosquitto_sub "${as[@]}" -P "$SECRET" -d -q 1 "${topics[@]}" -F '%r %q %t %p' 2>&1)
  sub=$!
}
# hang_up ends it. What it still has to say must be read: it writes on until it has
# ended, and a full pipe would hold it. A further body in it is one too many.
hang_up() {
  kill "$sub"
  timeout $patience cat <&3 >"$work/rest" || true
  exec 3<&-
  wait "$sub" 2>/dev/null || true
  sub=
  ! grep -q "^[01] [012] $own/" "$work/rest" || die "a message after the body: $(grep "^[01] [012] $own/" "$work/rest" | head -n 1)"
}
# next: the next message, in retained, qos, topic and payload; or the SUBACK.
next() {
  while read -r -t $((2 * patience)) -u 3 retained qos topic payload; do
    case $retained in 0 | 1 | Subscribed) return ;; esac
  done
  die "no message from the node"
}

# What the device may not: a wrong secret, others' topics, others' receipts.
code=0
timeout $patience mosquitto_sub "${as[@]}" -P wrong -t almenara/1/now >/dev/null 2>&1 || code=$?
[ $code = $refused_secret ] || die "wrong secret: code $code, expected $refused_secret"
said=$(timeout $patience mosquitto_sub "${as[@]}" -P "$SECRET" -d -t '#' -t "almenara/1/device/$OTHER/#" 2>&1 || true)
grep -q "^Subscribed (mid: 1): $refused_filter, $refused_filter\$" <<<"$said" || die "subscribing to what is others': $(tail -n 1 <<<"$said")"
code=0
said=$(publish -d -t "almenara/1/device/$OTHER/receipt" -m "$FORGED" 2>&1) || code=$?
case $MQTT_VERSION in
  4) [ $code != 0 ] && [ $code != 124 ] || die "publishing for another device: exit code $code" ;;
  5) grep -q "PUBACK (Mid: 1, RC:135)" <<<"$said" || die "publishing for another device: $(grep PUBACK <<<"$said" || echo "exit code $code")" ;;
esac

# What is retained.
listen almenara/1/now almenara/1/keys "$own/#"
next
[ "$topic $payload" = "1): 1, 1, 1" ] || die "subscribing to what is the device's: $topic $payload"
keys= now=
until [ -n "$keys" ] && [ -n "$now" ]; do
  next
  [ "$retained" = 1 ] || die "$topic is not marked as retained"
  case $topic in almenara/1/keys) keys=$payload ;; almenara/1/now) now=$payload ;; *) die "a message on $topic, which was not expected" ;; esac
done
keep root "$ROOT_KEY"
ring=$(opened "$keys" almenara-keys root)
while read -r kid x; do keep "$kid" "$x"; done < <(jq -r '.keys[] | "\(.kid) \(.x)"' <<<"$ring")
opened "$now" almenara-manifest >/dev/null
echo ready

# One alert: its body once, and the manifest that lists it.
alert= listed=
until [ -n "$listed" ]; do
  next
  case $topic in
    almenara/1/now)
      now=$(opened "$payload" almenara-manifest)
      if [ -n "$alert" ] && jq -e --arg id "$alert" 'any(.in_force[]; .id == $id)' <<<"$now" >/dev/null; then listed=1; fi ;;
    *)
      body=$(opened "$payload" almenara-body)
      [ -z "$alert" ] && [ "$qos" = 1 ] || die "a second body, or not with QoS 1: $body"
      alert=$(jq -r .alert <<<"$body")
      [ "$topic" = "$own/alert/$alert" ] || die "body of $alert on $topic" ;;
  esac
done
hang_up

# tell SEQ RUNG…: receipts of the body, numbered from SEQ.
tell() {
  local receipts
  receipts=$(jq -c --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --argjson seq "$1" '. as $b | $ARGS.positional | to_entries |
    map({alert: $b.alert, revision: $b.revision, rung: .value, at: $at, seq: (.key + $seq)})' --args "${@:2}" <<<"$body")
  publish -t "$own/receipt" -m "$receipts" >&2 || die "publishing receipts: exit code $?"
}
tell 1 verified presented
publish -r -t "$own/state" -m '{"state":"presenting","session":1,"presenting":["'"$alert"'"]}' >&2 || die "publishing state: exit code $?"
echo "presented $alert"

# Its end.
listen almenara/1/now
until next && [ "$topic" = almenara/1/now ] && now=$(opened "$payload" almenara-manifest) &&
  jq -e --arg id "$alert" 'any(.ended[]; .id == $id)' <<<"$now" >/dev/null; do :; done
hang_up
tell 3 cancelled # it is shown no more
echo "ended $alert"
