// Life is what every page that is a device does: it keeps a connection to some node, is the only page
// of its device, and knows what it would survive.
import { connect, turnsAway } from './mqtt.js'
import { dim, make } from './draw.js'

const retryFirst = 250
const retryLast = 5000
const unkept = 0x80 // PUBACK: what was published is not durable

// level says what a page would survive (CONTRACT.md, health). served: by the agent of this box; kept: a worker
// answers for the page, and has all of it.
export function level (served, kept, at = location) {
  if (served) return 'C'
  if (!kept) return 'A'
  if (/^(localhost|127\.0\.0\.1|\[::1\])$/.test(at.hostname)) return 'C'
  return at.protocol === 'https:' ? 'B' : 'D'
}

// keepFiles has a worker keep the files of this page, where a browser lets one run, so that a reload needs no
// node. told(level) hears the level now, and whenever it has changed.
export async function keepFiles (told) {
  let workers = null
  try {
    if (window.isSecureContext) workers = navigator.serviceWorker
  } catch (error) { /* a frame that may keep nothing */ }
  if (!workers) return told(level(false, false))
  const look = async () => {
    const kept = workers.controller !== null && await soon(caches.match(location.pathname)).catch(() => false)
    told(level(false, Boolean(kept)))
  }
  workers.addEventListener('controllerchange', look)
  workers.register('worker.js').catch(() => {}) // a certificate that is not trusted, or a browser that forbids it
  await look()
}

// unconfirmed is what the device had presented before it was started anew, as it is presented, with a mark; nothing as
// long as a node may still say whether it stands.
export function unconfirmed (receiver) {
  return receiver.unconfirmed().map(e => Object.assign(e, { since: 0, unconfirmed: true, answer: receiver.answered(e.alert, e.revision) }))
}

// onlyPage makes this the page of the device: two at once would be two devices of one name, so an
// older page ends, and over() is called there. It gives a function that says whether this one goes on.
export function onlyPage (id, over) {
  let on = true
  if (!window.BroadcastChannel) return () => on
  const pages = new BroadcastChannel('almenara/' + id)
  pages.onmessage = () => {
    if (!on) return
    on = false
    over()
  }
  pages.postMessage('begins')
  return () => on
}

// Link keeps the connection of a device.
//
//   device     {id, secret, servers}
//   receiver   of the contract
//   reports    {connected(publish), disconnected()}: what else is published; may be left out
//   changed()  the connection is there, or lost
//   failed(sentence, away)  why one could not be made, and whether the node does not let this device in; may be left out
export class Link {
  constructor (options) {
    this.options = Object.assign({ failed () {}, reports: { connected () {}, disconnected () {} } }, options)
    this.connection = null
  }

  get up () { return this.connection !== null }

  close () { if (this.connection) this.connection.close() }

  // run goes from node to node as long as on() says so.
  async run (on) {
    const servers = this.options.device.servers
    for (let turn = 0, pause = retryFirst; on(); turn++) {
      const served = await this.session(servers[turn % servers.length])
      if (served) pause = retryFirst
      await new Promise(resolve => setTimeout(resolve, pause / 2 + Math.random() * pause))
      if ((turn + 1) % servers.length === 0) pause = Math.min(pause * 2, retryLast)
    }
  }

  // session is one connection, as long as it lasts; it resolves with whether the device was served, and kept all that came.
  async session (url) {
    const { device, receiver, reports, changed, failed } = this.options
    let closed
    let kept = true
    const over = new Promise(resolve => { closed = resolve })
    try {
      const message = (...m) => {
        if (receiver.message(...m) !== false) return
        kept = false // the next one brings it again, and may bring as much
        c.close()
      }
      const c = await connect({ url, id: device.id, secret: device.secret, will: receiver.begin(), message, closed })
      await c.subscribe(receiver.filters)
      this.connection = c
      receiver.connected((topic, payload, how) => c.publish(topic, payload, how).then(code => {
        if (code !== unkept) return
        c.close() // the next connection, to another node perhaps, sends it again
        throw new Error('the node could not keep it')
      }))
      reports.connected((topic, payload) => c.publish(topic, payload))
      changed()
      await over
      return kept
    } catch (error) {
      const away = turnsAway(error.message)
      if (away) receiver.turnedAway()
      failed(url + ': ' + error.message, away)
      return false
    } finally {
      this.connection = null
      receiver.disconnected()
      reports.disconnected()
      changed()
    }
  }
}

