// Mqtt is one connection of MQTT 5 over WebSocket: what a device of the contract needs and no
// more. It connects with a will, subscribes, takes messages of QoS 0 and 1, publishes at QoS 1 and
// keeps alive. It decides nothing: a broken connection ends, and whoever made it makes another.

const CONNECT = 1, CONNACK = 2, PUBLISH = 3, PUBACK = 4, SUBSCRIBE = 8, SUBACK = 9, PINGREQ = 12, DISCONNECT = 14
const maxPacket = 1 << 20 // far above the contract's largest payload
const encoder = new TextEncoder()
const decoder = new TextDecoder()

// connect resolves with a connection once the node has accepted it, and rejects with the reason.
//
//   url, id, secret
//   will            {topic, payload, qos, retain}
//   message(topic, bytes, retained), closed(reason): what comes later
//   keepAlive, timeout   seconds and milliseconds
//   WebSocket       left out: the page's
export function connect (options) {
  return new Promise((resolve, reject) => new Connection(options, resolve, reject))
}

class Connection {
  constructor (options, resolve, reject) {
    this.options = Object.assign({ keepAlive: 30, timeout: 5000, message () {}, closed () {} }, options)
    this.reject = reject
    this.resolve = resolve
    this.waiting = new Map() // packet id to {resolve, reject}
    this.lastId = 0
    this.rest = new Uint8Array(0)
    this.over = false
    this.socket = new (this.options.WebSocket || WebSocket)(options.url, 'mqtt')
    this.socket.binaryType = 'arraybuffer'
    this.socket.onopen = () => this.send(connectPacket(this.options))
    this.socket.onmessage = e => this.take(new Uint8Array(e.data))
    this.socket.onclose = () => this.end('the connection was closed')
    this.socket.onerror = () => this.end('the connection failed')
    this.patience = setTimeout(() => this.end('no answer in time'), this.options.timeout)
  }

  // subscribe asks for filters at QoS 1 and rejects where one is refused.
  subscribe (filters) {
    return this.asked(id => packet(SUBSCRIBE << 4 | 2, [number(id), 0, ...filters.map(f => [text(f), 1])])).then(codes => {
      if (codes.some(c => c > 2)) throw new Error('a subscription was refused')
    })
  }

  // publish resolves at the PUBACK with its reason code (MQTT 5 §3.4.2.1), for which it waits until the
  // connection ends: the node writes to its disk first.
  publish (topic, payload, { retain } = {}) {
    return this.asked(id => packet(PUBLISH << 4 | 2 | (retain ? 1 : 0), [text(topic), number(id), 0, encoder.encode(payload)])).then(codes => codes[0] || 0)
  }

  // close says goodbye.
  close () {
    if (!this.over) this.send([DISCONNECT << 4, 0])
    this.end('closed')
  }

  asked (make) {
    return new Promise((resolve, reject) => {
      if (this.over) return reject(new Error('the connection is over'))
      do this.lastId = this.lastId % 65535 + 1; while (this.waiting.has(this.lastId))
      this.waiting.set(this.lastId, { resolve, reject })
      this.send(make(this.lastId))
    })
  }

