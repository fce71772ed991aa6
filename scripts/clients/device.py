"""A device in Python: Eclipse Paho as the distribution packages it, version 1 or 2.

scripts/clients.sh says what it is told in the environment and what it must print.
"""

import base64
import json
import os
import queue
import sys
from datetime import datetime, timezone
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PATIENCE = 15  # seconds that any answer of the node may take
V5 = os.environ["MQTT_VERSION"] == "5"
REFUSED_SECRET, REFUSED_FILTER = (0x86, 0x87) if V5 else (4, 0x80)
DEVICE, OTHER = os.environ["DEVICE"], os.environ["OTHER"]
OWN = f"almenara/1/device/{DEVICE}/"
# Paho 1 does not hand the reason code of a PUBACK to anybody.
PUBACK_CODES = hasattr(mqtt, "CallbackAPIVersion")


class Refused(Exception):
    """A reason code of the node."""


def must(condition, text):
    if not condition:
        sys.exit(text)


def number(code):
    """Reason codes are objects in MQTT 5 and numbers in 3.1.1, by version of Paho."""
    return getattr(code, "value", code)


class Connection:
    """One connection: Paho's callbacks become events in a queue for each kind."""

    def __init__(self, secret):
        url = urlsplit(os.environ["MQTT_URL"])
        self.messages, self.answers = queue.Queue(), queue.Queue()
        options = {"client_id": DEVICE, "protocol": mqtt.MQTTv5 if V5 else mqtt.MQTTv311,
                   "transport": "websockets" if url.scheme == "ws" else "tcp"}
        if PUBACK_CODES:
            options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self.client = client = mqtt.Client(**options)
        client.username_pw_set(DEVICE, secret)
        client.will_set(OWN + "state", '{"state":"lost","session":1}', qos=1, retain=True)
        if url.scheme == "ssl":
            client.tls_set(ca_certs=os.environ["CA_FILE"])
        client.on_connect = lambda c, u, flags, code, *_: self.answers.put(("connack", number(code)))
        client.on_subscribe = self.on_subscribe
        client.on_publish = lambda c, u, mid, *v5: self.answers.put(("puback", number(v5[0]) if v5 else 0))
        client.on_disconnect = lambda *_: self.answers.put(("closed", 0))
        client.on_message = lambda c, u, m: self.messages.put(m)
        client.connect(url.hostname, url.port, keepalive=30)
        client.loop_start()
        kind, code = self.answer()
        if (kind, code) != ("connack", 0):
            self.close()
            raise Refused(self.connack(code))

    def on_subscribe(self, _client, _userdata, _mid, codes, *_):
        self.answers.put(("suback", [number(code) for code in codes]))

    @staticmethod
    def connack(code):
        """Paho 2 translates the codes of MQTT 3.1.1 into those of MQTT 5."""
        return 4 if not V5 and code == 0x86 else code

    def answer(self):
        try:
            return self.answers.get(timeout=PATIENCE)
        except queue.Empty:
            sys.exit("no answer from the node")

    def subscribe(self, *filters):
        self.client.subscribe([(f, 1) for f in filters])
        kind, codes = self.answer()
        must(kind == "suback", f"subscribing: {kind} instead of a SUBACK")
        return codes

    def publish(self, topic, payload, retain=False):
        """Returns what answered, and its code."""
        self.client.publish(topic, payload, qos=1, retain=retain)
        return self.answer()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(keys, jws, typ):
    """Checks signature and typ of a JWS in compact serialization, returns its payload."""
    head, payload, signature = jws.decode().split(".")
    header = json.loads(part(head))
    must((header["alg"], header["typ"]) == ("EdDSA", typ), f"{typ}: header {header}")
    key = keys.get(header["kid"]) or keys.get("root")
    must(key, f"{typ}: unknown key {header['kid']}")
    Ed25519PublicKey.from_public_bytes(key).verify(part(signature), f"{head}.{payload}".encode())
    return json.loads(part(payload))


