// Reporting is the form with which a person reports something, and the list of what became of it. The photo is
// drawn anew until it fits into one packet, which leaves out what the camera wrote beside it.
import { kinds, maxPhoto, maxText, maxPlace } from './contract/report.js'
import { written } from './contract/time.js'
import { timeOf } from './arrange.js'

const find = id => document.getElementById(id)
const sides = [1280, 1024, 800, 640, 480, 320]
const qualities = [0.8, 0.6, 0.4]
const everyPosition = 60000 // ms between two positions that are shared
const patience = 10000 // ms for a position

export class Reporting {
  // words; zone; reports (of reports.js); now(); alerts() → [{alert, headline}], the gravest first;
  // connected() → publish or null
  constructor (options) {
    this.options = options
    this.photo = ''
    this.sharing = null // {alert, timer}
    this.lines = ''
    const w = options.words
    text('report', w.report); text('reporting-title', w.reporting); text('kinds-title', w.kind)
    find('photo-label').firstElementChild.textContent = w.photo
    text('text-label', w.text); text('place-label', w.place)
    find('position-label').lastElementChild.textContent = w.position
    find('of-label').firstElementChild.textContent = w.of
    text('send', w.send); text('back', w.back); text('told-title', w.told)
    for (const kind of kinds.filter(k => k !== 'position')) {
      const label = document.createElement('label')
      label.className = 'kind-' + kind
      const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'kind', value: kind })
      label.append(radio, w.kinds[kind])
      find('kinds').append(label)
    }
    find('kinds').addEventListener('change', () => {
      for (const l of find('kinds').querySelectorAll('label')) l.classList.toggle('chosen', l.firstElementChild.checked)
      say('')
    })
    find('report').addEventListener('click', () => this.open())
    find('back').addEventListener('click', () => this.close())
    find('photo').addEventListener('change', () => this.take())
    find('reporting').addEventListener('submit', e => { e.preventDefault(); this.send() })
    find('share').addEventListener('click', () => this.share())
    find('position-label').hidden = !navigator.geolocation || !window.isSecureContext
  }

  open () {
    const alerts = this.options.alerts()
    const options = alerts.map(a => new Option(a.headline, a.alert)).concat(new Option(this.options.words.ofNone, ''))
    find('of').replaceChildren(...options)
    find('of-label').hidden = alerts.length === 0
    find('home').hidden = true
    find('reporting').hidden = false
    window.scrollTo(0, 0)
    find('reporting-title').focus()
  }

  close () {
    find('reporting').reset()
    for (const l of find('kinds').querySelectorAll('.chosen')) l.classList.remove('chosen')
    this.photo = ''
    find('seen').hidden = true
    find('photo-label').firstElementChild.textContent = this.options.words.photo
    say('')
    find('reporting').hidden = true
    find('home').hidden = false
    find('report').focus()
  }

  // take makes the photo small enough, and shows what will be sent.
  async take () {
    const file = find('photo').files[0]
    if (!file) return
    const w = this.options.words
    say('')
    try {
      this.photo = await smaller(file, find('seen'))
      find('seen').hidden = false
      find('photo-label').firstElementChild.textContent = w.photoAgain
    } catch (error) {
      this.photo = ''
      find('seen').hidden = true
      say(w.noPhoto)
    }
  }

  async send () {
    const w = this.options.words
    const chosen = find('kinds').querySelector('input:checked')
    const words = find('text').value.trim()
    const place = find('place').value.trim()
    if (!chosen) return say(w.noKind)
    if (chosen.value === 'other' && !words && !this.photo) return say(w.noText)
    if (bytes(words) > maxText || bytes(place) > maxPlace) return say(w.longText)
    if (this.options.reports.full) return say(w.full)
    find('send').disabled = true
    const report = { kind: chosen.value, at: written(this.options.now()) }
    if (find('of').value) report.alert = find('of').value
    if (words) report.text = words
    if (place) report.place = place
    if (this.photo) report.photo = this.photo
    let missing = false
    if (find('position').checked) {
      const position = await where()
      if (position) report.position = position
      else missing = true
    }
    const stored = await this.options.reports.add(report)
    find('send').disabled = false
    this.close()
    find('problem').textContent = [stored ? '' : w.unkept, missing ? w.noPosition : ''].filter(Boolean).join(' ')
  }

  // share begins and ends sharing where the person is, for the gravest alert.
  share () {
    if (this.sharing) {
      clearInterval(this.sharing.timer)
      this.sharing = null
      text('shared', '')
      return this.draw()
    }
    const [first] = this.options.alerts()
    if (!first) return
    this.sharing = { alert: first.alert, timer: setInterval(() => this.tell(), everyPosition) }
    text('shared', this.options.words.sharing)
    this.tell()
    this.draw()
  }

  // tell publishes where the person is. What cannot be sent now is not worth sending later.
  async tell () {
    const s = this.sharing
    if (!s) return
    if (!this.options.alerts().some(a => a.alert === s.alert)) return this.share() // the alert is over
    if (document.visibilityState !== 'visible') return
    const position = await where()
    if (!position) return text('shared', this.options.words.unshared)
    const ok = await this.options.position({ kind: 'position', alert: s.alert, at: written(this.options.now()), position })
    if (ok && this.sharing === s) text('shared', this.options.words.shared(this.time(this.options.now())))
  }

  time (at) { return timeOf(new Date(at).toISOString(), { now: this.options.now(), zone: this.options.zone }) }

  draw () {
    const w = this.options.words
    const [first] = this.options.alerts()
    find('share').hidden = !this.sharing && (!first || !navigator.geolocation || !window.isSecureContext)
    text('share', this.sharing ? w.unshare : first ? w.share(first.headline) : '')
    const reports = this.options.reports
    const rows = reports.list.slice().reverse().map(r => ({
      id: r.id, refused: r.state === 'refused', again: r.why === 'many',
      kind: w.kinds[r.kind] + ' · ' + this.time(r.made),
      says: r.state === 'sent' ? w.sent(this.time(r.at)) : r.state === 'refused' ? w.refusals[r.why] : reports.sending === r.id ? w.sending : w.waiting
    }))
    const lines = JSON.stringify(rows)
    if (lines === this.lines) return
    this.lines = lines
    find('told').hidden = rows.length === 0
    find('told-list').replaceChildren(...rows.map(r => this.row(r)))
  }

  row (r) {
    const item = document.createElement('li')
    item.className = r.refused ? 'refused' : ''
    item.append(Object.assign(document.createElement('b'), { textContent: r.kind }), Object.assign(document.createElement('span'), { textContent: r.says }))
    if (r.refused && r.again) {
      const again = Object.assign(document.createElement('button'), { type: 'button', textContent: this.options.words.sendAgain })
      again.addEventListener('click', () => this.options.reports.again(r.id))
      item.append(again)
    }
    return item
  }
}

function text (id, value) { if (find(id).textContent !== value) find(id).textContent = value }

function say (what) { text('reporting-says', what) }

const bytes = value => new TextEncoder().encode(value).length

// where is the position of this phone; null where it does not say.
function where () {
  return new Promise(resolve => navigator.geolocation.getCurrentPosition(
    p => resolve({ lat: p.coords.latitude, lon: p.coords.longitude, accuracy: Math.min(100000, Math.round(p.coords.accuracy || 0)) }),
    () => resolve(null), { enableHighAccuracy: true, timeout: patience, maximumAge: patience }))
}

// smaller draws a photo onto a canvas until it fits, and gives it in base64.
async function smaller (file, canvas) {
  const bitmap = await createImageBitmap(file)
  for (const side of sides) {
    const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height))
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    for (const quality of qualities) {
      const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/jpeg', quality))
      if (blob && blob.type === 'image/jpeg' && blob.size <= maxPhoto) return base64(new Uint8Array(await blob.arrayBuffer()))
    }
  }
  throw new Error('it cannot be made small enough')
}

function base64 (bytes) {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(binary)
}
