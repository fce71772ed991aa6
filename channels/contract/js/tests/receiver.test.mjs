import { test } from 'node:test'
import assert from 'node:assert/strict'
import { getPublicKey, sign } from '../noble/ed25519.js'
import { openReceiver } from '../receiver.js'

const noon = Date.UTC(2026, 6, 20, 12)
const url = bytes => Buffer.from(bytes).toString('base64url')
const [rootSecret, nodeSecret] = [1, 2].map(n => new Uint8Array(32).fill(n))

function signed (secret, kid, typ, payload) {
  const text = url(JSON.stringify({ alg: 'EdDSA', kid, typ })) + '.' + url(JSON.stringify(payload))
  return text + '.' + url(sign(Buffer.from(text), secret))
}

// Story is a receiver on a screen, with a clock, a store and a connection of the test's own.
class Story {
  constructor () {
    this.now = noon
    this.kept = null
    this.screen = new Map()
    this.published = []
    this.version = 0
    this.order = []
  }

  async start (options = {}) {
    this.receiver = await openReceiver(Object.assign({
      id: 'lift-1', rootKey: url(getPublicKey(rootSecret)), kind: 'screen', version: '1', clock: () => this.now, wall: () => this.now,
      store: { load: () => this.kept, save: async text => { this.kept = text; this.order.push('saved') } },
      present: async e => {
        this.order.push(e.action)
        if (e.action === 'stop') this.screen.delete(e.alert)
        else this.screen.set(e.alert, e.revision)
      },
      setTimeout: () => 0, clearTimeout () {}
    }, options))
    await this.connect()
  }

  async connect () {
    this.will = this.receiver.begin()
    this.receiver.connected(async (topic, text) => { this.published.push([topic, JSON.parse(text)]) })
    this.receiver.message('almenara/1/keys', signed(rootSecret, 'root', 'almenara-keys', {
      district: 'd', time: this.time(), keys: [{ kid: 'n', node: 'A', x: url(getPublicKey(nodeSecret)) }]
    }), true)
    await this.settle()
  }

  time (more = 0) { return new Date(this.now + more).toISOString() }

  async settle () { for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve)) }

  async manifest (inForce, ended = []) {
    const m = { time: this.time(), node: 'A', version: ++this.version, in_force: inForce, ended }
    this.receiver.message('almenara/1/now', Buffer.from(signed(nodeSecret, 'n', 'almenara-manifest', m)), false)
    await this.settle()
  }

  body (more = {}) {
    return Object.assign({
      alert: 'fire', revision: 7, digest: 'x', time: this.time(1), status: 'Actual', tier: 'emergency', sound: 'siren', confirm: 'person',
      sender: 's', sent: this.time(), expires: this.time(3600000), texts: []
    }, more)
  }

  async post (body, secret = nodeSecret) {
    this.receiver.message('almenara/1/device/lift-1/alert/fire', signed(secret, 'n', 'almenara-body', body), false)
    await this.settle()
  }

  rungs () { return this.published.filter(([topic]) => topic.endsWith('/receipt')).flatMap(([, list]) => list.map(r => r.rung)) }
}

test('shows, proves, and stores before it shows', async () => {
  const s = new Story()
  await s.start()
  await s.manifest([])
  s.order = []
  await s.post(s.body())
  assert.deepEqual([...s.screen], [['fire', 7]])
  assert.deepEqual(s.order.slice(0, 2), ['saved', 'start'])
  assert.deepEqual(s.rungs(), ['verified', 'presented'])
  s.receiver.acknowledge('fire', 7, 'safe')
  await s.settle()
  await s.manifest([], [{ id: 'fire', revision: 7, at: s.time(), why: 'cancelled' }])
  assert.equal(s.screen.size, 0)
  assert.deepEqual(s.rungs(), ['verified', 'presented', 'acknowledged', 'cancelled'])
  assert.deepEqual(s.published.filter(p => p[0].endsWith('/state')).map(p => p[1].state), ['ready', 'presenting', 'ready'])
  assert.deepEqual(s.published.filter(p => p[0].endsWith('/receipt')).flatMap(p => p[1].map(r => r.seq)), [1, 2, 3, 4])
  const health = s.published.filter(p => p[0].endsWith('/state')).map(p => p[1].health)
  assert.deepEqual(health.map(h => h.drawn), [undefined, undefined, 'fire/7'])
  assert.ok(health.slice(1).every(h => Date.parse(h.keys) > 0))
})

test('goes on after a power cut, and keeps receipts until a node has them', async () => {
  const s = new Story()
  await s.start()
  await s.manifest([])
  s.receiver.connected(() => Promise.reject(new Error('no PUBACK')))
  await s.settle()
  await s.post(s.body())
  assert.deepEqual(s.rungs(), [])
  s.receiver.stop()
  s.screen.clear()
  await s.start()
  assert.deepEqual([...s.screen], [], 'not before a manifest')
  assert.deepEqual(s.rungs(), ['verified', 'presented'])
  await s.manifest([])
  assert.deepEqual([...s.screen], [['fire', 7]])
  s.receiver.stop()
  s.screen.clear()
  s.now += 7200000
  await s.start()
  await s.manifest([])
  assert.deepEqual([...s.screen], [], 'it has expired meanwhile')
})

