// A screen, written from channels/contract/CONTRACT.md with the package mqtt of npm. It shows on
// standard output. ENROLMENT names the file of `almenara device enrol --json`, STATE a folder that
// survives a power cut, NODE_FOLDER where npm installed mqtt. BROKEN makes it wrong, for tests.
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync, writeFileSync, renameSync, openSync, fsyncSync, closeSync } from 'node:fs'
import { createRequire } from 'node:module'

const mqtt = createRequire((process.env.NODE_FOLDER || process.cwd()) + '/')('mqtt')
const [me] = JSON.parse(readFileSync(process.env.ENROLMENT))
const [own, file, broken] = [`almenara/1/device/${me.id}/`, `${process.env.STATE}/memory.json`, process.env.BROKEN || '']
const memory = { alerts: {}, ring: null, outbox: [], seq: 0, session: 0, versions: {}, commands: {} }
try { Object.assign(memory, JSON.parse(readFileSync(broken === 'forgets' ? '' : file))) } catch { /* a new device */ }

let skew = null // §5
let listing = null // {time, entries}: the newest whole manifest of this connection
let client
let sending = false
let pages = {}
let tested // what the last test came to, §4.8
let unknown = [] // messages by keys that are not in the ring yet
const refused = new Set() // told on this connection
const waiting = new Map() // digest to body
const screen = new Map() // alert to {body, until}
const started = Date.now() - performance.now()
const clock = () => started + performance.now()
const now = () => clock() + (broken === 'ownclock' ? 0 : skew || 0)
const of = id => memory.alerts[id] ||= { listed: 0, done: 0, ended: 0, forget: 0, told: [] }
for (const a of Object.values(memory.alerts)) a.resume = a.body || null

function save () { // before anything is carried out, §7.5
  for (const [id, a] of Object.entries(memory.alerts)) if (skew !== null && a.forget < now() && !screen.has(id)) delete memory.alerts[id]
  writeFileSync(file + '.new', JSON.stringify(memory, (k, v) => k === 'resume' ? undefined : v))
  const f = openSync(file + '.new')
  fsyncSync(f)
  closeSync(f)
  renameSync(file + '.new', file)
}

// §6
const part = text => { if (!/^[\w-]*$/.test(text)) throw new Error('not base64url'); return Buffer.from(text, 'base64url') }
const smallOrder = ['00'.repeat(32), '01' + '00'.repeat(31), 'ec' + 'ff'.repeat(30) + '7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05']
function good (x, text, signature) {
  const key = Buffer.from(part(x))
  const y = Buffer.from(key)
  y[31] &= 0x7f
  const large = y[31] === 0x7f && y[0] >= 0xed && y.subarray(1, 31).every(b => b === 255)
  if (key.length !== 32 || large || smallOrder.includes(y.toString('hex'))) return false
  return verify(null, Buffer.from(text), createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }), signature)
}
function opened (jws, typ, keyOf) {
  const parts = jws.toString().split('.')
  if (jws.length > 65536 || parts.length !== 3) throw new Error('not a JWS')
  const header = JSON.parse(part(parts[0]))
  if (broken === 'algnone' && header.alg === 'none') return JSON.parse(part(parts[1]))
  if (header.alg !== 'EdDSA' || 'crit' in header) throw new Error('header')
  const key = keyOf(header.kid)
  if (!key) throw Object.assign(new Error('unknown key'), { unknown: true })
  if (header.typ !== typ && broken !== 'typ') throw new Error('typ')
  const valid = good(key.x, parts[0] + '.' + parts[1], part(parts[2]))
  if (!valid && broken !== 'signature') throw new Error('signature')
  const payload = JSON.parse(part(parts[1]))
  const at = Date.parse(payload.time)
  if (!(at > 0) || key.not_before && at < time(key.not_before) || key.not_after && time(key.not_after) && at >= time(key.not_after)) throw new Error('time of key')
  return payload
}
const time = text => text && !text.startsWith('0001-') ? Date.parse(text) : 0
const byNode = kid => memory.ring && memory.ring.keys.find(k => k.kid === kid)

