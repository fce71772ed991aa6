// Draw puts an arrangement on the glass and says what is really on it: a card counts once two
// frames were painted while the page was visible, the card had a size, and nothing of this page
// or above it covered it.
import { ago, words } from './words.js'
import { pathOf, quiet } from './code.js'

const svg = 'http://www.w3.org/2000/svg'

// shapes tell the frames apart for whoever does not see colours (ISO 22324 wants more than colour).
const shapes = {
  danger: 'M32 4 60 32 32 60 4 32Z M29 16h6l-1 22h-4z M29 43h6v6h-6z',
  caution: 'M32 5 61 57H3Z M29 24h6l-1 17h-4z M29 45h6v6h-6z',
  drill: 'M8 8h48v48H8Z M20 20v24h9a12 12 0 0 0 0-24z M26 26h3a6 6 0 0 1 0 12h-3z'
}

export class Glass {
  // root is the element that holds the cards; bar the one at the bottom that says how old the last
  // word is. changed() is called whenever what can be seen has changed.
  constructor (root, bar, changed) {
    this.root = root
    this.bar = bar
    this.changed = changed
    this.drawn = ''
    this.cards = new Map() // alert to {element, revision}: what is drawn
    this.seen = new Map() // alert to {why, revision}, as it was on the glass last; why is 'painted', or why it cannot be seen
    this.waiting = [] // {alert, revision, resolve, reject}
    this.canvas = document.createElement('canvas').getContext('2d')
    this.widths = new Map()
    document.addEventListener('visibilitychange', () => this.look())
  }

  // measure is the width of a text in em of the page's bold font.
  measure (text) {
    let width = this.widths.get(text)
    if (width === undefined) {
      this.canvas.font = '700 100px ' + getComputedStyle(this.root).fontFamily
      width = this.canvas.measureText(text).width / 100
      if (this.widths.size > 4000) this.widths.clear()
      this.widths.set(text, width)
    }
    return width
  }

  // show draws an arrangement where it differs from what is drawn.
  show (a) {
    const key = JSON.stringify(a)
    if (key === this.drawn) return
    this.drawn = key
    this.cards.clear()
    const elements = a.cards.map(c => this.card(c))
    this.root.className = a.mode + (a.strip ? ' strip' : '')
    this.root.replaceChildren(...elements)
    document.documentElement.dataset.mode = a.mode
    this.look()
  }

  card (c) {
    const element = make('article', 'card ' + c.frame + (c.first ? ' first' : '') + (c.px.narrow ? ' narrow' : ''))
    element.lang = c.language
    element.setAttribute('aria-label', c.word + ': ' + c.headline)
    element.dataset.alert = c.alert
    element.dataset.revision = c.revision
    element.dataset.page = c.page + '/' + c.pages
    place(element, c.place)
    const band = make('header', 'band')
    size(band, c.px.band)
    band.append(icon(c.frame), make('b', 'word', c.word), own('span', 'event', c.event === c.word ? '' : c.event))
    if (c.unconfirmed) band.append(make('span', 'says unconfirmed', c.words.unconfirmed))
    if (c.drill && !c.strip) band.append(make('span', 'says', c.words.drillSays))
    if (c.pages > 1) band.append(make('span', 'page', c.page + '/' + c.pages))
    if (c.more) band.append(make('span', 'more', '+' + c.more))
    const lines = make('div', 'lines')
    for (const l of c.lines) {
      const line = make('p', l.big ? 'line big' : 'line', l.text)
      line.dir = c.rtl ? 'rtl' : 'ltr'
      size(line, l.big ? c.px.big : c.px.small)
      lines.append(line)
    }
    if (c.code) element.append(band, this.coded(c, lines))
    else element.append(band, lines)
    if (c.voices.length) element.append(this.voices(c))
    element.append(this.foot(c))
    for (const { alert, revision } of c.shows) this.cards.set(alert, { element, revision, illegible: c.illegible })
    return element
  }

  // coded is the lines with the code with which residents answer.
  coded (c, lines) {
    const both = make('div', c.code.below ? 'coded below' : 'coded')
    const figure = make('figure', 'code')
    const side = c.code.modules + 2 * quiet
    const image = document.createElementNS(svg, 'svg')
    image.setAttribute('viewBox', '0 0 ' + side + ' ' + side)
    image.setAttribute('role', 'img')
    image.setAttribute('aria-label', c.words.scan)
    image.setAttribute('shape-rendering', 'crispEdges')
    image.style.width = image.style.height = c.code.side + 'px'
    const path = document.createElementNS(svg, 'path')
    path.setAttribute('d', pathOf(c.code))
    image.append(path)
    const says = make('figcaption', '', c.words.scan)
    size(says, Math.max(12, c.code.side * (c.code.below ? 0.15 : 0.085)))
    figure.append(image, says)
    both.append(lines, figure)
    return both
  }

  voices (c) {
    const list = make('ul', 'voices')
    size(list, c.px.foot * 1.15)
    for (const v of c.voices) {
      const item = make('li', v.frame)
      item.lang = v.language
      const who = make('b', '', v.sent + ' ')
      who.append(own('span', '', v.from))
      item.append(who, ' ', own('span', '', v.headline))
      list.append(item)
    }
    return list
  }

  foot (c) {
    const foot = make('footer', 'foot')
    size(foot, c.px.foot)
    const said = make('span', 'from', c.sent + ' · ') // what the node says comes before what a sender wrote
    said.append(own('span', '', c.from))
    const until = make('b', 'until', c.words.until + ' ' + c.until)
    const begins = c.begins ? [make('b', 'begins', c.words.begins + ' ' + c.begins)] : []
    foot.append(said, own('span', 'areas', c.areas), ...begins, until)
    return foot
  }