// After a power cut, and for five seconds before any node is reached.
async function cut (change = kept => kept, later = 1000, alone = 5000) {
  const s = new Story()
  await s.start()
  await s.manifest([])
  await s.post(s.body())
  s.receiver.stop()
  s.screen.clear()
  s.kept = JSON.stringify(change(JSON.parse(s.kept)))
  s.now += later
  s.connect = async () => {}
  s.refused = []
  await s.start({ refused: (what, why) => s.refused.push(why) })
  delete s.connect
  s.now += alone
  return s
}

test('what was shown before a power cut is known without a node, verified again, and presented by none', async () => {
  const s = await cut()
  assert.deepEqual(s.receiver.unconfirmed().map(e => [e.action, e.alert, e.revision, e.look.tier, e.look.sound, e.body.digest]), [['resume', 'fire', 7, 'emergency', 'none', 'x']])
  assert.deepEqual([...s.screen], [])
  assert.deepEqual(s.receiver.state(s.receiver.link || { queued: 0 }).presenting, [])
  s.receiver.acknowledge('fire', 7, 'safe')
  await s.connect()
  assert.equal(s.receiver.unconfirmed().length, 1, 'a connection says nothing yet')
  assert.ok(!s.rungs().includes('acknowledged'))
  await s.manifest([])
  assert.deepEqual(s.receiver.unconfirmed(), [])
  assert.deepEqual([...s.screen], [['fire', 7]], 'the rules take it up again')

  const over = await cut()
  await over.connect()
  await over.manifest([], [{ id: 'fire', revision: 7, at: over.time(), why: 'cancelled' }])
  assert.deepEqual([over.receiver.unconfirmed(), [...over.screen]], [[], []])
})

test('what was shown before a power cut is not known without a node where anything speaks against it', async () => {
  const none = async (what, change, later, why) => {
    const s = await cut(change, later)
    assert.deepEqual(s.receiver.unconfirmed(), [], what)
    if (why) assert.deepEqual(s.refused, [why], what)
    await s.connect()
  }
  assert.deepEqual((await cut(k => k, 1000, 4999)).receiver.unconfirmed(), [], 'nodes have five seconds')
  const forged = signed(rootSecret, 'n', 'almenara-body', new Story().body())
  const swap = (kept, more) => Object.assign(kept, more)
  await none('it has expired', k => k, 3600001)
  await none('the clock was set back', k => k, -60000)
  await none('it was never presented', k => { k.rules.alerts[0].told = k.rules.alerts[0].told.filter(t => t.rung !== 'presented'); return k })
  await none('it has run out before the clock was set back', k => { k.rules.alerts[0].ranOut = true; return k })
  await none('a node has refused the device', k => swap(k, { refused: true }))
  await none('the time is not known', k => swap(k, { time: null }))
  await none('the memory of an older version', k => swap(k, { bodies: undefined }))
  await none('it does not verify', k => swap(k, { bodies: [forged] }), 1000, 'signature does not verify')
  await none('it is another body', k => swap(k, { bodies: [signed(nodeSecret, 'n', 'almenara-body', new Story().body({ digest: 'y' }))] }))
  await none('it has ended', k => { k.rules.alerts[0].ended = 7; return k })
  await none('a higher revision was listed', k => { k.rules.alerts[0].highest = 8; return k })
})

test('what is shown without a node is what was signed, not what lies beside it', async () => {
  const s = await cut(k => { Object.assign(k.rules.alerts[0].shown, { sender: 'somebody else', status: 'Exercise' }); return k })
  assert.deepEqual(s.receiver.unconfirmed().map(e => [e.body.sender, e.look.tier]), [['s', 'emergency']])
  const late = await cut(k => { k.rules.alerts[0].shown.expires = '2030-01-01T00:00:00Z'; return k }, 3600001)
  assert.deepEqual(late.receiver.unconfirmed(), [])
})

test('what no node has confirmed is told as gone only once it is', async () => {
  const s = await cut()
  let gone
  s.receiver.options.present = e => e.action === 'stop' ? new Promise(resolve => { gone = resolve }) : Promise.resolve()
  assert.equal(s.receiver.unconfirmed().length, 1)
  await s.connect()
  await s.manifest([], [{ id: 'fire', revision: 7, at: s.time(), why: 'cancelled' }])
  assert.deepEqual(s.receiver.unconfirmed(), [])
  assert.ok(!s.rungs().includes('cancelled'), 'it is still drawn')
  gone()
  await s.settle()
  assert.ok(s.rungs().includes('cancelled'))
})

