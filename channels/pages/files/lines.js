// Lines breaks text into lines of a width, as Chinese and European scripts are broken: between
// Chinese words where the browser knows them and characters where not, elsewhere at spaces, and inside a word only where it is longer than
// a line. It knows nothing of fonts: measure(text) gives a width in em.

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\ud83c-\ud87f][\udc00-\udfff]/
const closing = /^[\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\u300d\u300f\uff09\u3011\u300b,.;:!?)\]%]/

// estimate is a width in em that no bold font of a screen exceeds by much: where nothing can be
// measured, lines come out rather too short than too long.
export function estimate (text) {
  let width = 0
  for (const c of text) {
    if (wide.test(c)) width += 1
    else if (/[iljtfrI1 .,:;'|!()]/.test(c)) width += 0.38
    else if (/[mwMWQ@%]/.test(c)) width += 0.98
    else if (/[A-Z]/.test(c)) width += 0.8
    else width += 0.66
  }
  return width
}

const segmenter = typeof Intl === 'object' && Intl.Segmenter ? new Intl.Segmenter('zh', { granularity: 'word' }) : null

// tokens are words of Chinese, and single characters of everything else.
function tokens (paragraph) {
  if (!segmenter) return [...paragraph]
  const out = []
  for (const { segment } of segmenter.segment(paragraph)) {
    if (wide.test(segment)) out.push(segment)
    else out.push(...segment)
  }
  return out
}

// pieces are what a line may end behind.
function pieces (paragraph) {
  const out = []
  let word = ''
  for (const c of tokens(paragraph)) {
    if (wide.test(c) || closing.test(c)) {
      if (word && !closing.test(c)) {
        out.push(word)
        word = ''
      }
      if (closing.test(c) && (word || out.length)) {
        if (word) word += c
        else out[out.length - 1] += c
      } else {
        out.push(c)
      }
    } else if (c === ' ') {
      out.push(word + c)
      word = ''
    } else {
      word += c
    }
  }
  if (word) out.push(word)
  return out
}

// broken are the lines of a text, none of them wider than width em.
export function broken (text, width, measure = estimate) {
  const lines = []
  for (const paragraph of String(text).split(/\n+/)) {
    let line = ''
    const end = () => {
      if (line.trim()) lines.push(line.trim())
      line = ''
    }
    for (const piece of pieces(paragraph.replace(/\s+/g, ' ').trim())) {
      if (measure((line + piece).trim()) <= width) {
        line += piece
        continue
      }
      end()
      for (const c of piece) {
        if (line && measure(line + c) > width) end()
        line += c
      }
    }
    end()
  }
  return lines
}