  // rest draws what stands while nothing is in force and nothing else runs: the time, and that
  // nothing is, while the link says so.
  rest (element, link, time, nothing) {
    const text = nothing && link.level === 'fresh' ? words['zh-Hant'].nothing + ' · ' + words.en.nothing : ''
    if (element.dataset.drawn === time + text) return
    element.dataset.drawn = time + text
    element.replaceChildren(make('b', '', time), make('p', '', text))
  }

  // age draws how old the last word is, in Chinese and English, or in the languages that are given.
  age (link, connected, languages = ['zh-Hant', 'en']) {
    const en = words.en
    const say = w => {
      if (link.level === 'never') return w.never
      if (link.level === 'fresh') return (connected ? w.connected : w.lost) + ' ' + link.at
      return w.lastWord + (w === en ? ' ' + link.at + ', ' : ' ' + link.at + '，') + ago(link.silence, w)
    }
    const text = languages.map(l => say(words[l])).join(' · ')
    if (this.bar.textContent !== text) this.bar.textContent = text
    this.bar.className = link.level
  }

  // painted resolves once this revision of the alert is on the glass.
  painted (alert, revision) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ alert, revision, resolve, reject })
      this.look()
    })
  }

  // onGlass is what can be seen: [{alert, revision}].
  onGlass () { return [...this.seen].filter(([, s]) => s.why === 'painted').map(([alert, s]) => ({ alert, revision: s.revision })) }

  // gone resolves once two frames were painted without this revision.
  async gone (alert, revision) {
    await frames()
    if (this.cards.has(alert) && this.cards.get(alert).revision === revision) throw new Error('it is still drawn')
  }

  // forget gives up waiting for revisions of an alert up to this one: they are to be shown no more.
  forget (alert, revision) {
    const over = w => w.alert === alert && w.revision <= revision
    this.waiting.filter(over).forEach(w => w.reject(new Error('it was over before it was seen')))
    this.waiting = this.waiting.filter(w => !over(w))
  }

  // look waits for two frames and then says of every card whether it can be seen.
  async look () {
    const turn = this.turn = (this.turn || 0) + 1
    await frames()
    if (turn !== this.turn) return
    const before = JSON.stringify([...this.seen])
    this.seen = new Map([...this.cards].map(([alert, { element, revision, illegible }]) => {
      const why = covered(element)
      return [alert, { why: illegible && why === 'painted' ? 'no letters' : why, revision }]
    }))
    this.waiting = this.waiting.filter(w => {
      const s = this.seen.get(w.alert)
      const there = s !== undefined && s.why === 'painted' && s.revision === w.revision
      if (there) w.resolve()
      return !there
    })
    if (before !== JSON.stringify([...this.seen])) this.changed()
  }

  // hidden is why something that is in force cannot be seen; '' where all can.
  hidden () {
    for (const { why } of this.seen.values()) if (why !== 'painted') return why
    return ''
  }
}

// dim shows one frame that nobody notices and resolves once it was really painted over everything of
// this page; it rejects with the reason why it cannot be seen. It is away again at once.
export async function dim () {
  const element = make('div', 'dim')
  document.body.append(element)
  try {
    await frames()
    const why = covered(element)
    if (why !== 'painted') throw new Error('the page is ' + why)
  } finally {
    element.remove()
  }
}

// framesPainted is how many frames this page has painted, of those that it has waited for.
let counted = 0
export const framesPainted = () => counted

// frames resolves when two frames were painted. Hidden pages have no frames.
export function frames () {
  return new Promise(resolve => {
    if (document.visibilityState !== 'visible') return setTimeout(resolve, 50)
    requestAnimationFrame(() => requestAnimationFrame(() => { counted++; resolve() }))
  })
}

// covered is 'painted', or in a word why the element cannot be seen.
function covered (element) {
  if (document.visibilityState !== 'visible') return 'hidden'
  const box = element.getBoundingClientRect()
  const [width, height] = [window.innerWidth, window.innerHeight]
  if (width < 64 || height < 32 || box.width < 32 || box.height < 16) return 'too small'
  for (const [x, y] of [[0.5, 0.5], [0.1, 0.2], [0.9, 0.8]]) {
    const at = [Math.min(Math.max(box.left + box.width * x, 0), width - 1), Math.min(Math.max(box.top + box.height * y, 0), height - 1)]
    const top = document.elementFromPoint(at[0], at[1])
    if (!top || !element.contains(top)) return 'covered'
  }
  return 'painted'
}

export function make (tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text) element.textContent = text
  return element
}

// own is make for what somebody wrote: it runs as its own first letter does.
export function own (tag, className, text) {
  const element = make(tag, className, text)
  element.dir = 'auto'
  return element
}

export function icon (frame) {
  const image = document.createElementNS(svg, 'svg')
  image.setAttribute('viewBox', '0 0 64 64')
  image.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(svg, 'path')
  path.setAttribute('d', shapes[frame])
  path.setAttribute('fill-rule', 'evenodd')
  image.append(path)
  return image
}

function size (element, px) { element.style.fontSize = px.toFixed(1) + 'px' }

function place (element, p) {
  element.style.left = p.x + 'px'
  element.style.top = p.y + 'px'
  element.style.width = p.width + 'px'
  element.style.height = p.height + 'px'
}
