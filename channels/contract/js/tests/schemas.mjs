// Holds everything that the vectors say is good to the JSON Schemas. NODE_FOLDER has ajv and
// ajv-formats of npm, as scripts/js.sh installs them.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(process.env.NODE_FOLDER + '/')
const Ajv = require('ajv/dist/2020')
const ajv = require('ajv-formats')(new Ajv({ strict: true, allErrors: true, strictTypes: false, strictRequired: false }))
const file = name => JSON.parse(readFileSync(new URL(`../../${name}.json`, import.meta.url)))
const schemas = Object.fromEntries(['header', 'manifest', 'body', 'command', 'keys', 'receipts', 'state']
  .map(name => [name, ajv.compile(file('schema/' + name))]))

let held = 0
function valid (name, value, what) {
  assert(schemas[name](value), `${what}: ${JSON.stringify(schemas[name].errors)}`)
  held++
}
const part = (jws, n) => JSON.parse(Buffer.from(jws.split('.')[n], 'base64url'))

const { cases } = file('vectors/signatures')
for (const c of cases.filter(c => c.result === 'good')) {
  valid('header', part(c.jws, 0), c.name)
  if (c.name !== 'time with an offset and nanoseconds' && !c.name.includes('later')) valid(c.opens.replace('almenara-', ''), part(c.jws, 1), c.name)
}
for (const c of file('vectors/rings').cases.filter(c => c.result === 'good')) valid('keys', part(c.jws, 1), c.name)
const refused = 'what is refused is told once for each revision that can be read' // one of its bodies cannot be read
for (const c of file('vectors/scenarios').cases.filter(c => c.name !== refused)) {
  for (const s of c.steps.filter(s => s.do === 'message')) {
    const { typ } = part(s.payload, 0)
    valid(typ.replace('almenara-', ''), part(s.payload, 1), c.name)
  }
}
// What nodes refuse of a device, the schema refuses too.
const receipt = { alert: '7qggodrwesnbuxamkutppyfgoa', revision: 1, rung: 'presented', at: '2026-07-20T12:00:00Z', seq: 1 }
valid('receipts', [receipt], 'a receipt')
for (const change of [{ rung: 'delivered' }, { revision: 0 }, { seq: 0 }, { alert: 'fire' }, { at: 'noon' }, { location: { lat: 91, lon: 0 } }]) {
  assert(!schemas.receipts([{ ...receipt, ...change }]), JSON.stringify(change))
}
assert(!schemas.receipts(new Array(513).fill(receipt)))
valid('state', { state: 'lost', session: 1 }, 'a will')
assert(!schemas.state({ state: 'happy' }))
valid('state', { state: 'ready', tested: { id: 'c', result: 'passed', exercised: ['display'], why: '' } }, 'a test')
for (const tested of [{ id: 'c' }, { result: 'passed' }, { id: '', result: 'passed' }, { id: 'c', result: 'passed', exercised: new Array(9).fill('x') }]) {
  assert(!schemas.state({ state: 'ready', tested }), JSON.stringify(tested))
}
console.log(`${held} payloads are as the schemas say`)
