import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Link, level, unconfirmed } from '../files/life.js'

test('the level is what the page would survive', () => {
  const at = url => new URL(url)
  for (const [served, kept, url, want] of [
    [true, false, 'http://localhost:7400/screen/', 'C'], [false, true, 'http://localhost:7400/screen/', 'C'], [false, true, 'http://[::1]:7400/screen/', 'C'],
    [false, true, 'https://node.example/screen/', 'B'], [false, true, 'http://node.example/screen/', 'D'],
    [false, false, 'https://node.example/screen/', 'A'], [false, false, 'http://localhost/screen/', 'A'], [false, false, 'http://node.example/screen/', 'A']
  ]) assert.equal(level(served, kept, at(url)), want, url)
})

test('what no node has confirmed is marked, and comes with what a person answered', () => {
  const receiver = { unconfirmed: () => [{ alert: 'a', revision: 1 }], answered: () => 'help' }
  assert.deepEqual(unconfirmed(receiver), [{ alert: 'a', revision: 1, since: 0, unconfirmed: true, answer: 'help' }])
})

test('a node that does not let the device in is told to the receiver, and no other failure is', async () => {
  for (const [code, away] of [[0x85, true], [0x86, true], [0x87, true], [0x88, false], [0x84, false], [0, false]]) {
    let turned = 0
    globalThis.WebSocket = class {
      constructor () { this.readyState = 1; setImmediate(() => this.onopen()) }
      send () { setImmediate(() => code ? this.onmessage({ data: Uint8Array.from([0x20, 3, 0, code, 0]).buffer }) : this.onclose()) }
      close () {}
    }
    const receiver = { begin: () => ({ topic: 't', payload: '', qos: 1, retain: true }), turnedAway () { turned++ }, disconnected () {} }
    let said
    const link = new Link({ device: { id: 'd', secret: 's' }, receiver, changed () {}, failed: (why, is) => { said = is } })
    assert.equal(await link.session('ws://node'), false)
    assert.deepEqual([turned, said], [away ? 1 : 0, away], String(code))
  }
})

test('a connection that brings more than the receiver keeps ends, and the next one is not hurried', { timeout: 5000 }, async () => {
  const sent = []
  globalThis.WebSocket = class {
    constructor () { this.readyState = 1; setImmediate(() => this.onopen()) }
    send (packet) {
      const b = Uint8Array.from(packet)
      const answer = (...bytes) => setImmediate(() => this.onmessage({ data: Uint8Array.from(bytes).buffer }))
      sent.push(b[0])
      if (b[0] === 0x10) answer(0x20, 3, 0, 0, 0) // CONNECT, CONNACK
      if (b[0] === 0x82) { // SUBSCRIBE, SUBACK and a message on the topic t
        answer(0x90, 4, b[2], b[3], 0, 1)
        answer(0x30, 5, 0, 1, 0x74, 0, 0x78)
      }
    }
    close () {}
  }
  for (const [answer, served] of [[undefined, true], [false, false]]) {
    const receiver = {
      begin: () => ({ topic: 't', payload: '', qos: 1, retain: true }), filters: ['t'], connected () {}, disconnected () {},
      message () { if (answer === undefined) setImmediate(() => link.close()); return answer }
    }
    const link = new Link({ device: { id: 'd', secret: 's' }, receiver, changed () {} })
    assert.equal(await link.session('ws://node'), served)
    assert.equal(sent.at(-1), 0xe0) // DISCONNECT
  }
})