// §8
function tell (alert, revision, rung) {
  const a = of(alert)
  if (revision > (a.told[0]?.revision || 0)) a.told = []
  if (a.told.some(r => r.revision === revision && r.rung === rung)) return
  const receipt = { alert, revision, rung, at: new Date(now()).toISOString() }
  if (!a.told[0] || revision === a.told[0].revision) a.told.push(receipt)
  post(receipt)
}
function post (receipt) {
  memory.outbox.push({ ...receipt, seq: ++memory.seq })
  memory.outbox.splice(0, memory.outbox.length - 512)
}
async function send () { // one payload at a time; it stays until its PUBACK
  if (sending || !client?.connected) return
  sending = true
  const link = client
  try {
    for (let last = ''; link === client;) {
      const batch = memory.outbox.slice(0, 64)
      if (batch.length) {
        await link.publishAsync(own + 'receipt', JSON.stringify(batch), { qos: 1 })
        memory.outbox = memory.outbox.filter(r => r.seq > batch.at(-1).seq)
        save()
        continue
      }
      const presenting = [...screen.keys()]
      const health = Object.fromEntries([...screen.values()].slice(0, 32).map(({ body }) => ['look-' + body.alert, look(body).join(' ')]))
      const state = JSON.stringify({ state: presenting.length ? 'presenting' : 'ready', session: memory.session, kind: 'screen', version: '1', presenting: presenting.slice(0, 64), health, tested })
      if (state === last) break
      await link.publishAsync(own + 'state', last = state, { qos: 1, retain: true })
    }
  } catch { /* the next connection sends it */ }
  sending = false
}

function look (b) { // §7.4
  if (broken === 'drill') return [b.tier, b.sound]
  if (b.status === 'Exercise') return ['drill', b.sound === 'none' ? 'none' : 'drill']
  const tier = b.tier === 'emergency' ? 'emergency' : 'advisory'
  return [tier, b.sound === 'none' || b.sound === 'siren' && tier === 'emergency' ? b.sound : 'chime']
}

// settle brings everything to where it must be now: §7.
function settle () {
  const effects = []
  const expired = b => skew !== null && now() >= Date.parse(b.expires) && broken !== 'expired'
  for (const [id, a] of Object.entries(memory.alerts)) {
    if (a.resume && (listing || broken === 'unproven')) {
      const b = a.resume
      a.resume = null
      if (b.revision <= a.ended || expired(b) || b.revision < a.listed) { a.body = null; effects.push(['gone', b]) } else effects.push(['show', b])
    }
  }
  for (const [key, b] of waiting) {
    const a = of(b.alert)
    const rung = b.revision <= a.ended ? 'cancelled' : expired(b) ? 'expired' : b.revision < a.listed || b.revision <= a.done ? 'lower' : ''
    const entry = listing?.entries.find(e => e.id === b.alert && e.revision === b.revision)
    const listed = entry && (entry.digest === b.digest || broken === 'digest') || broken === 'backlog'
    if (rung) {
      waiting.delete(key)
      a.done = Math.max(a.done, b.revision)
      if (rung !== 'lower') tell(b.alert, b.revision, rung)
    } else if (broken === 'backlog' || listing && (listed || Date.parse(b.time) > listing.time)) {
      waiting.delete(key)
      const before = a.body
      Object.assign(a, { done: b.revision, listed: Math.max(a.listed, b.revision), body: b.status === 'Test' ? null : b })
      if (before) effects.push(['gone', before])
      if (b.status !== 'Test') effects.push(['show', b])
    }
  }
  for (const [id, shown] of screen) {
    const [a, b] = [of(id), shown.body]
    if (b.revision < a.listed && !shown.until) shown.until = clock() + 5000
    const over = b.revision <= a.ended && broken !== 'ended' || expired(b) || shown.until && clock() >= shown.until
    if (over && a.body === b) { a.body = null; effects.push(['gone', b]) }
  }
  save()
  for (const [what, b] of effects) {
    if (what === 'show') {
      screen.set(b.alert, { body: b, until: 0 })
      console.log('SHOW', look(b).join('/'), ...b.texts.map(t => `[${t.language}] ${t.headline || t.event} (${t.from || b.sender})`))
      tell(b.alert, b.revision, 'presented')
    } else {
      if (screen.get(b.alert)?.body.revision === b.revision) { screen.delete(b.alert); console.log('GONE', b.alert) }
      tell(b.alert, b.revision, 'cancelled')
    }
  }
  save()
  send()
}
setInterval(settle, 250)

function takeManifest (m) { // §4.3, §5
  if (!(m.version > 0) || !m.node || (m.pages || m.page) && !(m.pages >= 2 && m.page >= 1 && m.page <= m.pages)) throw new Error('manifest')
  const at = Date.parse(m.time)
  const last = memory.versions[m.node] || 0
  for (const e of m.in_force || []) {
    const a = of(e.id)
    a.listed = Math.max(a.listed, e.revision)
    a.forget = Math.max(a.forget, Date.parse(e.expires) + 864e5)
  }
  for (const e of m.ended || []) {
    const a = of(e.id)
    a.ended = Math.max(a.ended, ['cancelled', 'superseded'].includes(e.why) || !e.revision ? Number.MAX_SAFE_INTEGER : e.revision)
    a.forget = Math.max(a.forget, (time(e.expires) || Date.parse(e.at) + 31 * 864e5) + 864e5)
  }
  if (m.version > last || skew === null) {
    const next = at - clock()
    if (skew === null || next > skew || skew - next > 15000) skew = next
  } else if (broken !== 'replay' && (m.version !== last || now() - at > 15000)) return
  const got = pages[m.node]?.version === m.version ? pages[m.node] : { version: m.version, page: {} }
  got.page[m.page || 1] = m.in_force || []
  pages[m.node] = got
  if (Object.keys(got.page).length < (m.pages || 1) && broken !== 'pages') return
  memory.versions[m.node] = m.version
  listing = { time: at, entries: Object.values(got.page).flat() }
}

