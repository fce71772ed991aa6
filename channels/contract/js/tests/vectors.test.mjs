import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { open, openKeys, publicKey } from '../signature.js'
import { lookOf } from '../rules.js'
import { instant } from '../time.js'
import { openReceiver } from '../receiver.js'

const vectors = name => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url)))

// plain makes payloads comparable: without members that say nothing, and with times as numbers.
function plain (value) {
  if (Array.isArray(value)) return value.map(plain)
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)])
      .filter(([, v]) => v !== '' && v !== 0 && v !== null && !(Array.isArray(v) && v.length === 0)))
  }
  try { return typeof value === 'string' ? instant(value) : value } catch (error) { return value }
}

test('signatures', () => {
  const v = vectors('signatures')
  const ring = openKeys(v.root, v.ring)
  for (const c of v.cases) {
    let result = 'good'
    let payload
    try { payload = open(ring, c.jws, c.opens) } catch (error) { result = error.reason }
    assert.equal(result, c.result, c.name)
    if (result === 'good') assert.deepEqual(plain(payload), plain(c.payload), c.name)
  }
})

test('rings', () => {
  const v = vectors('rings')
  for (const c of v.cases) {
    let ring = null
    try { ring = openKeys(publicKey(v.root), Buffer.from(c.jws)) } catch (error) { assert.equal(error.reason, 'signature', c.name) }
    assert.equal(ring ? 'good' : 'signature', c.result, c.name)
    if (ring) assert.deepEqual([...ring.keys.keys()], c.keys || [], c.name)
  }
})

test('looks', () => {
  for (const c of vectors('looks')) assert.deepEqual(lookOf(c), c.look, JSON.stringify(c))
})

const scenarios = vectors('scenarios')
for (const c of scenarios.cases) {
  test(c.section + ': ' + c.name, async () => {
    let now = 0
    let kept = null
    let told = 0
    let done
    let receiver
    const screen = new Map()
    const start = async () => {
      receiver = await openReceiver({
        id: scenarios.device, rootKey: scenarios.root, clock: () => now, wall: () => now, setTimeout: () => 0, clearTimeout () {},
        store: { load: () => kept, save: text => { kept = text } },
        present: e => e.action === 'stop' ? screen.delete(e.alert) : screen.set(e.alert, { alert: e.alert, revision: e.revision, ...e.look }),
        command: command => { done = command.do }
      })
    }
    const steps = {
      connect: () => receiver.begin(),
      message: s => receiver.message(s.topic, Buffer.from(s.payload), s.retained === true),
      wait: () => receiver.input((r, at) => r.tick(at)),
      'power-cut': () => { receiver.stop(); screen.clear(); return start() },
      acknowledge: s => receiver.acknowledge(s.alert, s.revision, s.answer)
    }
    await start()
    for (const [i, s] of c.steps.entries()) {
      now = instant(s.at)
      done = undefined
      await steps[s.do](s)
      for (let n = 0; n < 10; n++) await new Promise(resolve => setImmediate(resolve))
      const at = `step ${i}, ${s.do}`
      assert.deepEqual([...screen.values()].sort((a, b) => a.alert < b.alert ? -1 : 1), s.shows, 'shown after ' + at)
      const marked = receiver.unconfirmed().map(e => ({ alert: e.alert, revision: e.revision, ...e.look }))
      assert.deepEqual(marked, s.unconfirmed || [], 'may be shown after ' + at)
      const tells = receiver.outbox.waiting.slice(told).map(({ at, seq, ...rest }) => rest)
      told = receiver.outbox.waiting.length
      assert.deepEqual(tells, s.tells, 'told after ' + at)
      assert.equal(done, s.does, 'done after ' + at)
    }
    receiver.stop()
  })
}
