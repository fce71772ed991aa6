// Reads calls of the rules, one JSON object a line, and prints what each asked for, one line a
// call. The Go test beside it, channels/device/rules/javascript_test.go, makes the calls of random
// schedules, and compares the lines with those of the rules in Go.
import { createInterface } from 'node:readline'
import { Rules, imported } from '../rules.js'
import { read } from '../payload.js'

const words = {
  tell: e => `tell ${e.alert}/${e.revision} ${e.receipt.rung} ${Date.parse(e.receipt.at)} ${e.receipt.answer || ''}`,
  stop: e => `stop ${e.alert}/${e.revision} ${e.reason}`,
  do: e => `do ${e.command.id}`
}
const begins = e => `${e.action} ${e.alert}/${e.revision} ${e.body.digest} ${e.look.tier} ${e.look.sound}`

let rules
const calls = {
  new: () => { rules = new Rules(); return [] },
  connected: () => { rules.connected(); return [] },
  cut: () => { rules = imported(JSON.parse(JSON.stringify(rules.export()))); return [] },
  manifest: c => rules.manifest(read('almenara-manifest', c.manifest), c.now),
  body: c => rules.body(read('almenara-body', c.body), c.now),
  command: c => rules.command(read('almenara-command', c.command), c.now),
  tick: c => rules.tick(c.now),
  unconfirmed: c => rules.unconfirmed(c.now),
  presented: c => rules.presented(c.alert, c.revision, c.now),
  stopped: c => rules.stopped(c.alert, c.revision, c.now),
  failed: c => rules.failed(c.alert, c.revision, c.now),
  acknowledge: c => rules.acknowledge(c.alert, c.revision, c.answer, c.now)
}

const out = []
for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line)
  const effects = calls[call.call](call).map(e => (words[e.action] || begins)(e))
  const next = rules.next()
  out.push([...effects, `next ${next === null ? 'none' : next}`, `shown ${rules.presenting()}`, `changed ${rules.changed()}`,
    `skew ${rules.skew}`].join('; '))
  if (out.length === 1000) process.stdout.write(out.splice(0).join('\n') + '\n')
}
if (out.length > 0) process.stdout.write(out.join('\n') + '\n')
