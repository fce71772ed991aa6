import test from 'node:test'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { arrange, order, pageTime, partTime, linkOf, timeOf } from '../files/arrange.js'
import { broken, estimate } from '../files/lines.js'
import { ago, words } from '../files/words.js'

const now = Date.parse('2026-11-29T03:26:00+08:00')
const zone = 'Asia/Hong_Kong'
const text = (language, headline, more) => Object.assign({
  language, event: language.startsWith('zh') ? '火警' : 'Fire', severity: 'Extreme', urgency: 'Immediate', headline,
  from: language.startsWith('zh') ? '消防處' : 'Fire Services', areas: ['On Ting'], expires: '2026-11-29T04:30:00+08:00'
}, more)
let made = 0
const alert = (tier, texts, more) => ({
  alert: 'a' + ++made, revision: 1, since: 0, look: { tier, sound: 'siren' },
  body: Object.assign({ tier, sender: 'duty@tuen-mun', sent: '2026-11-29T03:20:00+08:00', expires: '2026-11-29T04:30:00+08:00', texts }, more)
})
const on = (alerts, more) => arrange(Object.assign({ alerts, width: 1920, height: 1080, now, tick: 0, zone }, more))
const sizes = [[1920, 1080], [1080, 1920], [390, 844], [1280, 720], [800, 480], [3840, 2160]]
const long = 'Leave by the stairs at once. Do not use the lifts. Close doors behind you and wait at the assembly point beside the primary school until the fire services say that you may return. '

test('nothing in force leaves the screen to what runs', () => {
  assert.equal(on([]).mode, 'idle')
  assert.equal(on([alert('test', [text('en', 'Test')])]).mode, 'idle', 'tests are never shown')
})

test('an emergency takes all of the screen, an advisory a band for its time and a strip after it', () => {
  assert.equal(on([alert('emergency', [text('en', 'Fire')])]).mode, 'full')
  const advisory = alert('advisory', [text('en', 'Rain')])
  const band = on([advisory])
  assert.equal(band.mode, 'part')
  assert.ok(band.box.height < 540 && band.box.y + band.box.height === 1080, 'what runs keeps the larger part')
  const strip = on([advisory], { tick: partTime })
  assert.ok(strip.strip && strip.box.height <= 120, 'a strip remains')
  assert.ok(strip.cards[0].lines[0].text.includes('Rain'))
  const both = on([advisory, alert('emergency', [text('en', 'Fire')])], { tick: partTime })
  assert.equal(both.mode, 'full')
  assert.deepEqual(both.cards.map(c => c.frame), ['danger', 'caution'])
})

test('the gravest goes first, whatever came first', () => {
  const fire = alert('emergency', [text('en', 'Fire')])
  const severe = alert('emergency', [text('en', 'Flood', { severity: 'Severe' })])
  const later = alert('emergency', [text('en', 'Newer')], { sent: '2026-11-29T03:21:00+08:00' })
  const rain = alert('advisory', [text('en', 'Rain', { severity: 'Minor' })])
  const drill = alert('drill', [text('en', 'Drill')])
  const sorted = [drill, rain, severe, fire, later].sort(order)
  assert.deepEqual(sorted, [later, fire, severe, rain, drill])
})

test('every card is inside the screen, and none covers another', () => {
  for (const [width, height] of sizes) {
    for (let n = 1; n <= 6; n++) {
      const list = Array.from({ length: n }, (_, i) => alert(i ? 'advisory' : 'emergency', [text('zh-Hant', '火警'), text('en', long)]))
      const { cards, more } = on(list, { width, height })
      assert.equal(cards.length + more, n)
      let area = 0
      for (const { place: p } of cards) {
        assert.ok(p.x >= 0 && p.y >= 0 && p.x + p.width <= width && p.y + p.height <= height)
        area += p.width * p.height
      }
      assert.equal(area, width * height)
    }
  }
})

test('of many alerts each has its turn, and the gravest never gives way', () => {
  const list = Array.from({ length: 7 }, (_, i) => alert(i ? 'advisory' : 'emergency', [text('en', 'n' + i)]))
  const seen = new Set()
  for (let tick = 0; tick < 12 * pageTime; tick += pageTime) {
    const { cards } = on(list, { tick })
    assert.equal(cards[0].alert, list[0].alert)
    cards.forEach(c => seen.add(c.alert))
  }
  assert.equal(seen.size, 7)
})

