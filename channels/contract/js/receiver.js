// Receiver is a device of the contract without its screen and without an MQTT library: it is given
// what comes on the connection, verifies it, lets Rules decide, stores what must survive a power
// cut before anything is shown, and publishes receipts and state. See README.md.
import { open, openKeys, noRing, claimedRevision, publicKey, Refused } from './signature.js'
import { Rules, imported, staleness } from './rules.js'
import { validId } from './payload.js'
import { monotonic, written } from './time.js'

const prefix = 'almenara/1'
const maxWaiting = 16 // messages that wait for a newer key ring
const maxRefused = 64 // refusals that are told on one connection
const maxOutbox = 512 // receipts that wait for a node; over it the oldest go
const maxBatch = 64 // receipts in one packet
const maxPresenting = 64 // alerts in a state
const unasked = { keys: undefined, drawn: undefined, 'drawn-at': undefined } // goes with the next state, and is no reason for one
const maxHealth = 32 // entries of its health
const testPatience = 20000 // ms that a test may take
const unconfirmedAfter = 5000 // ms that nodes are given to say what stands, before what was presented earlier is shown without one

// openReceiver makes a receiver from its options and from what it stored before the power cut. It
// rejects where that cannot be read: to go on without it could start an alert twice, which is for
// the caller to decide.
//
//   id, rootKey        from enrolment; rootKey is base64url or 32 bytes
//   kind, version      of the device, told in its state
//   store              {load() → text or null, save(text)}; each may return a promise
//   present(effect)    carries out start, replace, resume and stop (see rules.js). The promise that
//                      it returns resolves once that is so: really painted, really gone. A
//                      rejection is told as failed; of a stop nothing is told then
//   command(command)   carries out test, identify, reload and silence; may be left out. Of a test it
//                      returns a promise of {result, exercised, why} (CONTRACT.md §4.8); while an alert
//                      is presented it is not asked, and the test is told as busy
//   refused(what, why) hears what did not verify; may be left out
//   clock              milliseconds since 1970, which nobody may set; left out: monotonic()
//   wall               the same as the machine has it, also after a restart; left out: Date.now
//   setTimeout, clearTimeout: left out: the page's
export async function openReceiver (options) {
  const receiver = new Receiver(options)
  const text = await options.store.load()
  if (text) receiver.restore(JSON.parse(text))
  return receiver
}

class Receiver {
  constructor (options) {
    if (!validId(options.id)) throw new Error('not a device id: ' + options.id)
    publicKey(options.rootKey)
    this.options = Object.assign({
      kind: '', version: '', command () {}, refused () {}, clock: monotonic(), wall: () => Date.now(),
      setTimeout: (f, ms) => setTimeout(f, ms), clearTimeout: t => clearTimeout(t)
    }, options)
    this.own = prefix + '/device/' + options.id + '/'
    this.filters = [prefix + '/keys', prefix + '/now', this.own + 'alert/+', this.own + 'command']
    this.health = {} // told in the state: names and texts of at most 128 bytes, 32 at most
    this.tested = undefined // what the last test came to, told in the state
    this.rules = new Rules()
    this.ring = noRing
    this.keys = '' // the ring as it came
    this.session = 0
    this.drawn = null // {alert, revision, at} that was presented last, since the page began
    this.outbox = { seq: 0, waiting: [] }
    this.begun = this.options.clock()
    this.refusedByNode = false // the last node that answered does not let this device in
    this.bodies = new Map() // alert, revision and digest to {of, b, signed}: what the rules have of a body as it came; b is null where it does not verify by the present ring
    this.time = null // {at, ahead}: the corrected time when the memory was stored last, and how far it was ahead of the machine's
    this.link = null // of this connection
    this.effects = []
    this.unsaved = false
    this.draining = false
    this.timer = null
    this.stopped = false
  }

  restore (kept) {
    this.rules = imported(kept.rules)
    if (kept.keys) this.ring = openKeys(this.options.rootKey, this.keys = kept.keys)
    this.session = kept.session
    this.outbox = kept.outbox
    this.time = kept.time || null
    this.refusedByNode = kept.refused === true
    for (const signed of kept.bodies || []) {
      try {
        this.keepBody(open(this.ring, signed, 'almenara-body'), signed)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        this.options.refused('memory', error.message)
      }
    }
  }

