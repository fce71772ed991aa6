// Reports: what a person tells of their own accord (CONTRACT.md §4.9). written gives the payload of one, or
// throws where no node would take it, so that a person learns it before it is sent.
import { validId } from './payload.js'
import { instant } from './time.js'

export const kinds = ['need_help', 'hazard', 'blocked_way', 'damage', 'all_clear', 'other', 'position']
export const maxBytes = 64000 // of a payload
export const maxPhoto = 46080 // bytes, before base64
export const maxText = 1000 // bytes
export const maxPlace = 200 // bytes
export const maxSide = 2048 // pixels of a photo

const bytes = text => new TextEncoder().encode(text).length
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
const plain = (text, most) => text === undefined || typeof text === 'string' && bytes(text) <= most && !control.test(text) && !lone(text)
const lone = text => /[\ud800-\udbff](?![\udc00-\udfff])|(?:^|[^\ud800-\udbff])[\udc00-\udfff]/.test(text)
const within = (n, most) => typeof n === 'number' && n >= -most && n <= most

// newId makes the id of a report.
export function newId () {
  const random = crypto.getRandomValues(new Uint8Array(16))
  return [...random].map(b => b.toString(16).padStart(2, '0')).join('')
}

// written gives the payload of a report as text.
//
//   id, kind, alert, at (text), text, place, position {lat, lon, accuracy}, photo (base64)
export function written (r) {
  const text = JSON.stringify(r)
  check(r)
  if (bytes(text) > maxBytes) throw new Error('too large')
  return text
}

function check (r) {
  const position = r.kind === 'position'
  if (!validId(r.id) || r.id.length < 16) throw new Error('not the id of a report')
  if (!kinds.includes(r.kind)) throw new Error('not a kind of report')
  if (r.alert !== undefined && r.alert !== '' && !/^[a-z2-7]{26}$/.test(r.alert)) throw new Error('not an alert id')
  if (!plain(r.text, maxText) || !plain(r.place, maxPlace)) throw new Error('the text is too long')
  if (r.at !== undefined) instant(r.at)
  if (r.photo !== undefined && !photo(r.photo)) throw new Error('the photo is too large')
  if (position && (!r.alert || !r.position || r.photo || r.text)) throw new Error('a position belongs to an alert, and has nothing else')
  if (r.kind === 'other' && !(r.text || '').trim() && !r.photo) throw new Error('it says nothing')
  const p = r.position
  if (p && !(within(p.lat, 90) && within(p.lon, 180) && (p.accuracy === undefined || p.accuracy >= 0 && p.accuracy <= 100000))) throw new Error('not a position')
}

function photo (text) {
  if (typeof text !== 'string' || text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false
  return text.length / 4 * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0) <= maxPhoto
}
