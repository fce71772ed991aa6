// Screen is the page of a screen: it keeps a connection to some node, lets the contract's receiver
// decide, draws what is in force, and tells what was really seen.
import { openReceiver } from './contract/receiver.js'
import { arrange, linkOf, timeOf } from './arrange.js'
import { codeOf } from './code.js'
import { Glass, framesPainted } from './draw.js'
import { Letters } from './letters.js'
import { words } from './words.js'
import { Sound } from './sound.js'
import { openAgent } from './agent.js'
import { openStore } from './store.js'
import { read } from './enrol.js'
import { join, ticketOf } from './join.js'
import { Link, about, engineOf, identify, keepFiles, level, limited, onlyPage, refusals, stayAwake, testPage, unconfirmed, watchMemory } from './life.js'

const version = document.documentElement.dataset.version
const overlay = new URLSearchParams(location.search).get('overlay') === 'true'
const find = id => document.getElementById(id)

const glass = new Glass(find('cards'), find('age'), tellHealth)
const sound = new Sound()
const letters = new Letters(getComputedStyle(document.documentElement).fontFamily, languages => { receiver.health.lacks = languages; receiver.changed() })
const shown = new Map() // alert to what is presented, see arrange.js
const codes = new Map() // alert to the code with which residents answer
const store = openStore()
let receiver = null
let device = null
let link = null // null while an agent is the device

const served = document.documentElement.dataset.source === 'agent' // by the agent of this box

async function main () {
  if (overlay) document.documentElement.classList.add('overlay')
  if (served) return beginServed()
  const kept = await store
  const ticket = ticketOf(location.hash)
  if (!ticket && location.hash.length > 1) {
    await kept.set('device', JSON.stringify(read(location.hash, location)))
    history.replaceState(null, '', location.pathname + location.search)
  }
  const text = await kept.get('device')
  if (!text || ticket) return setUp(kept, ticket)
  device = JSON.parse(text)
  await begin(kept)
}

// beginServed shows what the agent of this box decides.
async function beginServed () {
  const agent = await openAgent({
    present, command, painted: () => glass.onGlass(), glass: () => ({ frames: framesPainted(), hidden: document.visibilityState !== 'visible' })
  })
  device = agent.picture.device
  receiver = agent
  await start({ engine: engineOf(navigator.userAgent) })
}

// start is what page and device have in common: health, sound, and drawing four times a second. What runs under
// the alerts may not lead the whole window elsewhere, nor stop it by a dialog.
async function start (health) {
  if (device.under && !overlay) find('under').append(Object.assign(document.createElement('iframe'), { sandbox: 'allow-scripts allow-same-origin allow-forms', src: device.under, title: '' }))
  Object.assign(receiver.health, { level: level(served, false), size: '', sound: await sound.arm(), display: 'nothing in force' }, health)
  document.addEventListener('pointerdown', async () => { receiver.health.sound = await sound.arm(); receiver.changed() })
  window.addEventListener('resize', draw)
  setInterval(() => { draw(); glass.look() }, 250)
  for (const language of Object.keys(words)) letters.reads(language, Object.values(words[language]).join(' ')) // told before it matters
  draw()
  tellHealth()
  stayAwake(on => { receiver.health.awake = on ? 'yes' : 'no'; receiver.changed() })
  watchMemory(receiver)
  window.almenara = { receiver, glass, shown } // for tests and for people at the console
}

// setUp asks the node to let this screen in, and shows the code that a person compares. Its form takes
// what 'almenara device enrol' prints.
function setUp (kept, ticket) {
  const form = find('setup')
  form.hidden = false
  find('age').hidden = true
  wait(kept, ticket).catch(error => { find('problem').textContent = String(error.message || error) })
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

async function wait (kept, ticket) {
  find('where').replaceChildren(location.origin, document.createElement('wbr'), '/console/enrol')
  const given = await join({
    kind: 'screen', ticket, page: location, load: () => kept.get('asking'), save: text => kept.set('asking', text),
    show ({ code, node, why }) {
      if (code && location.hash) history.replaceState(null, '', location.pathname + location.search)
      if (find('code').textContent !== (code || '…')) find('code').textContent = code || '…'
      find('why').textContent = whys[why]
    }
  })
  await kept.set('device', JSON.stringify(given))
  location.reload()
}

const whys = {
  '': '', used: '此二維碼已使用或已過期 · This code to scan was used already, or is too old', many: '等候的裝置太多，稍後再試 · Too many devices wait; it tries again',
  away: '控制台已拒絕此裝置 · The console has sent this device away', lost: '節點沒有回應 · The node does not answer'
}

async function begin (kept) {
  const memory = 'memory/' + device.id
  receiver = await openReceiver({
    id: device.id, rootKey: device.root, kind: 'screen', version,
    store: { load: () => kept.get(memory), save: text => kept.set(memory, text) },
    present, command,
    refused: refusals(() => receiver)
  })
  await start(await about(kept, device.id))
  await keepFiles(told => { receiver.health.level = told; receiver.changed() })
  link = new Link({ device, receiver, changed: draw, failed: why => { find('age').title = why } })
  await link.run(onlyPage(device.id, over))
}

// over ends this page, because another one of the device has begun.
function over () {
  receiver.stop()
  sound.silence()
  link.close()
  shown.clear()
  find('age').textContent = '另一頁面已接手 · another page of this device has taken over'
  document.documentElement.dataset.mode = 'over'
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
  const word = linkOf(receiver.silence(), now, device.zone)
  glass.age(word, served ? receiver.connected() : link && link.up) // first: it takes its height from the cards
  const input = { // what has run out goes also while an agent is lost
    codes: codesAt(now), alerts: [...shown.values(), ...unconfirmed(receiver)].filter(a => !(Date.parse(a.body.expires) <= now)), width: window.innerWidth, height: window.innerHeight - find('age').offsetHeight, now, tick: performance.now(), zone: device.zone,
    measure: text => glass.measure(text), legible: t => letters.reads(t.language, [t.headline || t.event, t.instruction, t.description].join(' '))
  }
  glass.show(arrange(input))
  if (!overlay && !device.under) glass.rest(find('under'), word, receiver.silence() === null ? '' : timeOf(now, { now, zone: device.zone }), input.alerts.length === 0)
}

// tellHealth tells what of what is in force can be seen.
function tellHealth () {
  if (!receiver) return
  const h = receiver.health
  h.size = window.innerWidth + 'x' + window.innerHeight
  h.display = shown.size ? glass.hidden() || 'painted' : 'nothing in force'
  receiver.changed()
}

// takeCode keeps the code of an alert that is shown, until it runs out or another one comes.
function takeCode (c) {
  const code = codeOf(c)
  if (!code || !shown.has(c.alert)) return
  codes.set(c.alert, code)
  draw()
}

function codesAt (now) {
  for (const [alert, code] of codes) if (!shown.has(alert) || code.expires <= now) codes.delete(alert)
  return codes
}

function command (c) {
  if (c.do === 'reload') return location.reload()
  if (c.do === 'silence') return sound.silence()
  if (c.do === 'answer') return takeCode(c)
  if (c.do === 'test') return testPage(sound)
  if (c.do === 'identify') identify(device.id, c.place, () => document.documentElement.dataset.mode === 'full')
}

main().catch(error => {
  const problem = find('problem')
  find('setup').hidden = false
  problem.textContent = String(error.message || error)
})