  // keepBody keeps a verified body as it came, so that it can be verified again after a power cut.
  keepBody (b, signed) { this.bodies.set(nameOf(b), { of: b, b, signed: typeof signed === 'string' ? signed : new TextDecoder().decode(signed) }) }

  // verifyAgain holds what is kept against a ring that has come: a key that was taken out of it counts for nothing.
  verifyAgain () {
    for (const [name, kept] of this.bodies) {
      try {
        kept.b = open(this.ring, kept.signed, 'almenara-body')
      } catch (error) {
        kept.b = null
      }
      if (kept.b && nameOf(kept.b) !== name) kept.b = null
    }
  }

  // begin gives the will of the next connection: {topic, payload, qos, retain}. It is to be called
  // before CONNECT; from then on messages of earlier connections are not taken.
  begin () {
    this.session = Math.max(this.session + 1, Math.floor(this.options.clock()))
    this.link = { session: this.session, queued: this.outbox.waiting.length, publish: null, waiting: [], refused: new Set(), state: '', sending: false }
    this.rules.connected()
    this.unsaved = true
    this.drain()
    return { topic: this.own + 'state', payload: JSON.stringify({ state: 'lost', session: this.session }), qos: 1, retain: true }
  }

  // connected says that the connection is up and this.filters are subscribed. publish(topic, text,
  // {qos, retain}) resolves at the PUBACK and rejects when there will be none.
  connected (publish) {
    this.letIn(true)
    this.link.publish = publish
    this.send()
  }

  // disconnected says that the connection is lost.
  disconnected () { this.link = null }

  // turnedAway says that a node has answered that it does not let this device in (CONNACK 0x85, 0x86, 0x87): it is not
  // enrolled, or was revoked.
  turnedAway () { this.letIn(false) }

  letIn (yes) {
    if (this.refusedByNode === !yes) return
    this.refusedByNode = !yes
    this.unsaved = true
    this.drain()
  }

  // message takes what came on a topic: bytes or text, and whether it is marked as retained. It gives false where
  // more wait for a newer key ring than it keeps: close the connection, for the next one brings all of them again.
  message (topic, payload, retained) {
    const link = this.link
    if (!link) return
    try {
      this.take(topic, payload, retained)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (error.reason === 'unknown-key') {
        if (link.waiting.length >= maxWaiting) return false
        link.waiting.push([topic, payload, retained])
        return
      }
      this.options.refused(topic, error.message)
      if (topic.startsWith(this.own + 'alert/')) this.tellRefused(link, topic, payload)
    }
  }

  take (topic, payload, retained) {
    const bodies = this.own + 'alert/'
    if (topic === prefix + '/keys') {
      this.takeKeys(payload)
    } else if (topic === prefix + '/now') {
      const m = open(this.ring, payload, 'almenara-manifest')
      this.input((r, now) => r.manifest(m, now))
    } else if (retained) {
      // Retained bodies and commands are never trusted: no node retains them.
    } else if (topic.startsWith(bodies) && validId(topic.slice(bodies.length))) {
      const b = open(this.ring, payload, 'almenara-body')
      if (b.alert !== topic.slice(bodies.length)) throw new Refused('signature', 'signed, but for another alert')
      this.keepBody(b, payload)
      this.input((r, now) => r.body(b, now))
    } else if (topic === this.own + 'command') {
      const c = open(this.ring, payload, 'almenara-command')
      this.input((r, now) => r.command(c, now))
    }
  }

  // takeKeys takes the district's key ring, never one older than it has: that would bring back
  // keys that were taken out.
  takeKeys (payload) {
    const ring = openKeys(this.options.rootKey, payload)
    if (ring.time < this.ring.time) return
    this.ring = ring
    this.keys = typeof payload === 'string' ? payload : new TextDecoder().decode(payload)
    this.verifyAgain()
    this.unsaved = true
    const waiting = this.link.waiting
    this.link.waiting = []
    for (const message of waiting) this.message(...message)
    this.drain()
  }

  // tellRefused tells the node, once per connection, which body does not verify.
  tellRefused (link, topic, payload) {
    const alert = topic.slice(topic.lastIndexOf('/') + 1)
    const revision = claimedRevision(payload)
    const key = alert + ' ' + revision
    if (!revision || !validId(alert) || link.refused.has(key) || link.refused.size >= maxRefused) return
    link.refused.add(key)
    this.queue({ alert, revision, rung: 'refused', at: written(this.now()) })
    this.drain()
  }