  send (bytes) {
    if (this.socket.readyState === 1) this.socket.send(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes))
  }

  // take cuts packets out of what comes: frames and packets need not agree.
  take (bytes) {
    const all = new Uint8Array(this.rest.length + bytes.length)
    all.set(this.rest)
    all.set(bytes, this.rest.length)
    let at = 0
    while (!this.over) {
      const head = header(all, at)
      if (head === null) break
      if (head.length > maxPacket) return this.end('a packet is too large')
      if (at + head.size + head.length > all.length) break
      const from = at + head.size
      at = from + head.length
      this.packet(all[from - head.size], all.subarray(from, at))
    }
    this.rest = all.slice(at)
  }

  packet (first, body) {
    this.heard = true
    const kind = first >> 4
    if (kind === CONNACK) return body[1] === 0 ? this.accepted() : this.end(refusals[body[1]] || 'refused')
    if (kind === PUBLISH) return this.published(first, body)
    if (kind === DISCONNECT) return this.end('the node ended the connection')
    if (kind === PUBACK || kind === SUBACK) {
      const id = body[0] << 8 | body[1]
      const waits = this.waiting.get(id)
      this.waiting.delete(id)
      if (waits) waits.resolve([...body.subarray(kind === SUBACK ? afterProperties(body, 2) : 2)])
    }
  }

  accepted () {
    clearTimeout(this.patience)
    this.heard = true
    this.alive = setInterval(() => {
      if (!this.heard) return this.end('the node does not answer')
      this.heard = false
      this.send([PINGREQ << 4, 0])
    }, this.options.keepAlive * 500)
    this.resolve(this)
  }

  published (first, body) {
    const length = body[0] << 8 | body[1]
    const topic = decoder.decode(body.subarray(2, 2 + length))
    const qos = first >> 1 & 3
    const payload = body.slice(afterProperties(body, 2 + length + (qos ? 2 : 0)))
    this.options.message(topic, payload, (first & 1) === 1)
    if (qos === 1) this.send([PUBACK << 4, 2, body[2 + length], body[3 + length]])
  }

  end (reason) {
    if (this.over) return
    this.over = true
    clearTimeout(this.patience)
    clearInterval(this.alive)
    this.socket.close()
    const error = new Error(reason)
    for (const { reject } of this.waiting.values()) reject(error)
    this.waiting.clear()
    this.reject(error)
    this.options.closed(reason)
  }
}

// refusals are the reason codes of CONNACK (MQTT 5 §3.2.2.2) that a node gives.
const refusals = {
  0x84: 'the node speaks another version', 0x85: 'the device id is refused', 0x86: 'the secret is wrong, or the device is revoked',
  0x87: 'the device is not let in', 0x88: 'the node takes no devices now'
}

// turnsAway says whether a reason is that the node does not let this device in: it is not enrolled, or was revoked.
export const turnsAway = reason => [0x85, 0x86, 0x87].some(code => refusals[code] === reason)

// afterProperties is where the properties end that begin at a position; nothing in them matters here.
function afterProperties (bytes, at) {
  let length = 0
  for (let i = 0; i < 4 && at < bytes.length; i++) {
    const b = bytes[at++]
    length += (b & 127) * 128 ** i
    if (b < 128) break
  }
  return Math.min(at + length, bytes.length)
}

// header reads the length of the packet at a position: how many bytes say it, and how many follow.
function header (all, at) {
  let length = 0
  for (let i = 1; i < 5; i++) {
    if (at + i >= all.length) return null
    length += (all[at + i] & 127) * 128 ** (i - 1)
    if (all[at + i] < 128) return { size: i + 1, length }
  }
  return { size: 5, length: Infinity }
}

function connectPacket (o) {
  const flags = 0x80 | 0x40 | 0x04 | 0x02 | o.will.qos << 3 | (o.will.retain ? 0x20 : 0) // user, secret, will, clean session
  return packet(CONNECT << 4, [text('MQTT'), 5, flags, number(o.keepAlive), 0, text(o.id), 0, text(o.will.topic), text(o.will.payload), text(o.id), text(o.secret)])
}

const number = n => [n >> 8, n & 255]
function text (s) {
  const bytes = encoder.encode(s)
  return [...number(bytes.length), ...bytes]
}

function packet (first, parts) {
  const bytes = []
  const add = part => typeof part === 'number' ? bytes.push(part) : part.forEach(add)
  parts.forEach(add)
  const head = [first]
  let left = bytes.length
  do {
    head.push(left % 128 | (left > 127 ? 128 : 0))
    left = Math.floor(left / 128)
  } while (left)
  return Uint8Array.from(head.concat(bytes))
}