function takeBody (b, alert) {
  if (b.alert !== alert || !(b.revision > 0) || !(Date.parse(b.expires) > 0)) throw new Error('body')
  const a = of(alert)
  a.forget = Math.max(a.forget, Date.parse(b.expires) + 864e5)
  if (broken !== 'twice' && b.revision <= a.done) {
    if (a.told[0]?.revision === b.revision) a.told.forEach(post)
    return
  }
  if (broken === 'twice') { a.done = 0; a.told = a.told.filter(r => r.rung !== 'presented') }
  if (!['Actual', 'Exercise', 'Test'].includes(b.status)) {
    a.done = b.revision
    return tell(alert, b.revision, 'refused')
  }
  tell(alert, b.revision, 'verified')
  waiting.set(alert + b.revision + b.digest, b)
}

function takeCommand (c) { // §4.5
  for (const [id, expires] of Object.entries(memory.commands)) if (Date.parse(expires) <= now()) delete memory.commands[id]
  if (!c.id || skew === null || now() >= Date.parse(c.expires) || memory.commands[c.id]) return
  memory.commands[c.id] = c.expires
  save()
  // Standard output is no glass: nobody can tell from here whether it is seen.
  if (c.do === 'test') tested = screen.size ? { id: c.id, result: 'busy' } : { id: c.id, result: 'unproven', why: 'nobody can tell whether standard output is seen' }
  if (c.do === 'identify' && ![...screen.values()].some(({ body }) => look(body)[0] === 'emergency')) console.log('HERE', me.id, c.place || '')
  send()
}

function take (topic, payload, retain) {
  try {
    if (topic === 'almenara/1/keys') {
      const ring = opened(payload, 'almenara-keys', () => ({ x: me.root_key }))
      if (new Set(ring.keys.map(k => k.kid)).size !== ring.keys.length) throw new Error('ring')
      if (memory.ring && Date.parse(ring.time) < Date.parse(memory.ring.time) && broken !== 'oldring') return
      memory.ring = ring
      for (const m of unknown.splice(0)) take(...m)
    } else if (topic === 'almenara/1/now') takeManifest(opened(payload, 'almenara-manifest', byNode))
    else if (retain && broken !== 'retained') return
    else if (topic === own + 'command') takeCommand(opened(payload, 'almenara-command', byNode))
    else if (topic.startsWith(own + 'alert/')) takeBody(opened(payload, 'almenara-body', byNode), topic.slice(own.length + 6))
  } catch (error) {
    if (error.unknown) return void unknown.splice(0, Math.max(0, unknown.push([topic, payload, retain]) - 16))
    const alert = topic.slice(own.length + 6)
    let revision = 0
    try { revision = JSON.parse(part(payload.toString().split('.')[1])).revision } catch { /* it claims none */ }
    if (!topic.startsWith(own + 'alert/') || !(revision > 0) || refused.size >= 64 || refused.has(alert + revision)) return
    refused.add(alert + revision)
    post({ alert, revision, rung: 'refused', at: new Date(now()).toISOString() })
  }
}

// §2.4: one node after the other, for ever.
for (let turn = 0, pause = 250; ; turn++) {
  memory.session = Math.max(memory.session + 1, Date.now())
  save()
  listing = null
  pages = {}
  refused.clear()
  const link = client = mqtt.connect(me.servers[turn % me.servers.length].replace('ssl:', 'mqtts:'), {
    clientId: me.id, username: me.id, password: me.secret, clean: true, keepalive: 30, reconnectPeriod: 0, connectTimeout: 5000, resubscribe: false, ca: me.ca || undefined,
    will: { topic: own + 'state', payload: JSON.stringify({ state: 'lost', session: memory.session }), qos: 1, retain: true }
  })
  await new Promise(resolve => {
    link.on('connect', () => {
      pause = 250
      link.subscribe(['almenara/1/keys', 'almenara/1/now', own + 'alert/+', own + 'command'], { qos: 1 }, error => error ? link.end(true) : send())
    })
    link.on('message', (topic, payload, packet) => { take(topic, payload, packet.retain); settle() })
    link.on('error', () => link.end(true))
    link.on('close', resolve)
  })
  sending = false
  await new Promise(resolve => setTimeout(resolve, pause * (0.5 + Math.random())))
  if ((turn + 1) % me.servers.length === 0) pause = Math.min(5000, 2 * pause)
}
