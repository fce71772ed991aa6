// A device in JavaScript: the package mqtt of npm, and Node's own crypto.
// scripts/clients.sh says what it is told in the environment and what it must print.
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const env = process.env
const mqtt = createRequire(env.NODE_FOLDER + '/')('mqtt')
const patience = 15_000 // milliseconds that any answer of the node may take
const v5 = env.MQTT_VERSION === '5'
const [refusedSecret, refusedFilter] = v5 ? [0x86, 0x87] : [4, 0x80]
const own = `almenara/1/device/${env.DEVICE}/`

function must (condition, text) {
  if (!condition) throw new Error(text)
}

// within is the promise, or an error when it takes too long.
function within (promise, what) {
  let timer
  const late = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new Error(`${what}: no answer from the node`)), patience) })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

// connect resolves to a client with an inbox, or rejects with the CONNACK's code.
async function connect (password) {
  const client = mqtt.connect(env.MQTT_URL, {
    protocolVersion: Number(env.MQTT_VERSION), clientId: env.DEVICE, username: env.DEVICE, password,
    clean: true, reconnectPeriod: 0, ca: readFileSync(env.CA_FILE),
    will: { topic: own + 'state', payload: '{"state":"lost","session":1}', qos: 1, retain: true }
  })
  client.inbox = []
  client.on('message', (topic, payload, packet) => {
    client.inbox.push({ topic, payload, retain: packet.retain })
    client.arrived?.()
  })
  await within(new Promise((resolve, reject) => {
    client.on('connect', resolve)
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed without a word')))
  }), 'connecting').catch(error => { client.end(true); throw error })
  return client
}

// next is the next message.
async function next (client) {
  if (client.inbox.length === 0) await within(new Promise(resolve => { client.arrived = resolve }), 'awaiting a message')
  return client.inbox.shift()
}

// subscribe resolves to the codes of the SUBACK.
function subscribe (client, ...filters) {
  return within(new Promise(resolve => {
    client.subscribe(filters, { qos: 1 }, (error, _granted, packet) => resolve(packet?.granted ?? [error]))
  }), 'subscribing')
}

// publish resolves to the code of the PUBACK, or to 'closed' when the connection ends instead.
function publish (client, topic, payload, retain = false) {
  return within(new Promise(resolve => {
    client.once('close', () => resolve('closed'))
    client.publish(topic, payload, { qos: 1, retain }, error => resolve(error ? error.code : 0))
  }), 'publishing')
}

const part = text => Buffer.from(text, 'base64url')
const publicKey = x => createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })

// opened checks signature and typ of a JWS in compact serialization, and returns its payload.
function opened (keyOf, jws, typ) {
  const [head, payload, signature] = jws.toString().split('.')
  const header = JSON.parse(part(head))
  must(header.alg === 'EdDSA' && header.typ === typ, `${typ}: header ${part(head)}`)
  const key = keyOf(header.kid)
  must(key && verify(null, Buffer.from(`${head}.${payload}`), key, part(signature)), `${typ} does not verify`)
  return JSON.parse(part(payload))
}

async function wrongSecret () {
  const code = await connect('wrong').then(client => { client.end(true); return 'let in' }, error => error.code ?? error)
  must(code === refusedSecret, `wrong secret: ${code}`)
}

// foreign asks for what belongs to others, and forges another device's receipt.
async function foreign () {
  const client = await connect(env.SECRET)
  const codes = await subscribe(client, '#', `almenara/1/device/${env.OTHER}/#`)
  must(codes.length === 2 && codes.every(code => code === refusedFilter), `subscribing to what is others': SUBACK codes ${codes}`)
  const answer = await publish(client, `almenara/1/device/${env.OTHER}/receipt`, env.FORGED)
  must(answer === (v5 ? refusedFilter : 'closed'), `publishing for another device: ${answer}`)
  client.end(true) // in MQTT 3.1.1 the node has closed it already
}

// live follows one alert from start to end.
async function live () {
  const client = await connect(env.SECRET)
  const codes = await subscribe(client, 'almenara/1/now', 'almenara/1/keys', own + '#')
  must(codes.length === 3 && codes.every(code => code <= 1), `subscribing to what is the device's: SUBACK codes ${codes}`)
  const first = {}
  while (Object.keys(first).length < 2) {
    const message = await next(client)
    must(message.retain, `${message.topic} is not marked as retained`)
    first[message.topic] = message.payload
  }
  const ring = opened(() => publicKey(env.ROOT_KEY), first['almenara/1/keys'], 'almenara-keys')
  const keys = new Map(ring.keys.map(key => [key.kid, publicKey(key.x)]))
  const keyOf = kid => keys.get(kid)
  opened(keyOf, first['almenara/1/now'], 'almenara-manifest')
  console.log('ready')
  const body = await present(client, keyOf)
  await awaitEnd(client, keyOf, body.alert)
  await tell(client, body, 3, 'cancelled') // it is shown no more
  await tellState(client, 'ready', []) // whatever the node sent before this PUBACK is here
  for (const { topic } of client.inbox) must(topic === 'almenara/1/now', `a message on ${topic}, which was not expected`)
  await client.endAsync()
  console.log('ended', body.alert)
}

// tell publishes receipts of the body, numbered from seq.
async function tell (client, body, seq, ...rungs) {
  const receipts = rungs.map((rung, i) => (
    { alert: body.alert, revision: body.revision, rung, at: new Date().toISOString(), seq: seq + i }))
  const answer = await publish(client, own + 'receipt', JSON.stringify(receipts))
  must(answer === 0, `publishing receipts: ${answer}`)
}

// present awaits the body and proves the alert to the node: verified and presented.
async function present (client, keyOf) {
  let message = await next(client)
  while (message.topic === 'almenara/1/now') message = await next(client)
  const body = opened(keyOf, message.payload, 'almenara-body')
  must(message.topic === `${own}alert/${body.alert}`, `body of ${body.alert} on ${message.topic}`)
  await tell(client, body, 1, 'verified', 'presented')
  await tellState(client, 'presenting', [body.alert])
  console.log('presented', body.alert)
  return body
}

// awaitEnd reads manifests until one lists the alert as ended.
async function awaitEnd (client, keyOf, alert) {
  for (let listed = false; ;) {
    const message = await next(client)
    must(message.topic === 'almenara/1/now', `a message on ${message.topic}, which was not expected`)
    const now = opened(keyOf, message.payload, 'almenara-manifest')
    listed ||= now.in_force.some(({ id }) => id === alert)
    if (now.ended.some(({ id }) => id === alert)) return must(listed, 'no manifest listed the alert as in force')
  }
}

async function tellState (client, state, presenting) {
  const payload = JSON.stringify({ state, session: 1, kind: 'screen', version: '1', presenting })
  const answer = await publish(client, own + 'state', payload, true)
  must(answer === 0, `publishing state: ${answer}`)
}

try {
  await wrongSecret()
  await foreign()
  await live()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
