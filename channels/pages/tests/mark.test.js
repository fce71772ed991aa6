import test from 'node:test'
import assert from 'node:assert/strict'
import { cellsOf, partsOf } from '../files/mark.js'

const fire = [{ alert: 'fire', revision: 7 }, { alert: 'gas', revision: 2 }]

test('a mark has its three colours, and differs from picture to picture and with what is shown', () => {
  const all = new Set()
  for (let shot = 1; shot <= 64; shot++) {
    const cells = cellsOf(shot, fire)
    assert.match(cells, /^w[wk]{4}y[wk]{11}b$/)
    assert.notEqual(cells, cellsOf(shot + 1, fire), 'shot ' + shot)
    all.add(cells)
  }
  assert.ok(all.size > 48, 'only ' + all.size + ' of 64')
  assert.equal(cellsOf(1, fire), cellsOf(1, [fire[1], fire[0]]), 'the order does not count')
  const others = [[], [fire[0]], [{ alert: 'fire', revision: 8 }, fire[1]]].map(painted => cellsOf(1, painted))
  assert.equal(new Set([cellsOf(1, fire), ...others]).size, 4)
})

test('a mark lies within the picture, or is none', () => {
  assert.deepEqual(partsOf({ left: 90, top: 45, width: 10, height: 5 }, 100, 50), [0.9, 0.9, 0.1, 0.1])
  for (const box of [{ left: -1, top: 0, width: 10, height: 5 }, { left: 95, top: 0, width: 10, height: 5 }, { left: 0, top: 48, width: 10, height: 5 }]) {
    assert.equal(partsOf(box, 100, 50), null)
  }
})
