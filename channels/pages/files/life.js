// Life is what every page that is a device does: it keeps a connection to some node, is the only page
// of its device, and knows what it would survive.
import { connect } from './mqtt.js'

const retryFirst = 250
const retryLast = 5000

// level says what a page would survive; see the README. served: by the agent of this box.
export function level (served) {
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)
  const worker = navigator.serviceWorker && navigator.serviceWorker.controller
  if (served) return 'C'
  if (!window.isSecureContext || !worker) return 'A'
  if (local) return 'C'
  return location.protocol === 'https:' ? 'B' : 'D'
}

// onlyPage makes this the page of the device: two at once would be two devices of one name, so an
// older page ends, and over() is called there. It gives a function that says whether this one goes on.
export function onlyPage (id, over) {
  let on = true
  if (!window.BroadcastChannel) return () => on
  const pages = new BroadcastChannel('almenara/' + id)
  pages.onmessage = () => {
    if (!on) return
    on = false
    over()
  }
  pages.postMessage('begins')
  return () => on
}

// Link keeps the connection of a device.
//
//   device     {id, secret, servers}
//   receiver   of the contract
//   changed()  the connection is there, or lost
//   failed(sentence)  why one could not be made; may be left out
export class Link {
  constructor (options) {
    this.options = Object.assign({ failed () {} }, options)
    this.connection = null
  }

  get up () { return this.connection !== null }

  close () { if (this.connection) this.connection.close() }

  // run goes from node to node as long as on() says so.
  async run (on) {
    const servers = this.options.device.servers
    for (let turn = 0, pause = retryFirst; on(); turn++) {
      const served = await this.session(servers[turn % servers.length])
      if (served) pause = retryFirst
      await new Promise(resolve => setTimeout(resolve, pause / 2 + Math.random() * pause))
      if ((turn + 1) % servers.length === 0) pause = Math.min(pause * 2, retryLast)
    }
  }

  // session is one connection, as long as it lasts; it resolves with whether the device was served.
  async session (url) {
    const { device, receiver, changed, failed } = this.options
    let closed
    const over = new Promise(resolve => { closed = resolve })
    try {
      const c = await connect({ url, id: device.id, secret: device.secret, will: receiver.begin(), message: (...m) => receiver.message(...m), closed })
      await c.subscribe(receiver.filters)
      this.connection = c
      receiver.connected((topic, payload, how) => c.publish(topic, payload, how))
      changed()
      await over
      return true
    } catch (error) {
      failed(url + ': ' + error.message, error.message)
      return false
    } finally {
      this.connection = null
      receiver.disconnected()
      changed()
    }
  }
}

// limited is the beginning of a text, as much as a state may hold of one.
export const limited = text => new TextDecoder().decode(new TextEncoder().encode(text).slice(0, 120)).replace(/\ufffd+$/, '')
