// Speaker is the page of a speaker: it announces what is in force, tone, pause and message three times,
// and tells presented only of what was heard to its end. A browser that lets nothing be heard is a fault
// that it tells at once, and shows.
import { openReceiver } from './contract/receiver.js'
import { Announcer } from './announce.js'
import { linkOf } from './arrange.js'
import { Cards } from './cards.js'
import { make } from './draw.js'
import { read } from './enrol.js'
import { join, ticketOf } from './join.js'
import { Link, about, keepFiles, limited, onlyPage, refusals, stayAwake, unconfirmed, watchMemory } from './life.js'
import { listed } from './list.js'
import { wordsFor } from './phonewords.js'
import { Player } from './player.js'
import { Sound } from './sound.js'
import { speakerWords } from './speakerwords.js'
import { openStore } from './store.js'

const version = document.documentElement.dataset.version
const find = id => document.getElementById(id)
const words = wordsFor(navigator.languages || [navigator.language])
const own = speakerWords(words.tag)

// SpeakerCards are the alerts with what became of each.
class SpeakerCards extends Cards {
  card (c) {
    const element = super.card(c)
    element.querySelector('.band').after(make('p', 'became ' + c.became, own[c.became]))
    return element
  }
}

const sound = new Sound()
const player = new Player(sound, (language, reason) => tell('speech ' + limited(language).slice(0, 16), reason))
const announcer = new Announcer({ player, level: levelOf, done, changed: draw })
const cards = new SpeakerCards(find('cards'), find('age'), { words, changed () {}, answer () {}, again })
const shown = new Map() // alert to {alert, revision, body, look, became, late, heard, failed}
let settings = { level: 100, nightLevel: 40, night: '' }
let receiver = null
let device = null
let link = null
let refused = false

async function main () {
  document.documentElement.lang = words.tag
  const kept = await openStore()
  const ticket = ticketOf(location.hash)
  if (!ticket && location.hash.length > 1) {
    await kept.set('speaker', JSON.stringify(read(location.hash, location)))
    history.replaceState(null, '', location.pathname)
  }
  const text = await kept.get('speaker')
  if (!text || ticket) return wait(kept, ticket)
  device = JSON.parse(text)
  await begin(kept)
}

// wait asks to be let in, and shows the code that a person compares.
async function wait (kept, ticket) {
  find('join').hidden = false
  find('age').hidden = true
  say('join-title', own.join)
  say('join-says', own.joinSays)
  say('where', location.origin + '/console/enrol')
  const given = await join({
    kind: 'speaker', ticket, page: location, load: () => kept.get('speaker/asking'), save: t => kept.set('speaker/asking', t),
    show ({ code, why }) {
      if (code && location.hash) history.replaceState(null, '', location.pathname)
      say('code', code || '…')
      say('why', words.whys[why])
    }
  })
  await kept.set('speaker', JSON.stringify(given))
  location.reload()
}

async function begin (kept) {
  const memory = 'memory/' + device.id
  receiver = await openReceiver({
    id: device.id, rootKey: device.root, kind: 'speaker', version,
    store: { load: () => kept.get(memory), save: t => kept.set(memory, t) },
    present, command,
    refused: refusals(() => receiver)
  })
  Object.assign(receiver.health, await about(kept, device.id), { sound: await sound.arm() })
  settings = Object.assign(settings, JSON.parse(await kept.get('speaker/settings') || '{}'))
  offerSettings(kept)
  find('home').hidden = false
  find('arm').addEventListener('click', arm)
  document.addEventListener('pointerdown', () => { if (receiver.health.sound !== 'armed') armed() })
  setInterval(draw, 250)
  await keepFiles(told => tell('level', told))
  stayAwake(on => tell('awake', on ? 'yes' : 'no'))
  watchMemory(receiver)
  draw()
  window.almenara = { receiver, announcer, shown, player } // for tests and for people at the console
  link = new Link({
    device, receiver, changed: () => { if (link.up) refused = false; draw() },
    failed: (why, away) => { refused = away; find('age').title = why }
  })
  await link.run(onlyPage(device.id, over))
}

// over ends this page, because another one of the device has begun.
function over () {
  receiver.stop()
  player.hush()
  link.close()
  for (const a of shown.values()) announcer.give({ action: 'stop', alert: a.alert, revision: a.revision })
  shown.clear()
  find('home').hidden = find('settings').hidden = true
  say('problem', own.over)
}

// present carries out what the rules ask for. It resolves once the sound has ended: what was asked to
// play is not presented.
function present (e) {
  if (e.action === 'stop') {
    const was = shown.get(e.alert)
    if (was && was.revision <= e.revision) {
      shown.delete(e.alert)
      announcer.give(e)
      if (was.failed) was.failed(new Error('it was over before it was heard'))
    }
    draw()
    return Promise.resolve()
  }
  const before = shown.get(e.alert)
  if (e.action === 'remind' && before) {
    announcer.give(Object.assign({}, e))
    return Promise.resolve()
  }
  if (before && before.failed) before.failed(new Error('a newer one takes its place'))
  const a = { alert: e.alert, revision: e.revision, body: e.body, look: e.look, became: 'waits', answer: '' }
  shown.set(e.alert, a)
  // What was heard before the power went is not heard again.
  if (e.action === 'resume' && receiver.proven(e.alert, e.revision)) {
    a.became = 'heard'
    draw()
    return Promise.resolve()
  }
  const heard = new Promise((resolve, reject) => { a.heard = resolve; a.failed = reject })
  announcer.give(e)
  return heard
}