  // acknowledge is a person's confirmation of what is shown, with an answer of at most 64 bytes.
  acknowledge (alert, revision, answer) { this.input((r, now) => r.acknowledge(alert, revision, answer || '', now)) }

  // answered is what a person answered to this revision, before a reload as well; '' where nobody did.
  answered (alert, revision) { return this.rules.answered(alert, revision) }

  // proven says whether this revision was told as presented, before a reload as well.
  proven (alert, revision) { return this.rules.proven(alert, revision) }

  // now is the time, corrected by the node's: for 'valid until' and the like. Before the first manifest it is the machine's.
  now () { return this.rules.skewKnown ? this.rules.corrected(this.options.clock()) : this.past() || this.options.clock() }

  // silence is for how many milliseconds no manifest came; null before the first.
  silence () { return this.rules.lastWord ? this.options.clock() - this.rules.lastWord : null }

  // past is the time that holds for what was presented before the page was loaded again: the later one of what the
  // machine's clock says, and what it said when it was corrected last. 0 where it is behind what it was: nobody knows then
  // what has run out.
  past () {
    if (!this.time || this.options.wall() + this.time.ahead < this.time.at - staleness) return 0
    return this.options.wall() + Math.max(this.time.ahead, 0)
  }

  // unconfirmed are effects as of present, of what was presented before the page was loaded again (CONTRACT.md §7.5): none
  // in the first five seconds, and none once a whole manifest has come. Whoever shows one says so all the time; none is
  // presented, and none can be answered. Each has verified again, by the key ring and the pinned root key. What was given
  // here and is not taken up at the manifest is a stop to present.
  unconfirmed () {
    const at = this.past()
    if (this.stopped || this.refusedByNode || !at || this.options.clock() - this.begun < unconfirmedAfter) return []
    const effects = this.rules.unconfirmed(at, b => (this.bodies.get(nameOf(b)) || { b: null }).b)
    if (this.rules.dirty) this.drain() // what has run out stays so
    return effects
  }

  // changed says that health has changed.
  changed () { this.send() }

  // stop ends the timer. The receiver takes nothing any more.
  stop () {
    this.link = null
    this.stopped = true
    this.options.clearTimeout(this.timer)
  }

  // input gives something to the rules. Receipts go to the outbox at once, so that they are in
  // what is stored before anything is carried out.
  input (give) {
    if (this.stopped) return
    for (const e of give(this.rules, this.options.clock())) {
      if (e.action === 'tell') this.queue(e.receipt)
      else this.effects.push(e)
    }
    this.drain()
  }

  // queue numbers a receipt. Sequence numbers are never given again.
  queue (receipt) {
    this.outbox.seq++
    if (this.outbox.waiting.length >= maxOutbox) this.outbox.waiting.shift()
    this.outbox.waiting.push(Object.assign({}, receipt, { seq: this.outbox.seq }))
    this.unsaved = true
  }

  // drain stores what has changed, carries out what is waiting, in order, and publishes.
  async drain () {
    if (this.draining) return
    this.draining = true
    while (!this.stopped && (this.save() || this.effects.length > 0)) {
      if (this.unsaved) {
        this.unsaved = false
        try {
          await this.soon(this.options.store.save(this.memory()))
        } catch (error) {
          this.options.refused('memory', 'not stored: ' + error)
        }
      } else {
        this.carryOut(this.effects.shift())
      }
    }
    this.draining = false
    this.setTimer()
    this.send()
  }

  save () {
    this.unsaved = this.rules.changed() || this.unsaved
    return this.unsaved
  }

  memory () {
    const rules = this.rules.export()
    for (const [name, { of }] of this.bodies) if (!this.rules.has(of)) this.bodies.delete(name)
    const bodies = rules.alerts.filter(a => a.shown && this.bodies.has(nameOf(a.shown))).map(a => this.bodies.get(nameOf(a.shown)).signed)
    if (this.rules.skewKnown) this.time = { at: Math.floor(this.now()), ahead: Math.floor(this.now() - this.options.wall()) }
    return JSON.stringify({ rules, keys: this.keys, session: this.session, outbox: this.outbox, bodies, time: this.time, refused: this.refusedByNode })
  }

  // soon is the promise, or a rejection when it takes longer than two seconds, or most: a store that
  // does not answer must not keep an alert from being shown.
  soon (promise, most = 2000) {
    let timer
    const late = new Promise((resolve, reject) => { timer = this.options.setTimeout(() => reject(new Error('no answer in ' + most / 1000 + ' s')), most) })
    return Promise.race([promise, late]).finally(() => this.options.clearTimeout(timer))
  }

