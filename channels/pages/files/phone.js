// Phone is the page of a person's phone: it shows what is in force for its member, has what is critical
// answered before anything else, sounds and speaks, and says plainly what it cannot do.
import { openReceiver } from './contract/receiver.js'
import { linkOf, timeOf } from './arrange.js'
import { Cards } from './cards.js'
import { Letters } from './letters.js'
import { critical, listed } from './list.js'
import { read } from './enrol.js'
import { join, ticketOf } from './join.js'
import { Link, about, identify, keepFiles, limited, onlyPage, refusals, stayAwake, testPage, unconfirmed, watchMemory } from './life.js'
import { wordsFor } from './phonewords.js'
import { newId, written } from './contract/report.js'
import { watchRecalls } from './recalls.js'
import { Reporting } from './reporting.js'
import { openReports } from './reports.js'
import { Sound } from './sound.js'
import { openStore } from './store.js'
import { hush, speak, speaks } from './voice.js'

const version = document.documentElement.dataset.version
const sounds = 20000 // ms until what was not answered sounds again
const find = id => document.getElementById(id)
const words = wordsFor(navigator.languages || [navigator.language])

const sound = new Sound()
const letters = new Letters(getComputedStyle(document.documentElement).fontFamily, languages => { receiver.health.lacks = languages; receiver.changed() })
const cards = new Cards(find('cards'), find('age'), { words, changed: tellHealth, answer, change, again: say })
const shown = new Map() // alert to {alert, revision, body, look, answer}
let receiver = null
let device = null
let link = null
let reports = null
let reporting = null
let wake = false // something keeps the screen on
let hiddenAt = 0
let missed = '' // when the page was not in front
let refused = false

async function main () {
  document.documentElement.lang = words.tag
  const kept = await openStore()
  const ticket = ticketOf(location.hash)
  if (!ticket && location.hash.length > 1) {
    await kept.set('phone', JSON.stringify(read(location.hash, location)))
    history.replaceState(null, '', location.pathname)
  }
  const text = await kept.get('phone')
  if (!text || ticket) return wait(kept, ticket)
  device = JSON.parse(text)
  await begin(kept)
}

// wait asks to be let in, and shows the code that a person compares.
async function wait (kept, ticket) {
  find('join').hidden = false
  find('age').hidden = true
  find('join-title').textContent = words.join
  find('join-says').textContent = words.joinSays
  find('where').replaceChildren(location.origin, document.createElement('wbr'), '/console/enrol')
  const given = await join({
    kind: 'phone', ticket, page: location, load: () => kept.get('phone/asking'), save: t => kept.set('phone/asking', t),
    show ({ code, why }) {
      if (code && location.hash) history.replaceState(null, '', location.pathname)
      if (find('code').textContent !== (code || '…')) find('code').textContent = code || '…'
      find('why').textContent = words.whys[why]
    }
  })
  await kept.set('phone', JSON.stringify(given))
  location.reload()
}

async function begin (kept) {
  const memory = 'memory/' + device.id
  receiver = await openReceiver({
    id: device.id, rootKey: device.root, kind: 'phone', version,
    store: { load: () => kept.get(memory), save: t => kept.set(memory, t) },
    present, command,
    refused: refusals(() => receiver)
  })
  Object.assign(receiver.health, await about(kept, device.id), { push: 'none', sound: await sound.arm(), display: 'nothing in force' })
  await keepFiles(told => { receiver.health.level = told; receiver.changed() })
  await beginReports(kept)
  find('home').hidden = false
  find('arm').addEventListener('click', arm)
  document.addEventListener('visibilitychange', front)
  if (window.speechSynthesis) window.speechSynthesis.onvoiceschanged = draw
  setInterval(() => { draw(); cards.look() }, 250)
  watchRecalls(find('recalls'), words)
  stayAwake(on => { wake = on; draw() })
  watchMemory(receiver)
  for (const w of [wordsFor(['en']), wordsFor(['zh-HK'])]) letters.reads(w.tag, Object.values(w).filter(t => typeof t === 'string').join(' ')) // told before it matters
  draw()
  window.almenara = { receiver, cards, shown, reports } // for tests and for people at the console
  link = new Link({
    device, receiver, reports, changed: () => { if (link.up) refused = false; draw() },
    failed: (why, away) => { refused = away; find('age').title = why }
  })
  await link.run(onlyPage(device.id, over))
}

// beginReports reads the reports that wait for a node.
async function beginReports (kept) {
  const queue = 'reports/' + device.id
  const topic = 'almenara/1/device/' + device.id + '/report'
  reports = await openReports({
    topic, now: () => receiver.now(), changed: () => draw(), store: { load: () => kept.get(queue), save: t => kept.set(queue, t) }
  })
  reporting = new Reporting({
    words, zone: device.zone, reports, now: () => receiver.now(),
    alerts: () => listed({ alerts: [...shown.values()], now: receiver.now(), zone: device.zone, words }).cards.map(c => ({ alert: c.alert, headline: c.texts[0].headline })),
    position: async r => reports.publish !== null && await reports.publish(topic, written(Object.assign({ id: newId() }, r))).catch(() => 0x80) < 0x80
  })
}

// over ends this page, because another one of the device has begun.
function over () {
  receiver.stop()
  sound.silence()
  hush()
  link.close()
  shown.clear()
  cards.show(listed({ alerts: [], now: 0, words }))
  find('home').hidden = true
  find('reporting').hidden = true
  find('problem').textContent = words.over
}