// done hears that an announcement has ended, or that nothing was heard.
function done (e, error) {
  const a = shown.get(e.alert)
  if (!a || a.revision !== e.revision) return
  if (error) {
    a.became = 'silent'
    a.late = true
    if (error.message !== 'silenced') tell('sound', sound.state === 'armed' ? limited(error.message) : sound.state)
    if (a.failed) a.failed(error)
  } else {
    a.became = 'heard'
    tell('sound', 'played')
    if (a.heard) a.heard()
    if (a.late) receiver.presented(a.alert, a.revision) // it had been told as failed
    a.late = false
  }
  a.heard = a.failed = null
  draw()
}

// armed is called when a person touched the page: what was not heard is announced now.
async function armed () {
  tell('sound', await sound.arm())
  if (receiver.health.sound !== 'armed') return
  for (const a of shown.values()) {
    if (a.became !== 'silent') continue
    a.became = 'waits'
    announcer.give({ action: 'start', alert: a.alert, revision: a.revision, body: a.body, look: a.look })
  }
  draw()
}

async function arm () {
  await armed()
  if (!announcer.now) sound.play('chime', levelOf('advisory'), 1).catch(() => {})
}

// again announces one alert once more, at a press.
function again (alert) {
  const a = shown.get(alert)
  if (a) announcer.give({ action: 'remind', alert, revision: a.revision, body: a.body, look: a.look })
}

// levelOf is how loud a tier is now. An emergency is as loud as it gets, at night as well.
function levelOf (tier) {
  if (tier === 'emergency') return 1
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(settings.night)
  const [from, to] = hours ? [Number(hours[1]), Number(hours[2])] : [0, 0]
  const hour = Number(new Intl.DateTimeFormat('en-GB', { hour: 'numeric', hourCycle: 'h23', timeZone: device.zone || undefined }).format(receiver.now()))
  const night = from <= to ? from <= hour && hour < to : hour >= from || hour < to
  return (night ? settings.nightLevel : settings.level) / 100
}

function offerSettings (kept) {
  find('settings').hidden = false
  for (const [id, text] of [['settings-title', own.settings], ['level-label', own.level], ['night-level-label', own.nightLevel], ['night-label', own.night], ['settings-says', own.says]]) say(id, text)
  for (const [id, name] of [['level', 'level'], ['night-level', 'nightLevel'], ['night', 'night']]) {
    const input = find(id)
    const output = find(id + '-said')
    input.value = settings[name]
    if (output) output.textContent = settings[name] + ' %'
    input.addEventListener('input', () => {
      if (!output && input.value !== '' && !/^([01]?\d|2[0-3])-([01]?\d|2[0-3])$/.test(input.value)) return input.setCustomValidity('22-7')
      input.setCustomValidity('')
      settings[name] = output ? Number(input.value) : input.value
      if (output) output.textContent = input.value + ' %'
      kept.set('speaker/settings', JSON.stringify(settings)).catch(() => {})
    })
  }
}

function tell (name, value) {
  if (!receiver || receiver.health[name] === value) return
  receiver.health[name] = value
  receiver.changed()
}

function draw () {
  if (!receiver || receiver.stopped) return
  const now = receiver.now()
  const word = linkOf(receiver.silence(), now, device.zone)
  cards.age(word, link !== null && link.up)
  for (const a of shown.values()) if (a.became !== 'heard' && a.became !== 'silent') a.became = announcer.now && announcer.now.alert === a.alert ? 'plays' : 'waits'
  // A speaker asks nobody: nothing is forced, and all is listed.
  const all = listed({ alerts: [...shown.values(), ...unconfirmed(receiver)].map(a => Object.assign({}, a, { answer: 'none' })), now, zone: device.zone, words }).cards
  for (const c of all) Object.assign(c, { answer: '', asks: false, became: c.unconfirmed ? 'unconfirmed' : shown.get(c.alert).became })
  cards.show({ mode: all.length ? 'list' : 'idle', cards: all })
  const silent = receiver.health.sound !== 'armed' && receiver.health.sound !== 'played'
  const state = silent ? 'blocked' : announcer.now ? 'sounds' : refused || word.level !== 'fresh' ? 'cut' : 'ready'
  find('state').className = state
  say('state', own[state])
  find('arm').className = silent ? 'wanted' : ''
  say('arm', silent ? own.arm : own.armAgain)
  say('nothing', all.length ? '' : refused ? own.refused : word.level === 'fresh' ? own.nothing : own.unknown)
}

function say (id, text) { if (find(id).textContent !== text) find(id).textContent = text }

function command (c) {
  if (c.do === 'reload') return location.reload()
  if (c.do === 'silence') announcer.silence()
  if (c.do === 'test') return testSound()
  if (c.do === 'identify' && !shown.size && !sound.playing) sound.play('chirp', 0.2, 1).catch(() => {})
}

// testSound proves without a sound that anybody hears that an alert would be heard.
async function testSound () {
  if (!await sound.tryOut()) throw new Error(sound.playing ? 'something else is being heard' : 'sound is ' + sound.state)
  return { result: 'passed', exercised: ['sound'] }
}

main().catch(error => { say('problem', String(error.message || error)) })