def wrong_secret():
    try:
        Connection("wrong").close()
    except Refused as refused:
        must(refused.args[0] == REFUSED_SECRET, f"wrong secret: CONNACK code {refused}")
        return
    sys.exit("wrong secret: the device was let in")


def foreign():
    """Asks for what belongs to others, and forges another device's receipt."""
    c = Connection(os.environ["SECRET"])
    codes = c.subscribe("#", f"almenara/1/device/{OTHER}/#")
    must(codes == [REFUSED_FILTER] * 2, f"subscribing to what is others': SUBACK codes {codes}")
    kind, code = c.publish(f"almenara/1/device/{OTHER}/receipt", os.environ["FORGED"])
    told = (kind, code) == ("puback", REFUSED_FILTER) or not PUBACK_CODES
    must(told if V5 else kind == "closed", f"publishing for another device: {kind} {code}")
    c.close()


def live():
    """Follows one alert from start to end."""
    c = Connection(os.environ["SECRET"])
    codes = c.subscribe("almenara/1/now", "almenara/1/keys", OWN + "#")
    must(max(codes) <= 1, f"subscribing to what is the device's: SUBACK codes {codes}")
    first = {}
    while len(first) < 2:
        m = message(c)
        must(m.retain, f"{m.topic} is not marked as retained")
        first[m.topic] = m.payload
    ring = opened({"root": part(os.environ["ROOT_KEY"])}, first["almenara/1/keys"], "almenara-keys")
    keys = {k["kid"]: part(k["x"]) for k in ring["keys"]}
    opened(keys, first["almenara/1/now"], "almenara-manifest")
    print("ready", flush=True)
    body = present(c, keys)
    alert = body["alert"]
    listed = False
    while True:
        m = message(c)
        must(m.topic == "almenara/1/now", f"a message on {m.topic}, which was not expected")
        now = opened(keys, m.payload, "almenara-manifest")
        listed = listed or alert in [a["id"] for a in now["in_force"]]
        if alert in [a["id"] for a in now["ended"]]:
            break
    must(listed, "no manifest listed the alert as in force")
    tell(c, body, 3, "cancelled")  # it is shown no more
    tell_state(c, "ready", [])  # whatever the node sent before this PUBACK is here
    while not c.messages.empty():
        m = message(c)
        must(m.topic == "almenara/1/now", f"a message on {m.topic}, which was not expected")
    c.close()
    print("ended", alert)


def message(c):
    try:
        return c.messages.get(timeout=2 * PATIENCE)
    except queue.Empty:
        sys.exit("no message from the node")


def present(c, keys):
    """Awaits the body and proves the alert to the node: verified and presented."""
    m = message(c)
    while m.topic == "almenara/1/now":
        m = message(c)
    body = opened(keys, m.payload, "almenara-body")
    must(m.topic == OWN + "alert/" + body["alert"], f"body of {body['alert']} on {m.topic}")
    tell(c, body, 1, "verified", "presented")
    tell_state(c, "presenting", [body["alert"]])
    print("presented", body["alert"], flush=True)
    return body


def tell(c, body, seq, *rungs):
    """Publishes receipts of the body, numbered from seq."""
    at = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    receipts = [{"alert": body["alert"], "revision": body["revision"], "rung": rung, "at": at, "seq": n}
                for n, rung in enumerate(rungs, seq)]
    answer = c.publish(OWN + "receipt", json.dumps(receipts))
    must(answer == ("puback", 0), f"publishing receipts: {answer}")


def tell_state(c, state, presenting):
    answer = c.publish(OWN + "state", json.dumps(
        {"state": state, "session": 1, "kind": "screen", "version": "1", "presenting": presenting}), retain=True)
    must(answer == ("puback", 0), f"publishing state: {answer}")


wrong_secret()
foreign()
live()