// refusals tells in the state what did not verify. The receiver calls it also for what could not be
// shown or stored, which is told otherwise.
export const refusals = receiver => (what, why) => {
  if (!what.includes('/')) return
  receiver().health.refused = limited(what.split('/').pop() + ': ' + why)
  receiver().changed()
}

// limited is the beginning of a text, as much as a state may hold of one.
export const limited = text => new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 120)).replace(/\ufffd+$/, '')

// engineOf is the browser with its version, and what it runs on, of what it calls itself.
export function engineOf (agent) {
  const browser = /\b(?:Edg|OPR|Firefox|HeadlessChrome|Chrome|Version)\/[\d.]+/.exec(agent)
  const on = /\(([^)]*)\)/.exec(agent)
  return limited((browser ? browser[0].replace('/', ' ').replace('Version', 'Safari') : agent) + (on ? ', ' + on[1] : ''))
}

// about is what a page can say of itself: the browser, what keeps its memory, how often it began anew.
export async function about (kept, id) {
  const said = { engine: engineOf(navigator.userAgent), store: kept.kind }
  try {
    const begun = Number(await kept.get('begun/' + id)) || 0
    await kept.set('begun/' + id, String(begun + 1))
    if (begun > 0) said.reloads = String(begun)
    if (navigator.storage && navigator.storage.persist) said.persisted = await soon(navigator.storage.persist()) ? 'yes' : 'no'
  } catch (error) { /* a page that cannot count shows alerts all the same */ }
  return said
}

const soon = promise => Promise.race([promise, new Promise(resolve => setTimeout(() => resolve(false), 1000))])

// watchMemory tells how much memory the page uses, in MB and coarse steps, where the browser says so.
export function watchMemory (receiver) {
  const look = () => {
    const used = window.performance.memory && String(Math.ceil(window.performance.memory.usedJSHeapSize / (1 << 24)) * 16)
    if (!used || receiver.health.memory === used) return
    receiver.health.memory = used
    receiver.changed()
  }
  look()
  setInterval(look, 300000)
}

// stayAwake keeps the screen on as long as the browser lets it. told(true or false) hears whether it
// does; never where the browser cannot say.
export function stayAwake (told) {
  if (!navigator.wakeLock) return
  let lock = null
  const ask = async () => {
    if (lock || document.visibilityState !== 'visible') return
    try {
      lock = await navigator.wakeLock.request('screen')
      lock.addEventListener('release', () => { lock = null; told(false) })
      told(true)
    } catch (error) {
      told(false) // refused, as at a low battery
    }
  }
  document.addEventListener('visibilitychange', ask)
  ask()
}

// testPage proves without a sound or a picture that anybody notices that an alert would be seen here,
// and heard where the sound is armed. It is what a command test of the contract is answered with.
let testing = false
export async function testPage (sound) {
  if (testing) return { result: 'busy', why: 'another test goes on' }
  testing = true
  const exercised = []
  try {
    await dim()
    exercised.push('display')
    if (await sound.tryOut()) exercised.push('sound')
    return { result: 'passed', exercised }
  } catch (error) {
    return { result: 'failed', exercised, why: limited(error.message) }
  } finally {
    testing = false
  }
}

// identify shows what this device is and where it hangs for ten seconds, while hides() does not say
// that something takes the whole page.
let note = null
export function identify (id, place, hides) {
  if (note) note.remove()
  note = null
  if (hides()) return
  const shown = note = make('p', 'note', id)
  shown.setAttribute('role', 'status')
  if (place) shown.append(make('span', '', place))
  document.body.append(shown)
  const look = setInterval(() => { if (hides()) end() }, 100)
  const timer = setTimeout(() => end(), 10000)
  const end = () => { clearInterval(look); clearTimeout(timer); shown.remove() }
}
