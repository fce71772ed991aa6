import test from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { fileURLToPath } from 'node:url'

// The modules lie beside each other as a node serves them.
const folder = mkdtempSync(path(tmpdir(), 'pages-'))
cpSync(fileURLToPath(new URL('../files', import.meta.url)), folder, { recursive: true })
cpSync(fileURLToPath(new URL('../../contract/js', import.meta.url)), path(folder, 'contract'), { recursive: true })
cpSync(fileURLToPath(new URL('../package.json', import.meta.url)), path(folder, 'package.json'))
const { Announcer, linesOf, nameOf } = await import(path(folder, 'announce.js'))

// hall is a player of which every sound lasts until the story says that it has ended.
class Hall {
  constructor () { this.heard = []; this.ends = null; this.blocked = false }
  prepare () {}
  tone (sound, level) { return this.sounds(sound + '@' + level) }
  say (line) { return this.sounds(line.text) }
  rest () { return this.sounds('-') }
  sounds (what) {
    if (this.blocked) return Promise.reject(new Error('sound is blocked'))
    this.heard.push(what)
    return new Promise((resolve, reject) => { this.ends = resolve; this.breaks = reject })
  }

  hush () { if (this.breaks) this.breaks(new Error('silenced')); this.ends = this.breaks = null }
  // end ends what sounds, a number of times.
  async end (n = 1) {
    for (let i = 0; i < n; i++) {
      const { ends } = this
      this.ends = this.breaks = null
      if (ends) ends()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

const texts = [{ language: 'en', headline: 'Fire', instruction: 'Leave.' }, { language: 'zh-HK', headline: '火警' }]
const begins = (alert, tier, sound = 'siren', revision = 1) => ({ action: 'start', alert, revision, look: { tier, sound }, body: { texts } })
const stops = alert => ({ action: 'stop', alert, revision: 1 })

function speaker () {
  const hall = new Hall()
  const done = []
  const a = new Announcer({ player: hall, level: tier => tier === 'emergency' ? 1 : 0.4, done: (e, error) => done.push([e.alert, error ? error.message : '']), changed () {} })
  return { hall, done, a }
}

test('tone, pause and message three times, Chinese first; presented only at the end', async () => {
  const { hall, done, a } = speaker()
  a.give(begins('fire', 'emergency'))
  const once = ['siren@1', '-', '火警. ', '-', 'Fire. Leave.', '-']
  await hall.end(17)
  assert.deepEqual(done, [], 'the last pause is still to come')
  await hall.end()
  assert.deepEqual(hall.heard, [...once, ...once, ...once])
  assert.deepEqual(done, [['fire', '']])
})

test('what is graver goes first, and what it broke off begins anew', async () => {
  const { hall, done, a } = speaker()
  a.give(begins('water', 'advisory', 'chime'))
  await hall.end(2)
  a.give(begins('drill', 'drill', 'drill'))
  a.give(begins('fire', 'emergency'))
  assert.equal(hall.heard[hall.heard.length - 1], 'siren@1')
  await hall.end(18 * 3)
  assert.deepEqual(done.map(d => d[0]), ['fire', 'water', 'drill'])
  assert.equal(hall.heard.filter(h => h === 'chime@0.4').length, 4, 'once before, and three times from its beginning')
})

test('what is over is silent at once, and what is next begins', async () => {
  const { hall, done, a } = speaker()
  a.give(begins('fire', 'emergency'))
  a.give(begins('gas', 'emergency', 'siren', 2))
  a.give(stops('fire'))
  await hall.end(18)
  assert.deepEqual(done, [['gas', '']], 'of what was stopped nothing is said')
  a.give(begins('flood', 'emergency'))
  a.give(Object.assign(begins('flood', 'emergency'), { revision: 2 }))
  await hall.end(18)
  assert.deepEqual(done.slice(1), [['flood', '']], 'a newer one takes its place')
})

test('a reminder is not heard twice at a time, and silence is told as not heard', async () => {
  const { hall, done, a } = speaker()
  a.give(begins('fire', 'emergency'))
  a.give(Object.assign(begins('fire', 'emergency'), { action: 'remind' }))
  assert.equal(hall.heard.length, 1)
  a.silence()
  await hall.end()
  assert.deepEqual(done, [['fire', 'silenced']])
  assert.equal(a.now, null)
})

test('a browser that lets nothing be heard is told of, each time', async () => {
  const { hall, done, a } = speaker()
  hall.blocked = true
  a.give(begins('fire', 'emergency'))
  await hall.end()
  assert.deepEqual(done, [['fire', 'sound is blocked']])
  hall.blocked = false
  a.give(begins('fire', 'emergency'))
  await hall.end(18)
  assert.deepEqual(done[1], ['fire', ''])
  a.give(begins('quiet', 'advisory', 'none'))
  await hall.end()
  assert.deepEqual(done[2], ['quiet', ''], 'what has no sound is done at once')
})

test('a line is said and named as the node does', () => {
  const lines = linesOf({ texts: [{ language: 'en', event: 'Fire', headline: ' ', instruction: 'Leave.' }, { language: 'zh-HK', headline: '火警', instruction: '離開。' }] }, { tier: 'drill' })
  assert.deepEqual(lines, [{ language: 'zh-HK', text: '演習。火警. 離開。' }, { language: 'en', text: 'This is a drill. Fire. Leave.' }])
  assert.equal(nameOf({ language: 'zh-HK', text: '演習。火警. 離開。' }), '1a4ee60e677e3ff7ea5849aa99eca783a9516ff9cf15c33c65ff9a14ecf45a49')
})