test('a device that a node does not let in shows nothing without one, until one lets it in', async () => {
  const s = await cut()
  assert.equal(s.receiver.unconfirmed().length, 1)
  s.receiver.begin()
  s.receiver.turnedAway()
  assert.deepEqual(s.receiver.unconfirmed(), [])
  await s.settle()
  assert.equal(JSON.parse(s.kept).refused, true, 'over the next power cut as well')
  await s.connect()
  assert.equal(s.receiver.unconfirmed().length, 1)
  assert.equal(JSON.parse(s.kept).refused, false)
})

test('without a node the time is the one of the machine, as it was corrected last', async () => {
  const slow = await cut(k => Object.assign(k, { time: Object.assign(k.time, { ahead: 60000, at: k.time.at + 60000 }) }))
  assert.equal(slow.receiver.now(), slow.now + 60000)
  const fast = await cut(k => Object.assign(k, { time: Object.assign(k.time, { ahead: -60000, at: k.time.at - 60000 }) }))
  assert.equal(fast.receiver.now(), fast.now, 'it may have been set right meanwhile')
})

test('refuses what is forged, and waits for a key that it does not know yet', async () => {
  const s = new Story()
  const refused = []
  await s.start({ refused: (what, why) => refused.push(why) })
  await s.manifest([])
  await s.post(s.body(), rootSecret)
  assert.equal(s.screen.size, 0)
  assert.deepEqual(s.rungs(), ['refused'])
  assert.deepEqual(refused, ['signature does not verify'])
  s.receiver.message('almenara/1/device/lift-1/alert/other', signed(nodeSecret, 'n', 'almenara-body', s.body()), false)
  s.receiver.message('almenara/1/device/lift-1/alert/fire', signed(nodeSecret, 'n', 'almenara-body', s.body()), true)
  await s.settle()
  assert.equal(s.screen.size, 0, 'signed for another alert, and retained')

  s.receiver.ring.keys.delete('n')
  await s.post(s.body())
  assert.equal(s.screen.size, 0)
  await s.connect()
  await s.manifest([])
  await s.post(s.body())
  assert.equal(s.screen.size, 1)
})

test('tells that it could not show, and shows although nothing can be stored', async () => {
  const s = new Story()
  await s.start({
    store: { load: () => null, save: () => Promise.reject(new Error('full')) },
    present: () => Promise.reject(new Error('no light'))
  })
  await s.manifest([])
  await s.post(s.body())
  assert.deepEqual(s.rungs(), ['verified', 'failed'])
})

test('the will names the session, which grows', async () => {
  const s = new Story()
  await s.start()
  const first = JSON.parse(s.will.payload)
  await s.connect()
  assert.equal(first.state, 'lost')
  assert.equal(JSON.parse(s.will.payload).session, first.session + 1)
})

test('a damaged memory is refused', async () => {
  const s = new Story()
  s.kept = '{"rules":{"alerts":[{"id":"#"}],"commands":[],"versions":[]}}'
  await assert.rejects(s.start())
})

test('a test tells what was proven, and leaves an alert alone', async () => {
  const s = new Story()
  const asked = []
  let result = { result: 'passed', exercised: ['display'] }
  await s.start({ command: async c => { asked.push(c.do); if (result instanceof Error) throw result; return result } })
  const send = async (id, what = 'test') => {
    s.receiver.message('almenara/1/device/lift-1/command', signed(nodeSecret, 'n', 'almenara-command', { id, do: what, time: s.time(), expires: s.time(60000) }), false)
    await s.settle()
    return s.published.filter(p => p[0].endsWith('/state')).pop()[1].tested
  }
  assert.equal(await send('t0'), undefined, 'not before the time is known')
  await s.manifest([])
  assert.deepEqual(await send('t1'), { id: 't1', result: 'passed', exercised: ['display'] })
  assert.deepEqual(await send('i1', 'identify'), { id: 't1', result: 'passed', exercised: ['display'] }, 'of identify nothing is told')
  result = new Error('the page is hidden')
  assert.deepEqual(await send('t2'), { id: 't2', result: 'failed', why: 'the page is hidden' })
  result = new Error('長'.repeat(100))
  assert.ok(Buffer.from((await send('t3')).why).length <= 128)
  await s.post(s.body())
  assert.equal((await send('t4')).result, 'busy')
  assert.deepEqual(asked, ['test', 'identify', 'test', 'test'], 'the page is not asked while it shows an alert')
})

test('more than it keeps until a newer ring comes ends the connection', async () => {
  const s = new Story()
  await s.start()
  const unknown = n => s.receiver.message('almenara/1/device/lift-1/alert/a' + n, Buffer.from(signed(nodeSecret, 'later', 'almenara-body', s.body({ alert: 'a' + n }))), false)
  for (let n = 0; n < 16; n++) assert.notEqual(unknown(n), false)
  assert.equal(unknown(16), false, 'what is dropped is acknowledged, and comes again on the next connection alone')
})