// present carries out what the rules ask for, and resolves once it is so.
async function present (e) {
  if (e.action === 'stop') {
    const was = shown.get(e.alert)
    if (was && was.revision <= e.revision) shown.delete(e.alert)
    cards.forget(e.alert, e.revision)
    if (!shown.size) { sound.silence(); hush() }
    draw()
    return cards.gone(e.alert, e.revision)
  }
  cards.forget(e.alert, e.revision - 1)
  const a = { alert: e.alert, revision: e.revision, body: e.body, look: e.look, answer: receiver.answered(e.alert, e.revision) }
  shown.set(e.alert, a)
  if (e.action !== 'resume') ring(a)
  else if (critical(a) && !a.answer) setTimeout(() => ring(a), sounds)
  draw()
  return cards.painted(e.alert, e.revision)
}

// ring sounds and speaks, again and again until what must be answered is.
async function ring (a) {
  const stands = () => shown.get(a.alert) === a && !a.answer
  if (!stands() || a.look.sound === 'none') return
  if (navigator.vibrate) navigator.vibrate(a.look.tier === 'emergency' ? [600, 200, 600, 200, 600] : [300])
  try {
    await sound.play(a.look.sound)
    soundIs('armed')
  } catch (error) {
    soundIs(limited(error.message))
  }
  if (stands()) await speak(a.body.texts)
  if (critical(a)) setTimeout(() => ring(a), sounds)
}

// say says one alert once more, at a press.
function say (alert) {
  const a = shown.get(alert)
  if (a) sound.play('chime').catch(() => {}).then(() => speak(a.body.texts))
}

// answer is a person's press.
function answer (alert, revision, word) {
  const a = shown.get(alert)
  if (!a || a.revision !== revision || (a.answer && !a.changing)) return
  a.answer = word
  a.changing = false
  receiver.acknowledge(alert, revision, word)
  sound.silence()
  hush()
  draw()
}

// change lets a person answer anew: who was safe may need help by now.
function change (alert) {
  const a = shown.get(alert)
  if (a) a.changing = !a.changing
  draw()
}

function soundIs (state) {
  if (state === 'silenced' || receiver.health.sound === state) return
  receiver.health.sound = state
  receiver.changed()
}

// arm is the press at the start of a shift: without it a browser may stay silent.
async function arm () {
  soundIs(await sound.arm())
  sound.play('chime').catch(() => {})
  if (navigator.vibrate) navigator.vibrate(200)
  draw()
}

// front is called when the page comes to the front or leaves it.
function front () {
  if (document.visibilityState !== 'visible') { hiddenAt = receiver.now(); return }
  const at = t => timeOf(t, { now: receiver.now(), zone: device.zone })
  if (hiddenAt && receiver.now() - hiddenAt > 5000) missed = words.away(at(hiddenAt), at(receiver.now()))
  hiddenAt = 0
  draw()
}

function draw () {
  if (!receiver || receiver.stopped || !reporting) return
  reporting.draw()
  const now = receiver.now()
  const word = linkOf(receiver.silence(), now, device.zone)
  cards.age(word, link !== null && link.up)
  const list = listed({ alerts: [...shown.values(), ...unconfirmed(receiver)], now, zone: device.zone, words, legible: t => letters.reads(t.language, [t.headline || t.event, t.instruction, t.description].join(' ')) })
  cards.show(list)
  text('nothing', list.cards.length ? '' : refused ? words.refused : word.level === 'fresh' ? words.nothing : words.unknown)
  const armed = receiver.health.sound === 'armed'
  find('arm').className = armed ? '' : 'wanted'
  text('arm', armed ? words.armAgain : words.arm)
  text('armed', armed ? words.armed : words.blocked)
  text('limits-title', words.limits)
  const lines = [missed, words.asleep, window.isSecureContext ? '' : words.insecure, wake ? words.awake : words.dark, speaks([words.tag === 'en' ? 'en' : 'zh-HK']) ? '' : words.silent, navigator.vibrate ? '' : words.still].filter(Boolean)
  if (find('limits').textContent !== lines.join('')) find('limits').replaceChildren(...lines.map(l => Object.assign(document.createElement('li'), { textContent: l })))
}

function text (id, value) { if (find(id).textContent !== value) find(id).textContent = value }

// tellHealth tells what of what is in force can be seen, and what would not wake anybody.
function tellHealth () {
  if (!receiver) return
  const h = receiver.health
  h.size = window.innerWidth + 'x' + window.innerHeight
  h.display = shown.size ? cards.hidden() || 'painted' : 'nothing in force'
  h.awake = wake ? 'yes' : 'no'
  receiver.changed()
}

function command (c) {
  if (c.do === 'reload') return location.reload()
  if (c.do === 'silence') { sound.silence(); hush() }
  if (c.do === 'test') return testPage(sound)
  if (c.do === 'identify') identify(device.id, c.place, () => [...shown.values()].some(a => critical(a) && !a.answer))
  const a = shown.get(c.alert)
  if (c.do !== 'answered' || !a || a.revision !== c.revision) return
  const own = receiver.answered(c.alert, c.revision) === (c.answer || 'confirmed')
  a.answer = (own ? '' : 'elsewhere:') + (c.answer || 'confirmed')
  sound.silence()
  hush()
  draw()
}

main().catch(error => { find('problem').textContent = String(error.message || error) })