  carryOut (e) {
    if (e.action === 'do') {
      if (e.command.do === 'test') this.test(e.command)
      else this.options.command(e.command)
      return
    }
    const stops = e.action === 'stop'
    const shown = new Promise(resolve => resolve(this.options.present(e)))
    shown.then(
      () => stops ? this.input((r, now) => r.stopped(e.alert, e.revision, now)) : this.presented(e.alert, e.revision),
      error => {
        this.options.refused(e.alert, e.action + ' not carried out: ' + error)
        if (!stops) this.input((r, now) => r.failed(e.alert, e.revision, now))
      }
    )
  }

  // presented says that a revision is really shown or was really heard, also one that had failed at first.
  presented (alert, revision) {
    this.drawn = { alert, revision, at: this.now() }
    this.input((r, now) => r.presented(alert, revision, now))
  }

  // test has the page prove silently that it works, and tells what came of it.
  async test (command) {
    let result = { result: 'busy', why: 'an alert is presented' }
    if (!this.rules.presenting().length) {
      try {
        result = await this.soon(Promise.resolve(this.options.command(command)), testPatience) || { result: 'unproven', why: 'this page has no test' }
      } catch (error) {
        result = { result: 'failed', why: short(error) }
      }
    }
    this.tested = Object.assign({ id: command.id }, result)
    this.send()
  }

  setTimer () {
    this.options.clearTimeout(this.timer)
    const next = this.rules.next()
    if (next === null || this.stopped) return
    const wait = Math.min(Math.max(next - this.options.clock(), 0), 3600 * 1000) // a longer timer would overflow
    this.timer = this.options.setTimeout(() => this.input((r, now) => r.tick(now)), Math.ceil(wait))
  }

  // send publishes what waits: receipts first, then the state if it has changed.
  async send () {
    const link = this.link
    if (!link || !link.publish || link.sending) return
    link.sending = true
    try {
      while (this.link === link && await this.sendOne(link));
    } catch (error) { /* the connection ends; the next one sends it again */ }
    link.sending = false
  }

  async sendOne (link) {
    const batch = this.outbox.waiting.slice(0, maxBatch)
    if (batch.length > 0) {
      await link.publish(this.own + 'receipt', JSON.stringify(batch), { qos: 1, retain: false })
      const last = batch[batch.length - 1].seq
      this.outbox.waiting = this.outbox.waiting.filter(r => r.seq > last)
      this.unsaved = true
      this.drain()
      return true
    }
    const state = this.state(link)
    const said = JSON.stringify(Object.assign({}, state, { health: Object.assign({}, state.health, unasked) }))
    if (said === link.state) return false
    await link.publish(this.own + 'state', JSON.stringify(state), { qos: 1, retain: true })
    link.state = said
    return true
  }

  state (link) {
    const presenting = this.rules.presenting().slice(0, maxPresenting)
    return {
      state: presenting.length ? 'presenting' : 'ready', session: link.session, kind: this.options.kind, version: this.options.version,
      clock_skew_seconds: Math.round(this.rules.skew / 1000), presenting, health: this.known(link), tested: this.tested
    }
  }

  // known is health, with what the receiver itself knows as far as there is room.
  known (link) {
    const own = {}
    if (this.ring.time > 0) own.keys = written(this.ring.time)
    if (link.queued > 0) own.queued = String(link.queued)
    if (this.drawn) Object.assign(own, { drawn: this.drawn.alert + '/' + this.drawn.revision, 'drawn-at': written(this.drawn.at) })
    const health = Object.assign(own, this.health)
    return Object.keys(health).length > maxHealth ? this.health : health
  }

  // goodbye publishes that the device is switched off, so that the node need not wait for the will.
  goodbye () {
    const link = this.link
    if (!link || !link.publish) return Promise.resolve()
    const state = Object.assign(this.state(link), { state: 'disconnected' })
    return link.publish(this.own + 'state', JSON.stringify(state), { qos: 1, retain: true })
  }
}

// nameOf tells bodies apart: two halves of a district may have given one revision two contents.
function nameOf (b) { return b.alert + ' ' + b.revision + ' ' + b.digest }

// short is the sentence of an error, as much as a state may hold of one.
function short (error) {
  const text = String(error && error.message ? error.message : error)
  return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 120)).replace(/\ufffd+$/, '')
}
