// The payloads that nodes sign: which fields they have, and what no device does without. What
// a field's kind does not allow refuses the whole payload; unknown fields are left out.
import { instant } from './time.js'

const text = { none: '', good: v => typeof v === 'string' }
const count = { none: 0, good: v => Number.isSafeInteger(v) && v >= 0 }
const whole = { none: 0, good: Number.isInteger }
const time = { none: '', good: v => { instant(v); return true } }
const list = fields => ({ none: [], fields })
const texts = { none: [], good: v => Array.isArray(v) && v.every(e => typeof e === 'string') }

const kinds = {
  'almenara-manifest': {
    time, node: text, version: count, page: count, pages: count,
    in_force: list({ id: text, revision: count, digest: text, expires: time, reminded: time }),
    ended: list({ id: text, revision: count, at: time, why: text, expires: time })
  },
  'almenara-body': {
    alert: text, revision: count, digest: text, time, status: text, tier: text, sound: text, confirm: text,
    sender: text, sent: time, expires: time,
    texts: list({
      language: text, event: text, urgency: text, severity: text, certainty: text, headline: text, description: text,
      instruction: text, from: text, areas: texts, web: text, contact: text, onset: time, expires: time
    }),
    resources: list({ description: text, type: text, size: whole, sha1: text, uri: text, data: text })
  },
  'almenara-command': { id: text, do: text, time, expires: time, alert: text, revision: count, answer: text, place: text, link: text, modules: count, code: text },
  'almenara-keys': {
    district: text, time,
    keys: list({ kid: text, node: text, x: text, not_before: time, not_after: time })
  }
}

// The largest number of pages of one manifest.
export const maxPages = 1024

// validId reports whether it is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', as alerts and
// devices are named.
export function validId (id) {
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(id) && id !== '.' && id !== '..'
}

// read gives the payload of a typ, with every field, or throws.
export function read (typ, value) {
  const payload = fieldsOf(kinds[typ], value, typ)
  if (!complete[typ](payload)) throw new Error('incomplete ' + typ)
  return payload
}

function fieldsOf (fields, value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(name + ' is not an object')
  const out = {}
  for (const key of Object.keys(fields)) {
    const kind = fields[key]
    const v = Object.prototype.hasOwnProperty.call(value, key) ? value[key] : undefined
    if (v === undefined || v === null) {
      out[key] = Array.isArray(kind.none) ? [] : kind.none
      if (kind === time) delete out[key]
    } else if (kind.fields) {
      if (!Array.isArray(v)) throw new Error(name + '.' + key + ' is not a list')
      out[key] = v.map(e => fieldsOf(kind.fields, e, name + '.' + key))
    } else if (kind.good(v)) {
      out[key] = v
    } else {
      throw new Error(name + '.' + key + ' is of another kind')
    }
  }
  return out
}

const complete = {
  'almenara-manifest': m => instant(m.time) !== 0 && m.node !== '' && m.version > 0 &&
    (m.page === 0 && m.pages === 0 || m.pages >= 2 && m.pages <= maxPages && m.page >= 1 && m.page <= m.pages) &&
    m.in_force.every(e => validId(e.id) && e.revision > 0 && instant(e.expires) !== 0) &&
    m.ended.every(e => validId(e.id)),
  'almenara-body': b => validId(b.alert) && b.revision > 0 && instant(b.time) !== 0 && instant(b.expires) !== 0,
  'almenara-command': c => c.id !== '' && instant(c.time) !== 0 && instant(c.expires) !== 0,
  'almenara-keys': k => instant(k.time) !== 0
}