test('headlines are an eighth of the height at least, three lines at most at a time, and nothing is lost', () => {
  for (const [width, height] of sizes) {
    for (const n of [1, 2, 3]) {
      const list = Array.from({ length: n }, () => alert('emergency', [text('zh-Hant', '安定邨安麗樓火警，請即沿樓梯離開', { instruction: '切勿使用升降機。'.repeat(9) }), text('en', 'Fire in On Lai House: leave by the stairs now', { instruction: long.repeat(3) })]))
      const floor = Math.min(width / (width < height ? 10 : 8), height / 8)
      const said = new Set()
      const seen = []
      for (let tick = 0; tick < 400 * pageTime; tick += pageTime) {
        const card = on(list, { width, height, tick }).cards[0]
        assert.ok(card.px.big >= floor - 1e-9, `${width}×${height}: ${card.px.big}`)
        assert.ok(card.lines.length <= 3)
        const used = card.lines.reduce((sum, l) => sum + (l.big ? card.px.big : card.px.small) * 1.18, 0)
        assert.ok(used <= card.px.room + 1 || card.lines.length === 1, `${width}×${height}, ${n} cards: ${used} of ${card.px.room}`)
        for (const l of card.lines) assert.ok(estimate(l.text) * (l.big ? card.px.big : card.px.small) <= card.place.width * 0.93 + 1)
        const key = card.page + '/' + card.pages
        if (!said.has(key)) { said.add(key); seen.push(card) }
        if (said.size === card.pages) break
      }
      const words = seen.filter(c => c.language === 'en').map(c => c.lines.map(l => l.text).join(' ')).join(' ').replace(/\s+/g, '')
      assert.ok(words.includes(long.repeat(3).replace(/\s+/g, '')), 'all of the instruction has its page')
    }
  }
})

test('languages take turns, Chinese first, every 8 seconds', () => {
  const a = alert('emergency', [text('en', 'Leave now'), text('pt', 'Saia agora'), text('zh-Hant-HK', '請即離開')])
  const languages = [0, 1, 2, 3].map(i => on([a], { tick: i * 8000 }).cards[0].language)
  assert.deepEqual(languages, ['zh-Hant-HK', 'en', 'pt', 'zh-Hant-HK'])
  assert.equal(on([a], { tick: 7999 }).cards[0].language, 'zh-Hant-HK')
  assert.equal(on([a]).cards[0].word, '危險')
  assert.equal(on([a], { tick: 8000 }).cards[0].word, 'DANGER')
})

test('a language that is written from right to left is drawn so', () => {
  for (const [language, rtl] of [['ur', true], ['ar-EG', true], ['pa-Arab', true], ['PS', true], ['he', true], ['en', false], ['zh-Hant-HK', false], ['pa', false], ['arn', false], ['hak', false]]) {
    assert.equal(on([alert('emergency', [text(language, 'Leave now')])]).cards[0].rtl, rtl, language)
  }
})

test('a text for which there are no letters gives its turn to the others', () => {
  const a = alert('emergency', [text('en', 'Leave now'), text('ne', 'Agalagi'), text('zh-Hant-HK', '請即離開')])
  const lacking = (...languages) => ({ legible: t => !languages.includes(t.language) })
  const turns = more => [0, 1, 2, 3].map(i => on([a], Object.assign({ tick: i * 8000 }, more)).cards[0])
  assert.deepEqual(turns(lacking('ne')).map(c => c.language), ['zh-Hant-HK', 'en', 'zh-Hant-HK', 'en'])
  assert.ok(turns(lacking('ne')).every(c => !c.illegible))
  const none = turns(lacking('ne', 'en', 'zh-Hant-HK'))
  assert.deepEqual(none.map(c => c.language), ['zh-Hant-HK', 'en', 'ne', 'zh-Hant-HK'])
  assert.ok(none.every(c => c.illegible), 'boxes are better than nothing, and are told as such')
})

test('a text that has run out is not shown while another holds', () => {
  const a = alert('emergency', [text('zh-Hant', '過期', { expires: '2026-11-29T03:00:00+08:00' }), text('en', 'Holds')])
  assert.equal(on([a]).cards[0].language, 'en')
  assert.equal(on([a]).cards[0].pages, 1)
})

