import test from 'node:test'
import assert from 'node:assert/strict'
import { codeOf, pathOf, spaceFor } from '../files/code.js'
import { arrange } from '../files/arrange.js'

const n = 45
const blank = Buffer.alloc(Math.ceil(n * n / 8))
const command = (over = {}) => Object.assign({ do: 'answer', alert: 'a', modules: n, code: blank.toString('base64'), expires: '2026-11-29T03:10:00Z' }, over)

test('a code is read module by module', () => {
  const bits = Buffer.from(blank)
  bits[0] = 0xc0
  bits[Math.floor(n / 8)] |= 0x80 >> (n % 8) // the first of the second row
  const code = codeOf(command({ code: bits.toString('base64') }))
  assert.equal(code.black.length, n * n)
  assert.equal(pathOf(code), 'M4 4h2v1h-2zM4 5h1v1h-1z')
  assert.equal(code.expires, Date.parse('2026-11-29T03:10:00Z'))
})

test('what is no code is none', () => {
  for (const bad of [{ modules: 44 }, { modules: 20 }, { modules: 181 }, { modules: NaN }, { code: '%' }, { code: '' }, { code: blank.toString('base64') + 'AAAA' }, { alert: '' }]) {
    assert.equal(codeOf(command(bad)), null, JSON.stringify(bad))
  }
})

const now = Date.parse('2026-11-29T03:00:00Z')
const alert = (id, over) => ({
  alert: id, revision: 1, since: 0, look: { tier: 'emergency', sound: 'siren' },
  body: Object.assign({ sender: 'hq', sent: '2026-11-29T02:59:00Z', expires: '2026-11-29T05:00:00Z', texts: [{ language: 'zh-Hant', event: '火警', headline: '大廈火警，請即由樓梯撤離', severity: 'Extreme', urgency: 'Immediate', instruction: '切勿使用升降機。', areas: [], expires: '2026-11-29T05:00:00Z' }] }, over)
})
const codes = new Map([['a', codeOf(command())], ['b', codeOf(command({ alert: 'b' }))]])
const at = (width, height, over = {}) => arrange(Object.assign({ alerts: [alert('a')], codes, width, height, now, tick: 1000, zone: 'Asia/Hong_Kong' }, over))

test('the code is beside the lines of a wide screen and below those of an upright one, and the headline keeps its size', () => {
  for (const [width, height, below, share] of [[1920, 1080, false, 8], [1366, 768, false, 8], [1080, 1920, true, 10]]) {
    const card = at(width, height).cards[0]
    assert.equal(card.code.below, below, width)
    assert.ok(card.code.side >= (n + 8) * 3, 'each module is three pixels at least')
    assert.ok(card.px.big >= Math.min(width, height) / share - 0.01, width + ': ' + card.px.big)
    assert.ok(card.lines.length >= 1)
  }
})

test('where it could not be read, or would stand in the way, there is none', () => {
  assert.equal(at(390, 640).cards[0].code, null)
  assert.equal(at(1920, 1080, { codes: undefined }).cards[0].code, null)
  assert.equal(at(1920, 1080, { codes: new Map() }).cards[0].code, null)
  const two = at(1920, 1080, { alerts: [alert('a'), alert('b')] })
  assert.deepEqual(two.cards.map(c => c.code !== null), [true, false], 'the first card alone')
  const strip = at(1920, 1080, { alerts: [Object.assign(alert('a'), { look: { tier: 'advisory', sound: 'chime' } })], tick: 200000 })
  assert.ok(strip.strip)
  assert.equal(strip.cards[0].code, null)
  assert.equal(spaceFor(null, { width: 1920, height: 1080 }), null)
})
