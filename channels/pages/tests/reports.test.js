import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'

// The modules lie beside each other as a node serves them.
const folder = mkdtempSync(path(tmpdir(), 'pages-'))
cpSync(fileURLToPath(new URL('../files', import.meta.url)), folder, { recursive: true })
cpSync(fileURLToPath(new URL('../../contract/js', import.meta.url)), path(folder, 'contract'), { recursive: true })
cpSync(fileURLToPath(new URL('../package.json', import.meta.url)), path(folder, 'package.json'))
const { openReports } = await import(path(folder, 'reports.js'))

const settle = () => new Promise(resolve => setTimeout(resolve, 5))

// phone is a phone whose store outlives its page; node answers with codes in turn, the last again and again.
function phone () {
  const p = { text: null, timers: [], sent: [], codes: [0], broken: false }
  p.open = () => openReports({
    topic: 't', now: () => 1000, setTimeout: f => p.timers.push(f),
    store: { load: async () => p.text, save: async text => { if (p.broken) throw new Error('full'); p.text = text } }
  })
  p.publish = async (topic, payload) => {
    p.sent.push(JSON.parse(payload).id)
    const code = p.codes.length > 1 ? p.codes.shift() : p.codes[0]
    if (code === 'lost') throw new Error('lost')
    return code
  }
  return p
}

const states = r => r.list.map(one => one.state + (one.why ? ' ' + one.why : ''))

test('a report waits over a reload, and is sent once', async () => {
  const p = phone()
  let r = await p.open()
  assert.equal(await r.add({ kind: 'hazard', text: 'smoke' }), true)
  assert.deepEqual(states(r), ['waiting'])
  r = await p.open() // a reload
  assert.deepEqual(states(r), ['waiting'])
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), ['sent'])
  assert.equal(p.sent.length, 1)
  r.disconnected()
  r.connected(p.publish)
  await settle()
  r = await p.open()
  r.connected(p.publish)
  await settle()
  assert.equal(p.sent.length, 1, 'what was sent is not sent again')
})

test('a connection that is lost before the answer has it sent again under the same id', async () => {
  const p = phone()
  p.codes = ['lost', 0]
  const r = await p.open()
  await r.add({ kind: 'need_help' })
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), ['waiting'])
  r.disconnected()
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), ['sent'])
  assert.equal(new Set(p.sent).size, 1)
})

test('a node that could not keep it is asked again later', async () => {
  const p = phone()
  p.codes = [0x80, 0]
  const r = await p.open()
  await r.add({ kind: 'need_help' })
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), ['waiting'])
  p.timers.forEach(f => f())
  await settle()
  assert.deepEqual(states(r), ['sent'])
})

test('what is refused says why, and can be sent again at a press', async () => {
  const p = phone()
  p.codes = [0x97, 0x99, 0x83, 0]
  const r = await p.open()
  for (const kind of ['hazard', 'damage', 'all_clear']) await r.add({ kind })
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), ['refused many', 'refused payload', 'refused unwanted'])
  r.again(r.list[0].id)
  await settle()
  assert.equal(r.list[0].state, 'sent')
})

test('a report that no node would take is never queued', async () => {
  const r = await phone().open()
  await assert.rejects(r.add({ kind: 'other' }))
  assert.equal(r.list.length, 0)
})

test('twenty wait at most, five that are over are remembered, and a broken store is said', async () => {
  const p = phone()
  const r = await p.open()
  for (let i = 0; i < 20; i++) await r.add({ kind: 'hazard' })
  assert.ok(r.full)
  r.connected(p.publish)
  await settle()
  assert.deepEqual(states(r), Array(5).fill('sent'))
  p.broken = true
  assert.equal(await r.add({ kind: 'hazard' }), false)
})
