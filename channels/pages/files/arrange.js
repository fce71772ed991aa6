// Arrange decides what is on the glass: given what is in force, how large the screen is and what
// time it is, which cards stand where, with which lines, in which language, on which page. It is
// pure: the same input gives the same arrangement, so that a test can hold it, and it touches
// neither a document nor a clock.
//
//   arrange({alerts, width, height, now, tick, zone, measure, legible}) → {mode, cards, more, part}
//
// alerts are those that the rules present: {alert, revision, body, look: {tier, sound}, since},
// since being when this revision began here; unconfirmed where no node has confirmed it since the page was loaded again. now is the corrected time, since and tick are of
// the page's own clock; all are milliseconds. zone is the time zone of people here. measure(text)
// is a width in em of the bold font, legible(text) whether the page has the letters of one of body.texts; left out: of all.
//
// mode is 'idle' (nothing), 'part' (a band below, what runs stays) or 'full' (nothing else is
// seen). Of a card see cardOf.
import { broken, estimate } from './lines.js'
import { spoken, isChinese, rightToLeft } from './words.js'
import { spaceFor } from './code.js'

export const pageTime = 8000 // how long a page of lines stands
export const maxLines = 3 // of text on a card at a time
export const partTime = 120000 // how long an advisory takes its band; a strip stays after that
const maxCards = 3 // beside each other; more take turns below the first
const stripShare = 1 / 9
const partShare = 0.42

const tiers = ['emergency', 'advisory', 'drill']
const severities = ['Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown']
const urgencies = ['Immediate', 'Expected', 'Future', 'Past', 'Unknown']

const rank = (list, word) => list.indexOf(word) < 0 ? list.length : list.indexOf(word)
const gravest = (texts, list, key) => Math.min(list.length, ...texts.map(t => rank(list, t[key])))

// order sorts alerts: tier first, then severity and urgency of their gravest text; of two alike
// the newer goes first, and the ids settle the rest, so that a screen never changes its mind.
export function order (a, b) {
  const keys = x => [rank(tiers, x.look.tier), gravest(x.body.texts, severities, 'severity'), gravest(x.body.texts, urgencies, 'urgency'), -Date.parse(x.body.sent)]
  const [ka, kb] = [keys(a), keys(b)]
  for (let i = 0; i < ka.length; i++) if (ka[i] !== kb[i] && !(isNaN(ka[i]) || isNaN(kb[i]))) return ka[i] - kb[i]
  return a.alert < b.alert ? -1 : a.alert > b.alert ? 1 : 0
}

// incidents joins alerts that are about one incident, the gravest of each first; a real one and a
// drill are never one.
export function incidents (alerts) {
  const groups = new Map()
  for (const a of alerts.filter(a => tiers.includes(a.look.tier)).sort(order)) {
    const key = a.body.incident ? (a.look.tier === 'drill') + ' ' + a.body.incident : 'alert ' + a.alert
    groups.set(key, (groups.get(key) || []).concat(a))
  }
  return [...groups.values()]
}

// inOrder are the texts that still hold and can be read, Chinese first; all of them where none can be read.
function inOrder (body, { now, legible = () => true }) {
  const left = body.texts.filter(t => !(Date.parse(t.expires) <= now))
  const hold = left.length ? left : body.texts
  const some = hold.filter(legible)
  const texts = some.length ? some : hold
  return texts.filter(t => isChinese(t.language)).concat(texts.filter(t => !isChinese(t.language)))
}

export function arrange (input) {
  const { alerts, width, height, now, tick } = input
  const groups = incidents(alerts)
  if (!groups.length) return { mode: 'idle', cards: [], more: 0 }
  const full = takesAll(groups[0][0])
  const part = !full && groups.some(g => g.some(a => tick - a.since < partTime))
  const box = full ? { x: 0, y: 0, width, height } : below(width, height, part ? partShare : stripShare)
  const places = full || part ? placesOf(box, Math.min(groups.length, maxCards)) : [box]
  const turn = Math.floor(tick / (2 * pageTime))
  const cards = places.map((place, i) => {
    const rest = groups.length - (places.length - 1)
    const last = i === places.length - 1 && rest > 1
    const group = groups[last ? i + turn % rest : i]
    return cardOf(group, place, i === 0 && (full || part), Object.assign({ strip: !full && !part, more: last ? rest - 1 : 0 }, input))
  })
  return { mode: full ? 'full' : 'part', strip: !full && !part, cards, more: Math.max(0, groups.length - places.length), box }
}

