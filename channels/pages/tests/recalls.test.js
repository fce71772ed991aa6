import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linksOf } from '../files/recalls.js'

test('only links to recalls of this node are shown', () => {
  const good = { path: '/r/recall/abcdefghijklmnopqrstuvwxyz', headline: 'Do not eat it' }
  assert.deepEqual(linksOf([good]), [good])
  for (const bad of [null, {}, 'x', [null], [{ path: 'javascript:alert(1)', headline: 'x' }], [{ path: '//evil.example/r/recall/abcdefghijklmnopqrstuvwxyz', headline: 'x' }], [{ path: good.path, headline: 7 }]]) {
    assert.deepEqual(linksOf(bad), [])
  }
  assert.equal(linksOf(new Array(100).fill(good)).length, 16)
})
