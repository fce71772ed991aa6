// Announce decides what a speaker plays when: one alert after the other, the gravest first, each with its
// tone and its messages, three times; what ends is silent at once. It is pure but for the player that it
// is given, as channels/speaker is in Go.
import { sha256 } from './contract/noble/sha2.js'
import { isChinese } from './words.js'

export const times = 3
export const between = 1000 // ms after the tone, and after each message
const tiers = ['emergency', 'advisory', 'drill']

// linesOf are what is said of the texts of a body, Chinese first; a drill says that it is one.
export function linesOf (body, look) {
  const texts = body.texts.map((t, i) => ({ t, i })).sort((a, b) => isChinese(b.t.language) - isChinese(a.t.language) || a.i - b.i)
  return texts.map(({ t }) => {
    const drill = look.tier !== 'drill' ? '' : isChinese(t.language) ? '演習。' : 'This is a drill. '
    return { language: t.language, text: drill + ((t.headline || '').trim() || t.event) + '. ' + (t.instruction || '') }
  })
}

// nameOf is by what nodes address the sound of a line.
export function nameOf (line) {
  return Array.from(sha256(new TextEncoder().encode(line.language + '\n' + line.text)), b => (b < 16 ? '0' : '') + b.toString(16)).join('')
}

export class Announcer {
  // player   tone(sound, level) and say(line, level) resolve when it was heard to its end, and reject
  //          where nothing is heard; say resolves with false where no voice can speak the line.
  //          prepare(line) may fetch what will be said; rest(ms) waits; hush() ends what sounds
  // level(tier)             0 to 1, asked when it begins
  // done(effect, error)     it was heard to its end, or why it was not
  // changed()               something begins or ends
  constructor (options) {
    this.options = options
    this.waiting = []
    this.now = null
  }

  // give takes what begins, what is to be heard again, and what ends.
  give (e) {
    const same = w => w.alert === e.alert
    if (e.action === 'remind' && (this.now && same(this.now) || this.waiting.some(same))) return
    this.waiting = this.waiting.filter(w => !same(w))
    if (this.now && (same(this.now) || e.action !== 'stop' && rank(e) < rank(this.now))) {
      if (!same(this.now)) this.waiting.push(this.now) // it is heard afterwards, from its beginning
      this.now = null
      this.options.player.hush()
    }
    if (e.action !== 'stop') {
      this.waiting.push(e)
      this.waiting = this.waiting.map((w, i) => ({ w, i })).sort((a, b) => rank(a.w) - rank(b.w) || a.i - b.i).map(x => x.w)
    }
    this.next()
  }

  // silence ends what sounds and what waits. What was not heard to its end is not heard.
  silence () {
    const all = (this.now ? [this.now] : []).concat(this.waiting)
    this.now = null
    this.waiting = []
    this.options.player.hush()
    for (const e of all) this.options.done(e, new Error('silenced'))
    this.options.changed()
  }

  next () {
    if (this.now || !this.waiting.length) return this.options.changed()
    const e = this.now = this.waiting.shift()
    this.options.changed()
    this.play(e).then(() => this.ended(e), error => this.ended(e, error))
  }

  ended (e, error) {
    if (this.now !== e) return // it was stopped, or something graver goes first
    this.now = null
    this.options.done(e, error)
    this.next()
  }

  async play (e) {
    if (e.look.sound === 'none') return
    const { player } = this.options
    const level = this.options.level(e.look.tier)
    const lines = linesOf(e.body, e.look)
    for (const line of lines) player.prepare(line)
    const goesOn = () => { if (this.now !== e) throw new Error('stopped') }
    for (let i = 0; i < times; i++) {
      await player.tone(e.look.sound, level)
      goesOn()
      for (const line of lines) {
        await player.rest(between)
        goesOn()
        await player.say(line, level)
        goesOn()
      }
      await player.rest(between)
      goesOn()
    }
  }
}

function rank (e) {
  const at = tiers.indexOf(e.look ? e.look.tier : '')
  return at < 0 ? tiers.length : at
}
