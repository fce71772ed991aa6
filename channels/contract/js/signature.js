// Signatures: JWS compact serialization (RFC 7515) with EdDSA (RFC 8037), without a secure
// context. What does not verify throws a Refused that says why in one word.
import { hashes, verify } from './noble/ed25519.js'
import { sha512 } from './noble/sha2.js'
import { read } from './payload.js'
import { instant } from './time.js'

hashes.sha512 = sha512 // verifyAsync would ask WebCrypto, which plain http does not have

// The largest signed payload in bytes, and the most keys of a ring.
export const maxSigned = 65536
export const maxKeys = 1024

// Refused is thrown for what a device must not believe. Its reason is 'signature', 'unknown-key',
// which a newer ring can cure, or 'key-time'.
export class Refused extends Error {
  constructor (reason, message) {
    super(message)
    this.reason = reason
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

// bytesOf reads base64url without padding (RFC 4648 §5).
export function bytesOf (text) {
  if (text.length % 4 === 1) throw new Refused('signature', 'not base64url')
  const out = new Uint8Array(text.length * 3 >> 2)
  let bits = 0
  let held = 0
  let n = 0
  for (let i = 0; i < text.length; i++) {
    const value = alphabet.indexOf(text[i])
    if (value < 0) throw new Refused('signature', 'not base64url')
    held = (held << 6 | value) & 0xfff
    if ((bits += 6) >= 8) out[n++] = held >> (bits -= 8) & 0xff
  }
  return out
}

// json reads UTF-8 bytes; a byte order mark is no JSON.
function json (bytes) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw new Refused('signature', 'not JSON: ' + error.message)
  }
}

// parse takes a serialization apart and lets only EdDSA through.
function parse (jws) {
  const raw = typeof jws === 'string' ? jws : new TextDecoder().decode(jws)
  if (raw.length > maxSigned) throw new Refused('signature', 'too large')
  const parts = raw.split('.')
  if (parts.length !== 3) throw new Refused('signature', 'not three parts')
  const header = json(bytesOf(parts[0]))
  if (typeof header !== 'object' || header === null || header.alg !== 'EdDSA') throw new Refused('signature', 'alg is not EdDSA')
  if ('crit' in header || 'b64' in header) throw new Refused('signature', 'a critical header is not understood')
  return { header, signed: ascii(parts[0] + '.' + parts[1]), payload: parts[1], signature: bytesOf(parts[2]) }
}

function ascii (text) {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}

// opened checks typ and signature before it looks at the payload.
function opened (parsed, key, typ) {
  if (parsed.header.typ !== typ) throw new Refused('signature', 'typ is not ' + typ)
  let good = false
  try {
    good = verify(parsed.signature, parsed.signed, key, { zip215: false })
  } catch (error) { /* a signature of another length */ }
  if (!good) throw new Refused('signature', 'signature does not verify')
  try {
    return read(typ, json(bytesOf(parsed.payload)))
  } catch (error) {
    throw error instanceof Refused ? error : new Refused('signature', error.message)
  }
}

// publicKey reads an Ed25519 public key (RFC 8037 §2, x). One that is not written as RFC 8032
// §5.1.2 says, or is a point of small order, is refused where something is verified with it.
export function publicKey (x) {
  const key = typeof x === 'string' ? bytesOf(x) : x
  if (key.length !== 32) throw new Refused('signature', 'not an Ed25519 public key')
  return key
}

// Ring is the district's key ring, opened.
export class Ring {
  constructor (time, keys) {
    this.time = time // in milliseconds; a device never goes back to an older ring
    this.keys = keys // kid to key
  }

  // key finds a key that was valid at a time, or throws.
  key (kid, at) {
    const key = this.keys.get(kid)
    if (!key) throw new Refused('unknown-key', 'unknown signing key ' + kid)
    if (key.notBefore && at < key.notBefore || key.notAfter && at >= key.notAfter) {
      throw new Refused('key-time', 'signing key not valid at that time')
    }
    return key.bytes
  }
}

// noRing holds no key.
export const noRing = new Ring(0, new Map())

// openKeys verifies a key ring with the district's root key (32 bytes, or base64url).
export function openKeys (root, jws) {
  const payload = opened(parse(jws), publicKey(root), 'almenara-keys')
  if (payload.keys.length > maxKeys) throw new Refused('signature', 'too many keys')
  const keys = new Map()
  for (const k of payload.keys) {
    if (k.kid === '' || keys.has(k.kid)) throw new Refused('signature', 'a key id is empty or there twice')
    keys.set(k.kid, { bytes: publicKey(k.x), notBefore: instant(k.not_before), notAfter: instant(k.not_after) })
  }
  return new Ring(instant(payload.time), keys)
}

// open verifies a payload of a typ that a node signed, and gives it. The key must be valid at
// the time that the payload gives for itself.
export function open (ring, jws, typ) {
  const parsed = parse(jws)
  const kid = typeof parsed.header.kid === 'string' ? parsed.header.kid : ''
  const key = ring.keys.get(kid)
  if (!key) throw new Refused('unknown-key', 'unknown signing key ' + kid.slice(0, 70))
  const payload = opened(parsed, key.bytes, typ)
  ring.key(kid, instant(payload.time))
  return payload
}

// claimedRevision reads what an unverified body says of itself; 0 when nothing. It only serves to
// tell the node which one was refused.
export function claimedRevision (jws) {
  try {
    const parts = (typeof jws === 'string' ? jws : new TextDecoder().decode(jws)).split('.')
    const revision = parts.length === 3 && json(bytesOf(parts[1])).revision
    return Number.isSafeInteger(revision) && revision > 0 ? revision : 0
  } catch (error) {
    return 0
  }
}
