// Letters finds out whether this browser has the letters of a text. A box without fonts draws signs that
// nobody reads, and believes that it has shown the alert.

const noLetter = '\u{10fffd}' // for private use: what is drawn for it is drawn for every letter that no font has
const most = 64 // letters of a text that are looked at
const missing = 0.2 // is the part of them that may be: a rare sign in somebody's name keeps nobody from reading the rest
const side = 24 // pixels
const kept = 2000 // answers about letters
const keptTexts = 200 // answers about texts, each with its text: of what is drawn there are a dozen

export class Letters {
  // family is the page's own list of fonts. told(languages) hears, with spaces between, of which languages there
  // was a text that cannot be read.
  constructor (family, told) {
    this.told = told
    this.lacks = new Set()
    this.texts = new Map()
    this.letters = new Map()
    this.canvas = Object.assign(document.createElement('canvas'), { width: side, height: side }).getContext('2d', { willReadFrequently: true })
    this.canvas.font = '16px ' + family
    this.nothing = this.drawn(noLetter)
  }

  // reads says whether a text in a language can be read. It costs what is new in it.
  reads (language, text) {
    const key = language + '\n' + text
    let can = this.texts.get(key)
    if (can !== undefined) return can
    const letters = [...new Set(text.match(/\p{L}/gu) || [])].slice(0, most)
    can = letters.filter(l => !this.has(l)).length <= letters.length * missing
    if (this.texts.size >= keptTexts) this.texts.clear()
    this.texts.set(key, can)
    if (!can && !this.lacks.has(language)) {
      this.lacks.add(language)
      this.told([...this.lacks].sort().join(' ').slice(0, 120))
    }
    return can
  }

  has (letter) {
    let is = this.letters.get(letter)
    if (is === undefined) {
      is = this.drawn(letter) !== this.nothing
      if (this.letters.size >= kept) this.letters.clear()
      this.letters.set(letter, is)
    }
    return is
  }

  drawn (letter) {
    this.canvas.clearRect(0, 0, side, side)
    this.canvas.fillText(letter, 2, 18)
    return this.canvas.getImageData(0, 0, side, side).data.filter((_, i) => i % 4 === 3).join()
  }
}
