"""A screen, written from channels/contract/CONTRACT.md with Eclipse Paho and cryptography, as Debian has them.

It shows on standard output. ENROLMENT names the file of `almenara device enrol --json`, STATE a
folder that survives a power cut.
"""

import base64
import json
import os
import queue
import random
import re
import sys
import time
from datetime import datetime, timezone
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ME = json.load(open(os.environ["ENROLMENT"]))[0]
OWN = f"almenara/1/device/{ME['id']}/"
FILE = os.environ["STATE"] + "/memory.json"
DAY, FOR_EVER = 86400.0, 2**53 - 1
SMALL_ORDER = {bytes(32), bytes([1]) + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f"),
               bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
               bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")}
BEGUN = time.time() - time.monotonic()


class Unknown(Exception):
    """The key of a signature is not in the ring."""


def clock():
    return BEGUN + time.monotonic()


def seconds(text):
    """A time of a payload; 0 is none. Python before 3.11 reads six digits of a fraction at most."""
    if not text or text.startswith("0001-"):
        return 0.0
    return datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", lambda m: m[1].ljust(7, "0"), text).replace("Z", "+00:00")).timestamp()


def part(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def opened(jws, typ, key_of):
    """§6.1: the payload, or an exception."""
    if len(jws) > 65536:
        raise ValueError("too large")
    head, payload, signature = jws.decode().split(".")
    header = json.loads(part(head))
    if header.get("alg") != "EdDSA" or "crit" in header:
        raise ValueError("header")
    key = key_of(header.get("kid"))
    if key is None:
        raise Unknown()
    if header.get("typ") != typ:
        raise ValueError("typ")
    x = part(key["x"])
    y = x[:31] + bytes([x[31] & 0x7F])
    if y in SMALL_ORDER or int.from_bytes(y, "little") >= 2**255 - 19:
        raise ValueError("a key that nobody may use")
    Ed25519PublicKey.from_public_bytes(x).verify(part(signature), f"{head}.{payload}".encode())
    content = json.loads(part(payload))
    at, before, after = (seconds(t) for t in (content["time"], key.get("not_before"), key.get("not_after")))
    if not at or at < before or after and at >= after:
        raise ValueError("time of the key")
    return content


def look(body):
    """§7.4."""
    if body["status"] == "Exercise":
        return "drill", "none" if body["sound"] == "none" else "drill"
    tier = "emergency" if body["tier"] == "emergency" else "advisory"
    keep = body["sound"] == "none" or body["sound"] == "siren" and tier == "emergency"
    return tier, body["sound"] if keep else "chime"


class Screen:
    """All that is known. Only the main loop uses it."""

    def __init__(self):
        self.memory = {"alerts": {}, "ring": None, "outbox": [], "seq": 0, "session": 0, "versions": {}, "commands": {}}
        if os.path.exists(FILE):
            self.memory.update(json.load(open(FILE)))
        self.resume = {i: a["body"] for i, a in self.memory["alerts"].items() if a["body"]}
        self.screen, self.until = {}, {}  # by alert: body; when it must go at the latest
        self.skew, self.listing, self.pages = None, None, {}
        self.waiting, self.unknown, self.refused = {}, [], set()
        self.tested = None  # what the last test came to, §4.8

    def connected(self):
        self.listing, self.pages, self.refused = None, {}, set()
        self.memory["session"] = max(self.memory["session"] + 1, int(time.time() * 1000))
        self.save()

    def now(self):
        return clock() + (self.skew or 0)

    def of(self, alert):
        return self.memory["alerts"].setdefault(alert, {"listed": 0, "done": 0, "ended": 0, "forget": 0, "told": [], "body": None})

    def save(self):
        """§7.5: before anything is carried out."""
        alerts = self.memory["alerts"]
        for alert in [i for i, a in alerts.items() if self.skew is not None and a["forget"] < self.now() and not a["body"]]:
            del alerts[alert]
        with open(FILE + ".new", "w") as f:
            json.dump(self.memory, f)
            f.flush()
            os.fsync(f.fileno())
        os.replace(FILE + ".new", FILE)

    def post(self, receipt):
        self.memory["seq"] += 1
        self.memory["outbox"] = self.memory["outbox"][-511:] + [dict(receipt, seq=self.memory["seq"])]

    def tell(self, alert, revision, rung):
        told = self.of(alert)["told"]
        if told and revision > told[0]["revision"]:
            told.clear()
        if any(t["revision"] == revision and t["rung"] == rung for t in told):
            return
        at = datetime.fromtimestamp(self.now(), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        receipt = {"alert": alert, "revision": revision, "rung": rung, "at": at}
        if not told or told[0]["revision"] == revision:
            told.append(receipt)
        self.post(receipt)

    def take(self, topic, payload, retain):
        in_ring = lambda kid: next((k for k in (self.memory["ring"] or {"keys": []})["keys"] if k["kid"] == kid), None)
        alert = topic[len(OWN) + 6:]
        try:
            if topic == "almenara/1/keys":
                self.take_ring(opened(payload, "almenara-keys", lambda kid: {"x": ME["root_key"]}))
            elif topic == "almenara/1/now":
                self.take_manifest(opened(payload, "almenara-manifest", in_ring))
            elif topic.startswith(OWN + "alert/") and not retain:
                self.take_body(opened(payload, "almenara-body", in_ring), alert)
            elif topic == OWN + "command" and not retain:
                self.take_command(opened(payload, "almenara-command", in_ring))
        except Unknown:
            self.unknown = self.unknown[-15:] + [(topic, payload, retain)]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, InvalidSignature):
            if topic.startswith(OWN + "alert/"):
                self.refuse(alert, payload)

    def refuse(self, alert, payload):
        try:
            revision = json.loads(part(payload.decode().split(".")[1]))["revision"]
        except (ValueError, KeyError, TypeError, IndexError):
            return
        if isinstance(revision, int) and revision > 0 and (alert, revision) not in self.refused and len(self.refused) < 64:
            self.refused.add((alert, revision))
            at = datetime.fromtimestamp(self.now(), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self.post({"alert": alert, "revision": revision, "rung": "refused", "at": at})

    def take_ring(self, ring):
        if len({k["kid"] for k in ring["keys"]}) != len(ring["keys"]) or any(len(part(k["x"])) != 32 for k in ring["keys"]):
            raise ValueError("ring")
        if not self.memory["ring"] or seconds(ring["time"]) >= seconds(self.memory["ring"]["time"]):
            self.memory["ring"] = ring
            again, self.unknown = self.unknown, []
            for message in again:
                self.take(*message)

    def take_manifest(self, m):
        node, version, page, pages = m["node"], m["version"], m.get("page", 0), m.get("pages", 0)
        if not node or version < 1 or (page or pages) and not 1 <= page <= pages >= 2:
            raise ValueError("manifest")
        at, last = seconds(m["time"]), self.memory["versions"].get(node, 0)
        for e in m["in_force"] or []:
            a = self.of(e["id"])
            a["listed"], a["forget"] = max(a["listed"], e["revision"]), max(a["forget"], seconds(e["expires"]) + DAY)
        for e in m["ended"] or []:
            a = self.of(e["id"])
            up_to = FOR_EVER if e.get("why") in ("cancelled", "superseded") or not e["revision"] else e["revision"]
            a["ended"] = max(a["ended"], up_to)
            a["forget"] = max(a["forget"], (seconds(e.get("expires")) or seconds(e["at"]) + 31 * DAY) + DAY)
        if version > last or self.skew is None:  # §5
            skew = at - clock()
            if self.skew is None or skew > self.skew or self.skew - skew > 15:
                self.skew = skew
        elif version != last or self.now() - at > 15:
            return
        got = self.pages.get(node)
        if not got or got[0] != version:
            got = self.pages[node] = (version, {})
        got[1][page or 1] = m["in_force"] or []
        if len(got[1]) >= (pages or 1):
            self.memory["versions"][node] = version
            self.listing = (at, [e for entries in got[1].values() for e in entries])

    def take_command(self, c):
        """§4.5. Standard output is no glass: nobody can tell from here whether it is seen."""
        done = self.memory["commands"]
        for i in [i for i, expires in done.items() if seconds(expires) <= self.now()]:
            del done[i]
        if not c["id"] or self.skew is None or self.now() >= seconds(c["expires"]) or c["id"] in done:
            return
        done[c["id"]] = c["expires"]
        self.save()
        if c["do"] == "test":
            self.tested = {"id": c["id"], "result": "busy"} if self.screen else {
                "id": c["id"], "result": "unproven", "why": "nobody can tell whether standard output is seen"}
        elif c["do"] == "identify" and not any(look(b)[0] == "emergency" for b in self.screen.values()):
            print("HERE", ME["id"], c.get("place", ""), flush=True)

    def take_body(self, b, alert):
        if b["alert"] != alert or not b["revision"] > 0 or not seconds(b["expires"]):
            raise ValueError("body")
        a = self.of(alert)
        a["forget"] = max(a["forget"], seconds(b["expires"]) + DAY)
        if b["revision"] <= a["done"]:
            for receipt in list(a["told"]) if a["told"] and a["told"][0]["revision"] == b["revision"] else []:
                self.post(receipt)
        elif b["status"] not in ("Actual", "Exercise", "Test"):
            a["done"] = b["revision"]
            self.tell(alert, b["revision"], "refused")
        else:
            self.tell(alert, b["revision"], "verified")
            self.waiting[alert, b["revision"], b["digest"]] = b

    def expired(self, b):
        return self.skew is not None and self.now() >= seconds(b["expires"])

    def settle(self):
        """§7: brings everything to where it must be now."""
        show, gone = [], []
        for alert, b in list(self.resume.items()) if self.listing else []:
            a = self.of(alert)
            del self.resume[alert]
            if b["revision"] <= a["ended"] or self.expired(b) or b["revision"] < a["listed"]:
                a["body"] = None
                gone.append(b)
            else:
                show.append(b)
        for key, b in list(self.waiting.items()):
            a = self.of(b["alert"])
            if b["revision"] <= max(a["ended"], a["done"], a["listed"] - 1) or self.expired(b):
                del self.waiting[key]
                a["done"] = max(a["done"], b["revision"])
                if b["revision"] <= a["ended"] or self.expired(b):
                    self.tell(b["alert"], b["revision"], "cancelled" if b["revision"] <= a["ended"] else "expired")
            elif self.listing and (seconds(b["time"]) > self.listing[0] or any(
                    (e["id"], e["revision"], e["digest"]) == key for e in self.listing[1])):
                del self.waiting[key]
                if a["body"]:
                    gone.append(a["body"])
                a["done"], a["listed"] = b["revision"], max(a["listed"], b["revision"])
                a["body"] = None if b["status"] == "Test" else b
                show += [b] if a["body"] else []
        for alert, b in self.screen.items():
            a = self.of(alert)
            if b["revision"] < a["listed"]:
                self.until.setdefault(alert, clock() + 5)
            if a["body"] is b and (b["revision"] <= a["ended"] or self.expired(b) or clock() >= self.until.get(alert, FOR_EVER)):
                a["body"] = None
                gone.append(b)
        if show or gone or self.unsaved():
            self.save()
        for b in show:
            self.screen[b["alert"]] = b
            self.until.pop(b["alert"], None)
            print("SHOW", *look(b), *(f"[{t['language']}] {t.get('headline') or t['event']} ({t.get('from') or b['sender']})" for t in b["texts"]), flush=True)
            self.tell(b["alert"], b["revision"], "presented")
        for b in gone:
            if self.screen.get(b["alert"], {}).get("revision") == b["revision"]:
                del self.screen[b["alert"]]
                self.until.pop(b["alert"], None)
                print("GONE", b["alert"], flush=True)
            self.tell(b["alert"], b["revision"], "cancelled")
        if show or gone:
            self.save()

    def unsaved(self):
        text = json.dumps([self.memory["alerts"], self.memory["seq"], self.memory["ring"]])
        changed, self.saved = text != getattr(self, "saved", ""), text
        return changed

    def state(self):
        shown = list(self.screen.values())
        tested = {"tested": self.tested} if self.tested else {}
        return json.dumps({"state": "presenting" if shown else "ready", "session": self.memory["session"], "kind": "screen", "version": "1",
                           "presenting": [b["alert"] for b in shown][:64], "health": {"look-" + b["alert"]: " ".join(look(b)) for b in shown[:32]}, **tested})


def connection(url, screen, events):
    """A client that puts all that happens into the queue events."""
    options = {"client_id": ME["id"], "protocol": mqtt.MQTTv311, "transport": "websockets" if url.scheme in ("ws", "wss") else "tcp"}
    if hasattr(mqtt, "CallbackAPIVersion"):  # Paho 2
        options["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
    client = mqtt.Client(**options)
    client.username_pw_set(ME["id"], ME["secret"])
    client.will_set(OWN + "state", json.dumps({"state": "lost", "session": screen.memory["session"]}), qos=1, retain=True)
    if url.scheme in ("ssl", "wss"):
        client.tls_set(ca_certs=os.environ["STATE"] + "/ca.pem")
    filters = [("almenara/1/keys", 1), ("almenara/1/now", 1), (OWN + "alert/+", 1), (OWN + "command", 1)]
    client.on_connect = lambda *_: client.subscribe(filters)
    client.on_subscribe = lambda *_: events.put(("up",))
    client.on_message = lambda c, u, m: events.put(("message", m.topic, m.payload, m.retain))
    client.on_publish = lambda c, u, mid, *_: events.put(("puback", mid))
    client.on_disconnect = lambda *_: events.put(("down",))
    return client


def serve(screen, client, events):
    """One connection, until it is lost. Reports whether it was up."""
    up, sent, said = False, None, ""  # sent: the packet that has no PUBACK yet, and the last seq in it
    while True:
        try:
            what, *rest = events.get(timeout=0.25)
        except queue.Empty:
            what, rest = "", []
        if what == "down":
            return up
        up = up or what == "up"
        if what == "message":
            screen.take(*rest)
        elif what == "puback" and sent and rest[0] == sent[0]:
            screen.memory["outbox"] = [r for r in screen.memory["outbox"] if r["seq"] > sent[1]]
            sent = None
            screen.save()
        screen.settle()
        batch = screen.memory["outbox"][:64]
        if up and not sent and batch:
            sent = client.publish(OWN + "receipt", json.dumps(batch), qos=1).mid, batch[-1]["seq"]
        elif up and not sent and screen.state() != said:
            said = screen.state()
            sent = client.publish(OWN + "state", said, qos=1, retain=True).mid, 0


def main():
    """§2.4: one node after the other, for ever."""
    if ME.get("ca"):
        open(os.environ["STATE"] + "/ca.pem", "w").write(ME["ca"])
    screen, turn, pause = Screen(), 0, 0.25
    while True:
        url = urlsplit(ME["servers"][turn % len(ME["servers"])])
        screen.connected()
        events = queue.Queue()
        client = connection(url, screen, events)
        try:
            client.connect(url.hostname, url.port, keepalive=30)
            client.loop_start()
            if serve(screen, client, events):
                pause = 0.25
        except OSError as error:
            print(error, file=sys.stderr)
        client.loop_stop()
        time.sleep(pause * random.uniform(0.5, 1.5))
        turn += 1
        if turn % len(ME["servers"]) == 0:
            pause = min(5, 2 * pause)


main()
