// Voice speaks texts with the voices that a browser has of its own, without the net where it says so.

// speaks says whether there is a voice for any of the languages.
export function speaks (languages) { return languages.some(l => voiceFor(l) !== null) }

// speak says texts [{language, headline, instruction}] one after the other; it resolves with how many
// were spoken to the end.
export async function speak (texts) {
  hush()
  let spoken = 0
  for (const t of texts) {
    const voice = voiceFor(t.language)
    if (voice && await said([t.headline, t.instruction].filter(Boolean).join('. '), voice)) spoken++
  }
  return spoken
}

// say says one text at a level from 0 to 1; it resolves with whether it was spoken to the end.
export async function say (language, text, level) {
  const voice = voiceFor(language)
  return voice !== null && said(text, voice, level)
}

export function hush () { if (window.speechSynthesis) window.speechSynthesis.cancel() }

function said (text, voice, level = 1) {
  return new Promise(resolve => {
    const u = new SpeechSynthesisUtterance(text)
    u.volume = level
    u.voice = voice
    u.lang = voice.lang
    u.onend = () => resolve(true)
    u.onerror = () => resolve(false)
    setTimeout(() => resolve(false), 60000) // some engines never tell
    window.speechSynthesis.speak(u)
  })
}

// voiceFor is a voice of the language; Cantonese is what Chinese of Hong Kong is spoken in.
function voiceFor (language) {
  if (!window.speechSynthesis) return null
  const wanted = /^(zh-hk|zh-hant|yue)/i.test(language) ? [/^(yue|zh[-_]hk)/i, /^zh/i] : [new RegExp('^' + String(language).split('-')[0].replace(/[^a-z]/gi, '') + '\\b', 'i')]
  const voices = window.speechSynthesis.getVoices()
  for (const w of wanted) {
    const found = voices.filter(v => w.test(v.lang)).sort((a, b) => b.localService - a.localService)
    if (found.length) return found[0]
  }
  return null
}
