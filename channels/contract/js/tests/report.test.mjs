import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { newId, written, kinds } from '../report.js'

test('a page refuses what a node would refuse', () => {
  const { cases } = JSON.parse(readFileSync(new URL('../../vectors/reports.json', import.meta.url)))
  for (const c of cases) {
    const payload = c.payload.replaceAll('REPEAT', c.repeat ? c.repeat.text.repeat(c.repeat.times) : '')
    let result = 'good'
    try { written(JSON.parse(payload)) } catch (error) { result = 'malformed' }
    assert.equal(result, c.result, c.name)
  }
})

test('ids are never made twice, and are ids', () => {
  assert.notEqual(newId(), newId())
  for (const kind of kinds.slice(0, 5)) assert.ok(written({ id: newId(), kind }).includes(kind))
})
