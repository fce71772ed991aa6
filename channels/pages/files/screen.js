// Screen is the page of a screen: it keeps a connection to some node, lets the contract's receiver
// decide, draws what is in force, and tells what was really seen.
import { openReceiver } from './contract/receiver.js'
import { arrange, linkOf, timeOf } from './arrange.js'
import { Glass, make } from './draw.js'
import { Sound } from './sound.js'
import { connect } from './mqtt.js'
import { openAgent } from './agent.js'
import { openStore } from './store.js'
import { read } from './enrol.js'

const version = document.documentElement.dataset.version
const overlay = new URLSearchParams(location.search).get('overlay') === 'true'
const retryFirst = 250
const retryLast = 5000
const find = id => document.getElementById(id)

const glass = new Glass(find('cards'), find('age'), tellHealth)
const sound = new Sound()
const shown = new Map() // alert to what is presented, see arrange.js
const store = openStore()
let receiver = null
let device = null
let connection = null

const served = document.documentElement.dataset.source === 'agent' // by the agent of this box

// level says what the page would survive; see the README.
function level () {
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)
  const worker = navigator.serviceWorker && navigator.serviceWorker.controller
  if (served) return 'C'
  if (!window.isSecureContext || !worker) return 'A'
  if (local) return 'C'
  return location.protocol === 'https:' ? 'B' : 'D'
}

async function main () {
  if (overlay) document.documentElement.classList.add('overlay')
  if (served) return beginServed()
  const kept = await store
  if (location.hash.length > 1) {
    await kept.set('device', JSON.stringify(read(location.hash, location)))
    history.replaceState(null, '', location.pathname + location.search)
  }
  const text = await kept.get('device')
  if (!text) return setUp(kept)
  device = JSON.parse(text)
  await begin(kept)
}

// beginServed shows what the agent of this box decides.
async function beginServed () {
  const agent = await openAgent({ present, command, painted: () => glass.onGlass() })
  device = agent.picture.device
  receiver = agent
  await start({})
}

// start is what page and device have in common: health, sound, and drawing four times a second.
async function start (health) {
  if (device.under && !overlay) find('under').append(Object.assign(document.createElement('iframe'), { src: device.under, title: '' }))
  Object.assign(receiver.health, { level: level(), engine: limited(navigator.userAgent.replace(/^Mozilla\/5\.0 /, '')), size: '', sound: await sound.arm(), display: 'nothing in force' }, health)
  document.addEventListener('pointerdown', async () => { receiver.health.sound = await sound.arm(); receiver.changed() })
  window.addEventListener('resize', draw)
  setInterval(() => { draw(); glass.look() }, 250)
  draw()
  tellHealth()
  window.almenara = { receiver, glass, shown } // for tests and for people at the console
}

// setUp shows the form; what it takes is what 'almenara device enrol' prints.
function setUp (kept) {
  const form = find('setup')
  form.hidden = false
  form.addEventListener('submit', async e => {
    e.preventDefault()
    try {
      await kept.set('device', JSON.stringify(read(find('given').value, location)))
      location.reload()
    } catch (error) {
      find('problem').textContent = error.message
    }
  })
}

async function begin (kept) {
  const memory = 'memory/' + device.id
  receiver = await openReceiver({
    id: device.id, rootKey: device.root, kind: 'screen', version,
    store: { load: () => kept.get(memory), save: text => kept.set(memory, text) },
    present, command,
    refused: (what, why) => { receiver.health.refused = limited(what.split('/').pop() + ': ' + why); receiver.changed() }
  })
  await start({ store: kept.kind })
  const alone = onlyPage()
  for (let turn = 0, pause = retryFirst; alone(); turn++) {
    const served = await session(device.servers[turn % device.servers.length])
    if (served) pause = retryFirst
    await new Promise(resolve => setTimeout(resolve, pause / 2 + Math.random() * pause))
    if ((turn + 1) % device.servers.length === 0) pause = Math.min(pause * 2, retryLast)
  }
}