test('one incident is one card, and senders who contradict each other both speak', () => {
  const centre = alert('emergency', [text('en', 'Stay inside', { from: 'Observatory' })], { incident: 'i-7', sent: '2026-11-29T03:10:00+08:00' })
  const district = alert('emergency', [text('en', 'Leave now', { from: 'District' })], { incident: 'i-7' })
  const drill = alert('drill', [text('en', 'Drill')], { incident: 'i-7' })
  const { cards } = on([centre, district, drill])
  assert.equal(cards.length, 2)
  assert.deepEqual(cards[0].voices.map(v => [v.from, v.sent, v.headline]), [['District', '03:20', 'Leave now'], ['Observatory', '03:10', 'Stay inside']])
  assert.deepEqual(cards[0].shows.map(s => s.alert), [district.alert, centre.alert])
})

test('a drill says so on every page, and never wears the colours of danger', () => {
  const a = alert('drill', [text('zh-Hant', '火警'), text('en', 'Fire')], { tier: 'emergency' })
  for (const tick of [0, 8000]) {
    const card = on([a], { tick }).cards[0]
    assert.ok(card.drill && card.frame === 'drill')
    assert.equal(card.word, tick ? 'DRILL' : '演習')
  }
  assert.equal(on([a]).mode, 'full', 'the drill of an emergency')
  const real = alert('advisory', [text('en', 'Rain')])
  assert.deepEqual(on([a, real]).cards.map(c => c.frame), ['caution', 'drill'])
  assert.equal(on([a, real]).mode, 'part', 'a drill lifts nothing real, and takes no screen from it')
})

test('who says it, until when, and when it begins', () => {
  const card = on([alert('emergency', [text('en', 'Fire', { onset: '2026-11-29T04:00:00+08:00' })])]).cards[0]
  assert.deepEqual([card.from, card.sent, card.until, card.begins], ['Fire Services', '03:20', '04:30', '04:00'])
  assert.equal(timeOf('2026-11-30T04:30:00+08:00', { now, zone }), '2026-11-30 04:30')
})

test('the badge says how old the last word is', () => {
  assert.equal(linkOf(null, now, zone).level, 'never')
  assert.equal(linkOf(9000, now, zone).level, 'fresh')
  assert.deepEqual([linkOf(14 * 60000, now, zone).level, linkOf(14 * 60000, now, zone).at], ['old', '03:12'])
  assert.equal(ago(14 * 60000, words.en), '14 minutes ago')
  assert.equal(ago(60000, words.en), '1 minute ago')
  assert.equal(ago(3 * 3600000, words['zh-Hant']), '3 小時前')
})

test('lines break where they may', () => {
  assert.deepEqual(broken('Leave now by the stairs', 8), ['Leave now by', 'the stairs'])
  if (Intl.Segmenter) assert.deepEqual(broken('安麗樓火警請即離開', 5).join('|').includes('火|警'), false, 'a word stays together')
  assert.ok(broken('請立即離開，切勿使用升降機。', 6).every(l => !/^[，。]/.test(l)))
  assert.equal(broken('x'.repeat(100), 5).join(''), 'x'.repeat(100))
  assert.deepEqual(broken('', 5), [])
})

test('nothing that moves does so more often than three times a second', () => {
  const css = fs.readFileSync(new URL('../files/screen.css', import.meta.url), 'utf8')
  for (const [, value, unit] of css.matchAll(/animation:[^;]*?([\d.]+)(ms|s)\b/g)) {
    assert.ok(Number(value) * (unit === 's' ? 1000 : 1) >= 1000, 'a period of a second at least')
  }
  assert.ok(!/steps\(/.test(css))
})

test('what no node has confirmed since a restart says so, on a strip as well', () => {
  assert.ok(on([alert('emergency', [text('en', 'Fire')], {})]).cards.every(c => !c.unconfirmed))
  for (const tier of ['emergency', 'advisory']) {
    const a = Object.assign(alert(tier, [text('en', 'Fire')]), { unconfirmed: true })
    assert.deepEqual(on([a], { tick: partTime }).cards.map(c => c.unconfirmed), [true])
  }
  for (const w of Object.values(words)) assert.ok(w.unconfirmed)
})
