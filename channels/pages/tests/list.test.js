import test from 'node:test'
import assert from 'node:assert/strict'
import { critical, listed } from '../files/list.js'
import { wordsFor } from '../files/phonewords.js'

const now = Date.parse('2026-11-29T03:26:00+08:00')
const texts = [
  { language: 'en', headline: 'Fire', severity: 'Extreme', urgency: 'Immediate' }, { language: 'zh-Hant', headline: '火警', severity: 'Extreme', urgency: 'Immediate', from: '屋邨辦事處' }
]
const alert = (id, tier, more = {}) => Object.assign({
  alert: id, revision: 1, look: { tier, sound: 'siren' }, answer: '',
  body: { status: 'Actual', tier, confirm: '', sender: 's', sent: '2026-11-29T03:20:00+08:00', expires: '2026-11-29T04:20:00+08:00', texts }
}, more)
const list = (alerts, languages = ['en']) => listed({ alerts, now, zone: 'Asia/Hong_Kong', words: wordsFor(languages) })

test('what is critical is asked alone, until it is answered', () => {
  const all = [alert('b', 'advisory'), alert('a', 'emergency'), alert('c', 'emergency')]
  const before = list(all)
  assert.equal(before.mode, 'forced')
  assert.deepEqual(before.cards.map(c => [c.alert, c.place]), [['a', '1/2'], ['c', '2/2']])
  all[1].answer = 'help'
  assert.deepEqual(list(all).cards.map(c => c.alert), ['c'])
  all[2].answer = 'safe'
  all[2].changing = true // who answers anew keeps the answer until then, and is not asked alone again
  const after = list(all)
  assert.equal(after.mode, 'list')
  assert.deepEqual(after.cards.map(c => [c.alert, c.asks, c.answer]), [['a', true, 'help'], ['c', true, 'safe'], ['b', false, '']])
})

test('the drill of an emergency is asked as the emergency is, and says that it is one', () => {
  const drill = alert('d', 'drill')
  assert.ok(critical(drill))
  const [card] = list([drill]).cards
  assert.equal(card.frame, 'drill')
  assert.equal(card.word, 'DRILL')
  assert.ok(card.drill && card.forced)
})

test('what has run out is not listed, also while no node says so', () => {
  assert.equal(list([alert('a', 'emergency')].map(a => ({ ...a, body: { ...a.body, expires: '2026-11-29T03:26:00+08:00' } }))).mode, 'idle')
})

test('the language of the person comes first, and the other stays', () => {
  assert.deepEqual(list([alert('a', 'emergency')]).cards[0].texts.map(t => t.language), ['en', 'zh-Hant'])
  assert.deepEqual(list([alert('a', 'emergency')], ['zh-HK', 'en']).cards[0].texts.map(t => t.language), ['zh-Hant', 'en'])
  assert.equal(wordsFor(['fil']).tag, 'en')
  assert.equal(wordsFor(['yue-HK']).tag, 'zh-Hant')
})

test('the texts of both languages say the same things', () => {
  const [en, zh] = [wordsFor(['en']), wordsFor(['zh'])]
  assert.deepEqual(Object.keys(en), Object.keys(zh))
  assert.deepEqual(Object.keys(en.whys), Object.keys(zh.whys))
})

test('nobody is asked about what no node has confirmed since the page was loaded again', () => {
  const all = list([alert('a', 'emergency', { unconfirmed: true }), alert('b', 'emergency', { unconfirmed: true, answer: 'help' })])
  assert.equal(all.mode, 'list')
  assert.deepEqual(all.cards.map(c => [c.alert, c.asks, c.unconfirmed, c.answer]), [['a', false, true, ''], ['b', false, true, 'help']])
})

test('a text for which the phone has no letters stands behind what can be read', () => {
  const shown = (...lacks) => listed({ alerts: [alert('a', 'advisory')], now, zone: 'Asia/Hong_Kong', words: wordsFor(['zh-HK']), legible: t => !lacks.includes(t.language) }).cards[0]
  assert.deepEqual([shown().texts[0].language, shown().illegible], ['zh-Hant', false])
  assert.deepEqual([shown('zh-Hant').texts[0].language, shown('zh-Hant').illegible], ['en', false], 'it is no word of the person\'s language, but can be read')
  assert.equal(shown('zh-Hant', 'en').illegible, true, 'boxes are told as such')
  assert.equal(list([alert('a', 'advisory')]).cards[0].illegible, false)
})