// takesAll says whether an alert takes the whole screen: an emergency does, and the drill of one.
export function takesAll (a) {
  if (a.look.tier !== 'drill') return a.look.tier === 'emergency'
  return a.body.texts.some(t => rank(severities, t.severity) <= 1 && rank(urgencies, t.urgency) <= 1)
}

function below (width, height, share) {
  const h = Math.round(height * share)
  return { x: 0, y: height - h, width, height: h }
}

// placesOf divides a box: the first gets the larger part of the height.
function placesOf (box, n) {
  if (n === 1) return [box]
  const first = Math.round(box.height * (n === 2 || box.width < box.height ? 0.6 : 0.58))
  const top = Object.assign({}, box, { height: first })
  const rest = { x: box.x, y: box.y + first, width: box.width, height: box.height - first }
  if (n === 2) return [top, rest]
  if (box.width < box.height) {
    const half = Math.round(rest.height / 2)
    return [top, Object.assign({}, rest, { height: half }), Object.assign({}, rest, { y: rest.y + half, height: rest.height - half })]
  }
  const half = Math.round(rest.width / 2)
  return [top, Object.assign({}, rest, { width: half }), Object.assign({}, rest, { x: rest.x + half, width: rest.width - half })]
}

// cardOf is one incident on the glass:
//   id, alert, revision, unconfirmed, place {x, y, width, height}, frame 'danger' | 'caution' | 'drill', drill
//   word (of the frame), event and headline, in language, which is written from right to left where rtl; from, until, begins, areas: who says it, and for when and where
//   illegible: the page has no letters for it, nor for another text of the alert
//   lines [{text, big}] and px {big, small, band, foot, narrow}; page and pages, counted from 1
//   more: how many incidents take turns in this place besides
//   voices [{from, sent, headline, frame}] where several senders speak of the incident
//   code {modules, black, side, below} with which residents answer, on the first card alone; null: none
function cardOf (group, place, first, input) {
  const { now, tick, width, height, strip, more } = input
  const a = group[0]
  const texts = inOrder(a.body, input)
  const side = Math.min(width, height)
  const voices = group.length > 1 ? group.map(v => voiceOf(v, input)) : []
  const code = first && !strip && input.codes ? input.codes.get(a.alert) : null
  const space = spaceFor(code, place)
  const px = sizes(place, side, height, first, strip, voices.length)
  if (space && space.below) roomFor(px, space.side)
  const lineWidth = space && !space.below ? place.width - space.side * 1.06 : place.width
  const spreads = texts.map(t => Object.assign({ text: t }, spread(t, lineWidth, px, strip, input.measure || estimate)))
  const pages = alternate(spreads)
  const at = pages[Math.floor(Math.max(0, tick - a.since) / pageTime) % pages.length]
  const t = at.text
  const w = spoken(t.language)
  const frame = frameOf(a)
  return {
    id: a.body.incident || a.alert, alert: a.alert, revision: a.revision, unconfirmed: !!a.unconfirmed, shows: group.map(v => ({ alert: v.alert, revision: v.revision })), place, frame, drill: frame === 'drill', first, strip,
    language: t.language, rtl: rightToLeft(t.language), illegible: !!input.legible && !input.legible(t), words: w, word: w[frame], event: t.event, headline: t.headline || t.event, from: t.from || a.body.sender, sent: timeOf(a.body.sent, input),
    until: timeOf(t.expires || a.body.expires, input), begins: Date.parse(t.onset) > now ? timeOf(t.onset, input) : '',
    areas: (t.areas || []).join(w === spoken('en') ? ', ' : '、'), lines: at.lines, px: Object.assign({}, px, { big: at.big }),
    page: pages.indexOf(at) + 1, pages: pages.length, more, voices,
    code: space ? { modules: code.modules, black: code.black, side: space.side, below: space.below } : null
  }
}

// roomFor leaves a code its room below the lines, as far as the headline does not suffer.
function roomFor (px, side) {
  px.room = Math.max(px.room - side * 1.05, px.floor * 1.18)
  px.lines = Math.max(1, Math.min(px.lines, Math.floor(px.room / (px.floor * 1.18))))
  px.ceiling = Math.max(px.floor, Math.min(px.ceiling, px.room / 1.18))
}

// frameOf goes by ISO 22324: red for danger, yellow for caution. A drill has neither.
function frameOf (a) {
  if (a.look.tier === 'drill') return 'drill'
  return a.look.tier === 'emergency' ? 'danger' : 'caution'
}

