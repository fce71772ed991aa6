// Cards puts the list of a phone into the document. What is really seen of it is Glass's to say.
import { Glass, icon, make, own } from './draw.js'
import { answers } from './phonewords.js'
import { rightToLeft } from './words.js'

export class Cards extends Glass {
  // answer(alert, revision, word) is called at a press, change(alert) to answer anew, again(alert) to hear it once more.
  constructor (root, bar, { words, changed, answer, change, again }) {
    super(root, bar, changed)
    this.words = words
    this.answer = answer
    this.change = change
    this.again = again
    root.addEventListener('scroll', () => this.look())
    document.addEventListener('scroll', () => this.look())
  }

  show (list) {
    const before = document.documentElement.dataset.mode
    const drawn = this.drawn
    super.show(list)
    if (this.drawn === drawn) return
    const forced = list.mode === 'forced'
    for (const part of document.querySelectorAll('#home, #top')) part.inert = forced
    if (forced) {
      this.root.setAttribute('role', 'alertdialog')
      this.root.setAttribute('aria-modal', 'true')
      this.root.setAttribute('aria-label', list.cards[0].word)
      if (before !== 'forced') { this.root.scrollTop = 0; this.root.querySelector('.head').focus() }
    } else {
      for (const name of ['role', 'aria-modal', 'aria-label']) this.root.removeAttribute(name)
    }
  }

  card (c) {
    const w = this.words
    const element = make('article', 'card ' + c.frame)
    element.dataset.alert = c.alert
    element.dataset.revision = c.revision
    const band = make('header', 'band')
    band.append(icon(c.frame), make('b', 'word', c.word))
    if (c.place && c.place !== '1/1') band.append(make('span', 'place', c.place))
    if (c.drill) band.append(make('span', 'says', w.drillSays))
    element.append(band)
    if (c.illegible) element.append(make('p', 'unconfirmed', w.illegible))
    if (c.unconfirmed) element.append(make('p', 'unconfirmed', w.unconfirmed))
    if (c.answer) element.append(make('p', 'answered', answered(c.answer, this.words)))
    c.texts.forEach((t, i) => element.append(text(t, i, c.first ? 'h1' : 'h2')))
    const foot = make('p', 'foot') // what the node says comes before what a sender wrote
    foot.append(make('b', 'until', w.until + ' ' + c.until), ' · ' + w.issued(c.sent) + ' · ' + w.from + ' ', own('bdi', '', c.texts[0].from))
    element.append(foot, this.buttons(c))
    this.cards.set(c.alert, { element, revision: c.revision, illegible: c.illegible })
    return element
  }

  buttons (c) {
    const w = this.words
    const row = make('p', 'answers')
    if (c.asks && (!c.answer || c.changing)) {
      for (const word of answers) row.append(button(word, w[word], () => this.answer(c.alert, c.revision, word)))
    }
    if (c.asks && c.answer) row.append(button('change', c.changing ? w.keep : w.change, () => this.change(c.alert)))
    if (!c.unconfirmed) row.append(button('again', w.again, () => this.again(c.alert)))
    return row
  }

  // age says it in the person's language alone.
  age (link, connected) { super.age(link, connected, [this.words.tag]) }
}

// answered says what was answered, here or on another device of the person; what the words are not known
// of is a text of somebody else's device.
function answered (answer, w) {
  const [, elsewhere, word] = answer.match(/^(elsewhere:)?(.*)$/s)
  const said = answers.includes(word) ? w[word] : word === 'confirmed' ? '' : word
  return (elsewhere ? w.elsewhere : w.answered) + (said ? w.colon + said : '')
}

function text (t, i, heading) {
  const block = make('div', i ? 'text other' : 'text')
  block.lang = t.language
  block.dir = rightToLeft(t.language) ? 'rtl' : 'ltr'
  const head = make(i ? 'h2' : heading, 'head', t.headline)
  head.tabIndex = -1
  block.append(head)
  for (const name of ['instruction', 'description', 'contact', 'areas']) if (t[name]) block.append(make('p', name, t[name]))
  return block
}

function button (name, label, press) {
  const b = make('button', name, label)
  b.type = 'button'
  b.addEventListener('click', press)
  return b
}
