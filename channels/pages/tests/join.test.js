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
const { join, codeOf, digest, ticketOf } = await import(path(folder, 'join.js'))

test('the code of known values is that of node/enrol', () => {
  const verifier = digest('a secret of the device')
  assert.equal(verifier + ' ' + digest(verifier) + ' ' + codeOf(verifier, 'A'.repeat(43), 'B'.repeat(43)),
    '3ugFVc17FD19-JqqZgcOGrGGK6Znqf4oUuZSQN_eZrc RD9HGPiVhL078HRsiJdA9PrJvj-lirhvwr5f8LnJ0Gg 6745 2003')
})

test('a ticket is behind #', () => {
  assert.equal(ticketOf('#ticket=abc'), 'abc')
  assert.equal(ticketOf('#id=x&secret=y'), '')
  assert.equal(ticketOf(''), '')
})

// station plays a node: answers are taken in turn for each path, the last one again and again.
function station (answers) {
  const asked = []
  const shown = []
  let kept = ''
  const options = {
    kind: 'screen', ticket: '', page: { protocol: 'http:', host: 'a:1' }, load: async () => kept, save: async text => { kept = text },
    show: s => shown.push(s), pause: async () => {},
    post: async (path, body) => {
      asked.push([path, body])
      const list = answers[path]
      return list.length > 1 ? list.shift() : list[0]
    }
  }
  return { options, asked, shown, kept: () => kept, keep: text => { kept = text } }
}
const begun = { status: 200, body: { request: 'r', nonce: 'n', root_key: 'k', node: 'n1' } }
const good = { status: 200, body: {} }
const waits = { status: 200, body: { state: 'waiting' } }
const approved = { status: 200, body: { state: 'approved', id: 'lift-1', servers: ['ws://b/mqtt', 'tcp://b'], root_key: 'another' } }

test('the secret stays here, and the root key that went into the code is the one that is believed', async () => {
  const s = station({ ask: [begun], show: [good], state: [waits, approved] })
  const device = await join(s.options)
  assert.deepEqual({ ...device, secret: '' }, { id: 'lift-1', secret: '', root: 'k', servers: ['ws://a:1/mqtt', 'ws://b/mqtt'] })
  assert.equal(device.secret.length, 43)
  assert.ok(!JSON.stringify(s.asked).includes(device.secret), 'it was never sent')
  const [, first] = s.asked[0]
  const [, second] = s.asked[1]
  assert.equal(second.verifier, digest(device.secret))
  assert.equal(first.commitment, digest(second.verifier), 'the node learns the verifier after its nonce')
  assert.equal(s.shown[0].code, codeOf(second.verifier, 'n', 'k'))
  assert.equal(s.kept(), '', 'nothing waits any more')
})

test('a reload goes on waiting under the same code', async () => {
  const s = station({ ask: [begun], show: [good], state: [approved] })
  s.keep(JSON.stringify({ secret: 's', verifier: 'v', ticket: 't', request: 'r', nonce: 'n', root: 'k', node: 'n1' }))
  s.options.ticket = 't'
  assert.equal((await join(s.options)).secret, 's')
  assert.deepEqual(s.asked.map(([p]) => p), ['state'])
})

test('a ticket that was used is said, and the device waits without one', async () => {
  const s = station({ ask: [{ status: 404, body: {} }, begun], show: [good], state: [approved] })
  s.options.ticket = 'old'
  await join(s.options)
  assert.equal(s.shown[0].why, 'used')
  assert.equal(s.asked[1][1].ticket, '')
})

test('many that wait, a node that is lost, and one that forgot are no end', async () => {
  const lost = { status: 0, body: null }
  const s = station({ ask: [{ status: 429, body: {} }, begun, begun], show: [good], state: [lost, { status: 404, body: {} }, waits, approved] })
  await join(s.options)
  assert.deepEqual(s.shown.map(x => x.why), ['many', '', 'lost', '', ''].slice(0, s.shown.length))
  assert.equal(s.asked.filter(([p]) => p === 'ask').length, 3)
})

test('who was sent away asks anew with another secret', async () => {
  const s = station({ ask: [begun], show: [good], state: [{ status: 200, body: { state: 'refused' } }, approved] })
  await join(s.options)
  const verifiers = s.asked.filter(([p]) => p === 'show').map(([, b]) => b.verifier)
  assert.equal(new Set(verifiers).size, 2)
  assert.ok(s.shown.some(x => x.why === 'away'))
})