function voiceOf (a, input) {
  const t = inOrder(a.body, input)[0]
  return { from: t.from || a.body.sender, sent: timeOf(a.body.sent, input), headline: t.headline || t.event, frame: frameOf(a), language: t.language }
}

// sizes of type: the headline of the first card is an eighth of the screen's height at least, and
// a tenth of the width of an upright one; bands and feet take what is left.
function sizes (place, side, height, first, strip, voices) {
  if (strip) return { floor: place.height * 0.4, ceiling: place.height * 0.4, small: place.height * 0.3, band: place.height * 0.34, foot: place.height * 0.2, room: place.height * 0.62, lines: 1, narrow: place.width < place.height * 9 }
  const scale = first ? side : Math.min(place.height * 1.5, side * 0.62)
  const upright = side * 1.2 < height
  const band = Math.min(scale * 0.09, place.height * 0.14)
  const foot = Math.min(scale * 0.042, place.height * 0.075)
  const narrow = place.width < foot * 30
  const room = place.height - band * (narrow ? 2.4 : 1.5) - foot * (narrow ? 3.6 : 2.2) - voices * foot * 1.7 - side * 0.025
  const floor = first ? side / (upright ? 10 : 8) : Math.min(scale / 8, room / 2.3)
  const lines = Math.max(1, Math.min(maxLines, Math.floor(room / (floor * 1.18))))
  return { floor, ceiling: Math.max(floor, Math.min(place.height / 5, room / 1.18)), small: floor * 0.78, band, foot, room, lines, narrow }
}

// spread breaks one text into pages of at most px.lines lines: the headline in the largest type
// in which it is on one page, then what to do, what happens and whom to ask.
function spread (t, lineWidth, px, strip, measure) {
  const width = lineWidth * (!strip ? 0.93 : px.narrow ? 0.6 : 0.66)
  const head = t.headline || t.event
  let big = px.ceiling
  let lines = []
  for (; ; big = Math.max(px.floor, big * 0.93)) {
    lines = broken(head, width / big, measure)
    const fits = lines.length <= px.lines && lines.length * big * 1.18 <= px.room && !splitsWord(head, lines)
    if (fits || !(big > px.floor)) break
  }
  lines = lines.map(text => ({ text, big: true }))
  if (strip) return { big, pages: chunk(lines, px.lines) }
  const body = [t.instruction, t.description, t.contact].filter(Boolean).map(x => broken(x, width / px.small, measure).map(text => ({ text, big: false })))
  const pages = chunk(lines, px.lines)
  for (const block of body) {
    const last = pages[pages.length - 1]
    // a short headline and the beginning of what to do are read together
    const free = px.lines - last.length
    const height = last.reduce((sum, l) => sum + (l.big ? big : px.small) * 1.22, 0)
    if (pages.length === 1 && block === body[0] && free > 0 && (block.length <= free) && height + block.length * px.small * 1.22 <= px.room) last.push(...block)
    else pages.push(...chunk(block, px.lines))
  }
  return { big, pages }
}

// splitsWord says whether a word had to be cut because a line is too short for it.
function splitsWord (text, lines) {
  const parts = new Set(lines.join(' ').split(' '))
  return String(text).split(/\s+/).some(word => /^[\x21-\u024f]+$/.test(word) && !parts.has(word))
}

function chunk (lines, n) {
  const out = []
  for (let i = 0; i < lines.length; i += n) out.push(lines.slice(i, i + n))
  return out.length ? out : [[]]
}

// alternate takes the first page of each language, then the second of each, and so on.
function alternate (spreads) {
  const out = []
  for (let i = 0; spreads.some(s => i < s.pages.length); i++) {
    for (const s of spreads) if (i < s.pages.length) out.push({ text: s.text, lines: s.pages[i], big: s.big })
  }
  return out
}

// timeOf is a time as people here write it: hours and minutes, with the day where it is another.
export function timeOf (time, { now, zone }) {
  const at = typeof time === 'number' ? time : Date.parse(time)
  if (!(at > 0)) return ''
  const day = ms => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms)
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
  return day(at) === day(now) ? clock : day(at) + ' ' + clock
}

// freshFor is how old the last word may be while nothing is said of it: manifests come every 10 s.
export const freshFor = 30000

// linkOf says how old the device's knowledge is: {level: 'fresh' | 'old' | 'never', at}, at in the
// corrected time. silence is null before the first word.
export function linkOf (silence, now, zone) {
  if (silence === null) return { level: 'never', at: '' }
  return { level: silence <= freshFor ? 'fresh' : 'old', at: timeOf(now - silence, { now, zone }), silence }
}