// onlyPage makes this the page of the device: two at once would be two devices of one name, so an
// older page ends. It gives a function that says whether this one goes on.
function onlyPage () {
  let on = true
  if (!window.BroadcastChannel) return () => on
  const pages = new BroadcastChannel('almenara/' + device.id)
  pages.onmessage = () => {
    on = false
    receiver.stop()
    sound.silence()
    if (connection) connection.close()
    shown.clear()
    find('age').textContent = '另一頁面已接手 · another page of this device has taken over'
    document.documentElement.dataset.mode = 'over'
  }
  pages.postMessage('begins')
  return () => on
}

// session is one connection, as long as it lasts; it resolves with whether the device was served.
async function session (url) {
  let closed
  const over = new Promise(resolve => { closed = resolve })
  try {
    const c = await connect({ url, id: device.id, secret: device.secret, will: receiver.begin(), message: (...m) => receiver.message(...m), closed })
    await c.subscribe(receiver.filters)
    connection = c
    receiver.connected((topic, payload, how) => c.publish(topic, payload, how))
    draw()
    await over
    return true
  } catch (error) {
    find('age').title = url + ': ' + error.message
    return false
  } finally {
    connection = null
    receiver.disconnected()
    draw()
  }
}

// present carries out what the rules ask for, and resolves once it is so.
async function present (e) {
  if (e.action === 'stop') {
    const was = shown.get(e.alert)
    if (was && was.revision <= e.revision) shown.delete(e.alert)
    glass.forget(e.alert, e.revision)
    if (!shown.size) sound.silence()
    draw()
    return glass.gone(e.alert, e.revision)
  }
  glass.forget(e.alert, e.revision - 1)
  shown.set(e.alert, { alert: e.alert, revision: e.revision, body: e.body, look: e.look, since: performance.now() })
  if (e.action !== 'resume' && e.look.sound !== 'none') {
    sound.play(e.look.sound).then(() => soundIs('armed'), error => soundIs(limited(error.message)))
  }
  draw()
  return glass.painted(e.alert, e.revision)
}

function soundIs (state) {
  if (state === 'silenced' || receiver.health.sound === state) return
  receiver.health.sound = state
  receiver.changed()
}

function draw () {
  if (!receiver || receiver.stopped) return
  const now = receiver.now()
  const link = linkOf(receiver.silence(), now, device.zone)
  glass.age(link, served ? receiver.connected() : connection !== null) // first: it takes its height from the cards
  const input = { // what has run out goes also while an agent is lost
    alerts: [...shown.values()].filter(a => !(Date.parse(a.body.expires) <= now)), width: window.innerWidth, height: window.innerHeight - find('age').offsetHeight, now, tick: performance.now(), zone: device.zone,
    measure: text => glass.measure(text)
  }
  glass.show(arrange(input))
  if (!overlay && !device.under) glass.rest(find('under'), link, receiver.silence() === null ? '' : timeOf(now, { now, zone: device.zone }), shown.size === 0)
}

// tellHealth tells what of what is in force can be seen.
function tellHealth () {
  if (!receiver) return
  const h = receiver.health
  h.size = window.innerWidth + 'x' + window.innerHeight
  h.display = shown.size ? glass.hidden() || 'painted' : 'nothing in force'
  receiver.changed()
}

function command (c) {
  if (c.do === 'reload') return location.reload()
  if (c.do === 'silence') return sound.silence()
  const note = make('p', 'note', (c.do === 'test' ? '測試 · Test · ' : '') + device.id)
  document.body.append(note)
  setTimeout(() => note.remove(), 10000)
}

const limited = text => new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 120)).replace(/\ufffd+$/, '')

main().catch(error => {
  const problem = find('problem')
  find('setup').hidden = false
  problem.textContent = String(error.message || error)
})
