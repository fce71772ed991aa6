// List decides what a phone shows of what is in force: which cards, in which order, and which of them a
// person has to answer before anything else. It is pure, as arrange.js is.
import { order, takesAll, timeOf } from './arrange.js'
import { isChinese } from './words.js'

// listed gives {mode, cards}. mode is 'forced' where something must be answered first, and then only that
// is in cards; else 'list' or 'idle'.
//
//   alerts   {alert, revision, body, look, answer, unconfirmed}: answer is '' until a person gave one; nobody is
//            asked about what no node has confirmed since the page was loaded again
//   now, zone, words
//   legible  (text) => whether the page has the letters of one of body.texts; left out: of all
export function listed (input) {
  const all = input.alerts.filter(a => !(Date.parse(a.body.expires) <= input.now)).sort(order).map(a => cardOf(a, input)).filter(c => c.texts.length)
  const forced = all.filter(c => c.forced)
  if (forced.length) return { mode: 'forced', cards: forced.map((c, i) => Object.assign(c, { place: (i + 1) + '/' + forced.length, first: i === 0 })) }
  return { mode: all.length ? 'list' : 'idle', cards: all }
}

// A critical alert must be answered, also in a drill: else a drill would rehearse something else.
export const critical = takesAll

function cardOf (a, input) {
  const texts = textsOf(a.body, input)
  const frame = a.look.tier === 'drill' ? 'drill' : critical(a) ? 'danger' : 'caution'
  return {
    alert: a.alert, revision: a.revision, frame, unconfirmed: !!a.unconfirmed, forced: critical(a) && !a.answer && !a.unconfirmed, asks: !a.unconfirmed && (critical(a) || a.body.confirm === 'person'), answer: a.answer, changing: !!a.changing, place: '',
    illegible: !texts.some(t => t.legible), word: input.words[frame], drill: frame === 'drill', texts, until: timeOf(a.body.expires, input), sent: timeOf(a.body.sent, input)
  }
}

// textsOf are the texts that still hold, those of the person's language first. One for which the page has no letters
// comes behind the others, which a person can read.
function textsOf (body, input) {
  const chinese = input.words.tag !== 'en'
  return body.texts.filter(t => !(Date.parse(t.expires) <= input.now))
    .map((t, i) => ({ t, i, legible: !input.legible || input.legible(t) }))
    .sort((x, y) => y.legible - x.legible || (isChinese(y.t.language) === chinese) - (isChinese(x.t.language) === chinese) || x.i - y.i)
    .map(({ t, legible }) => ({
      language: t.language, headline: t.headline || t.event, instruction: t.instruction || '', description: t.description || '', contact: t.contact || '',
      from: t.from || body.sender, areas: (t.areas || []).join(isChinese(t.language) ? '、' : ', '), legible
    }))
}
