import assert from 'node:assert/strict'
import { test } from 'node:test'
import { level, unconfirmed, unconfirmedAfter } from '../files/life.js'

test('the level is what the page would survive', () => {
  const at = url => new URL(url)
  for (const [served, kept, url, want] of [
    [true, false, 'http://localhost:7400/screen/', 'C'], [false, true, 'http://localhost:7400/screen/', 'C'], [false, true, 'http://[::1]:7400/screen/', 'C'],
    [false, true, 'https://node.example/screen/', 'B'], [false, true, 'http://node.example/screen/', 'D'],
    [false, false, 'https://node.example/screen/', 'A'], [false, false, 'http://localhost/screen/', 'A'], [false, false, 'http://node.example/screen/', 'A']
  ]) assert.equal(level(served, kept, at(url)), want, url)
})

test('a page that was loaded again gives nodes time to say what stands', () => {
  const receiver = { unconfirmed: () => [{ alert: 'a', revision: 1 }], answered: () => 'help' }
  assert.deepEqual(unconfirmed(receiver, unconfirmedAfter - 1), [])
  assert.deepEqual(unconfirmed(receiver, unconfirmedAfter), [{ alert: 'a', revision: 1, since: 0, unconfirmed: true, answer: 'help' }])
})
