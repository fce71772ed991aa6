// Rules decides what a device shows: given verified bodies, manifests and time, it says what is
// to be started, replaced, stopped and told, and what has to outlive a power cut. It knows
// neither connections nor clocks: the time, in milliseconds of the device's own clock, comes with
// every call. It does what channels/device/rules does in Go, effect for effect.
//
// Starting needs positive evidence, stopping needs explicit evidence, and silence says nothing.
//
// Every call that takes a time returns a list of effects, to be carried out in that order:
//   {action: 'start' | 'replace' | 'resume' | 'remind', alert, revision, body, look: {tier, sound}}
//   {action: 'stop', alert, revision, reason: 'expired' | 'ended' | 'superseded'}
//   {action: 'tell', alert, revision, receipt: {alert, revision, rung, at}}   its seq is yet to be given
//   {action: 'do', command}
import { validId } from './payload.js'
import { instant, written } from './time.js'

// The times of the contract, in milliseconds.
export const handover = 5000 // how long a superseded revision stays while the new body is awaited
export const afterlife = 24 * 3600 * 1000 // how long after its expiry an alert is remembered
export const unknownLife = 31 * 24 * 3600 * 1000 // of an alert of which only the end is known
export const staleness = 15000 // how old a manifest may be when it arrives

// The bounds of what is remembered.
const maxAlerts = 4096
const maxNodes = 1024
const maxStopping = 8
const maxAnswer = 64
const answersApart = 1000 // ms between two answers of a device, as their times say it: nodes keep tenths of seconds

const everything = Number.MAX_SAFE_INTEGER // the highest revision: none begins above it

export class Rules {
  constructor () {
    this.alerts = new Map() // id to memory
    this.commands = new Map() // id to expires
    this.versions = new Map() // node to the highest version of its whole manifests
    this.newest = 0 // time of the newest manifest that came whole
    this.listed = new Map() // id to what that manifest lists in force
    this.heard = false // a whole manifest came on this connection
    this.partly = new Map() // node to a manifest of which pages are still to come
    this.skew = 0 // to be added to the device's clock
    this.skewKnown = false
    this.lastWord = 0 // when, by the device's clock, the newest manifest came
    this.dirty = false
  }

  // connected says that a new connection, perhaps to another node, is up. Nothing begins before
  // its first whole manifest: until then a body may be backlog.
  connected () {
    this.heard = false
    this.partly.clear()
  }

  // manifest takes a verified manifest, or a page of one.
  manifest (m, now) {
    this.accept(m, now)
    for (const entry of m.in_force) this.list(entry, now)
    for (const end of m.ended) this.end(end)
    let effects = this.tick(now)
    for (const entry of m.in_force) effects = effects.concat(this.remind(entry, now))
    return effects
  }

  // remind presents again what nobody has confirmed here, once for each later reminder. What began after
  // the reminder, or was taken up again, was seen or heard just now.
  remind (entry, now) {
    const at = instant(entry.reminded)
    const m = this.alerts.get(entry.id)
    if (!at || !m || !m.shown || m.shown.revision !== entry.revision || at <= m.reminded || at > this.corrected(now) + staleness) return []
    m.reminded = at
    if (m.toldRevision === entry.revision && m.told.some(t => t.rung === 'acknowledged')) return []
    return [begins('remind', m.shown)]
  }

  // accept makes m the newest manifest, unless it is an older one of the same node, or its other
  // pages are still to come.
  accept (m, now) {
    const last = this.versions.get(m.node) || 0
    const at = instant(m.time)
    if (m.version > last || m.version === last && !this.skewKnown) {
      this.correct(at - now)
    } else if (m.version !== last || this.corrected(now) - at > staleness) {
      return
    }
    this.lastWord = now
    const listed = this.gather(m)
    if (!listed) return
    if (this.versions.size >= maxNodes) this.versions.clear()
    this.versions.set(m.node, m.version)
    this.newest = at
    this.heard = true
    this.listed = listed
  }

  // gather gives what the manifest lists as in force once it is whole; null until then.
  gather (m) {
    const listed = new Map(m.in_force.map(entry => [entry.id, entry]))
    let p = this.partly.get(m.node)
    if (!m.pages) {
      if (p && p.version <= m.version) this.partly.delete(m.node)
      return listed
    }
    if (!p || p.version < m.version || p.version === m.version && p.got.length !== m.pages) {
      if (this.partly.size >= maxNodes) this.partly.clear()
      p = { version: m.version, got: new Array(m.pages).fill(null) }
      this.partly.set(m.node, p)
    }
    if (m.version < p.version) return null
    p.got[m.page - 1] = listed
    const whole = new Map()
    for (const page of p.got) {
      if (!page) return null
      page.forEach((entry, id) => whole.set(id, entry))
    }
    this.partly.delete(m.node)
    return whole
  }

  // correct follows the node's clock. A manifest may have waited before it came, so a small step
  // back is its age, not an error of the clock.
  correct (skew) {
    if (this.skewKnown && skew < this.skew && this.skew - skew <= staleness) return
    this.skew = skew
    this.skewKnown = true
  }

  // corrected is the device's time, corrected by the newest manifest.
  corrected (now) { return now + this.skew }

  // list notes that a revision is in force somewhere in the district.
  list (entry, now) {
    const m = this.of(entry.id)
    keep(m, instant(entry.expires))
    if (entry.revision > m.highest) {
      m.highest = entry.revision
      this.dirty = true
    }
    if (m.shown && m.highest > m.shown.revision && !m.until) m.until = now + handover
  }

  // end notes that the alert is over, up to a revision or for ever.
  end (end) {
    const m = this.of(end.id)
    const forEver = end.why === 'cancelled' || end.why === 'superseded' || end.revision === 0
    const covers = forEver ? everything : end.revision
    if (covers > m.ended) {
      m.ended = covers
      this.dirty = true
    }
    keep(m, instant(end.expires) || instant(end.at) + unknownLife)
  }

  of (id) {
    let m = this.alerts.get(id)
    if (!m) this.alerts.set(id, m = newMemory(id))
    return m
  }

  // body takes a verified body.
  body (b, now) {
    const m = this.of(b.alert)
    keep(m, instant(b.expires))
    if (b.revision <= m.done) return again(m, b)
    if (m.held && b.revision < m.held.revision) return []
    if (b.status !== 'Actual' && b.status !== 'Exercise' && b.status !== 'Test') {
      m.done = b.revision
      this.dirty = true
      return this.tell(m, b.revision, 'refused', now)
    }
    const effects = again(m, b).concat(this.tell(m, b.revision, 'verified', now))
    hold(m, b)
    return effects.concat(this.settle(m, now))
  }

  // tell makes a receipt, at most once for each rung of a revision. Of lower revisions only the
  // newest thing is told that there is, that they are shown no more.
  tell (m, revision, rung, now) {
    if (revision > m.toldRevision) {
      m.told = []
      m.toldRevision = revision
    }
    if (revision === m.toldRevision && m.told.some(t => t.rung === rung)) return []
    const receipt = { alert: m.id, revision, rung, at: written(this.corrected(now)) }
    this.dirty = true
    if (revision === m.toldRevision) m.told.push(receipt)
    return [tells(receipt)]
  }

  // tick lets time pass: what has expired or was superseded stops, what may be forgotten is. Call
  // it no later than next says; more often does no harm.
  tick (now) {
    let effects = []
    for (const id of Array.from(this.alerts.keys()).sort()) effects = effects.concat(this.settle(this.alerts.get(id), now))
    this.forget(now)
    return effects
  }

  // next is the time by the device's clock at which the next tick is due; null when nothing
  // waits for time.
  next () {
    let next = null
    const sooner = at => { if (next === null || at < next) next = at }
    this.alerts.forEach(m => {
      if (m.until) sooner(m.until)
      if (!this.skewKnown) return // before the first manifest nothing can expire
      if (m.shown) sooner(instant(m.shown.expires) - this.skew)
      if (m.held) sooner(instant(m.held.expires) - this.skew)
    })
    return next
  }

  // forget drops what can have no effect any more.
  forget (now) {
    if (!this.skewKnown) return
    const at = this.corrected(now)
    this.alerts.forEach((m, id) => { if (idle(m) && at >= m.forget) this.alerts.delete(id) })
    this.commands.forEach((expires, id) => { if (at >= expires) this.commands.delete(id) })
    while (this.alerts.size > maxAlerts) {
      let first = null
      this.alerts.forEach(m => { if (idle(m) && (!first || m.forget < first.forget)) first = m })
      if (!first) return
      this.alerts.delete(first.id)
    }
  }

  // settle brings one alert to where it must be now, whatever came first.
  settle (m, now) {
    return this.settleResume(m, now).concat(this.settleHeld(m, now), this.settleShown(m, now))
  }

  // settleResume takes up again what was shown before the device lost power, once a whole manifest
  // has given the time and had the chance to end it. What is not taken up is shown no more; where it was shown
  // without a manifest (see unconfirmed), only once it has been taken away.
  settleResume (m, now) {
    if (!m.cut || !this.heard) return []
    const asked = m.asked > 0
    let b = m.resume
    m.cut = false
    m.resume = null
    m.asked = 0
    m.ranOut = false
    const reason = !b ? '' : b.revision <= m.ended ? 'ended' : this.expired(b, now) ? 'expired' : b.revision < m.highest ? 'superseded' : ''
    if (reason && !asked) { // it is dark since the power went
      stop(m, b.revision)
      b = null
    }
    const effects = this.stoppedAll(m, everything, now)
    if (!b) return effects
    if (reason) {
      stop(m, b.revision)
      this.dirty = true
      return effects.concat(stops(b, reason))
    }
    m.shown = b
    m.reminded = this.corrected(now)
    return effects.concat(begins('resume', b))
  }

  // stoppedAll tells of every revision up to this one that was to stop that it is shown no more.
  stoppedAll (m, upTo, now) {
    let effects = []
    const over = m.stopping.filter(revision => revision <= upTo)
    m.stopping = m.stopping.filter(revision => revision > upTo)
    for (const revision of over) effects = effects.concat(this.tell(m, revision, 'cancelled', now))
    this.dirty = this.dirty || effects.length > 0
    return effects
  }

  // settleHeld begins a body for which there is evidence, and lets go of one for which there can
  // be none any more.
  settleHeld (m, now) {
    if (m.other && this.lists(m.other)) [m.held, m.other] = [m.other, m.held]
    const b = m.held
    if (!b) return []
    const ended = b.revision <= m.ended
    const expired = !ended && this.expired(b, now)
    if (ended || expired || b.revision < m.highest) {
      letGo(m)
      m.done = Math.max(m.done, b.revision)
      this.dirty = true
      return ended ? this.tell(m, b.revision, 'cancelled', now) : expired ? this.tell(m, b.revision, 'expired', now) : []
    }
    return this.heard && (this.lists(b) || instant(b.time) > this.newest) ? this.begin(m, now) : []
  }

  // lists reports whether the newest manifest lists exactly this body.
  lists (b) {
    const entry = this.listed.get(b.alert)
    return entry !== undefined && entry.revision === b.revision && entry.digest === b.digest
  }

  // expired judges by the corrected clock; without a manifest there is none.
  expired (b, now) { return this.skewKnown && this.corrected(now) >= instant(b.expires) }

  // begin presents the held body. Tests are verified and recorded, never presented.
  begin (m, now) {
    const b = m.held
    const old = m.shown
    letGo(m)
    m.shown = b
    m.until = 0
    m.reminded = this.corrected(now)
    m.done = b.revision
    m.highest = Math.max(m.highest, b.revision)
    this.dirty = true
    if (old) stop(m, old.revision)
    if (lookOf(b).tier === 'test') {
      m.shown = null
      return old ? [stops(old, 'superseded')] : []
    }
    return [begins(old ? 'replace' : 'start', b)]
  }

  // settleShown stops what is shown, for one of the three reasons that there are.
  settleShown (m, now) {
    const b = m.shown
    if (!b) return []
    const reason = b.revision <= m.ended ? 'ended' : this.expired(b, now) ? 'expired' : m.until && now >= m.until ? 'superseded' : ''
    if (!reason) return []
    m.shown = null
    m.until = 0
    this.dirty = true
    stop(m, b.revision)
    return [stops(b, reason)]
  }

  // presented says that the device has shown or spoken the revision. Only then is it told, and
  // also that what it replaced is shown no more.
  presented (alert, revision, now) {
    const m = this.alerts.get(alert)
    const effects = m && revision > 0 ? this.stoppedAll(m, revision - 1, now) : []
    return effects.concat(this.step(alert, revision, 'presented', now))
  }

  // stopped says that the device shows the revision no more, as a stop asked. Only then is it told,
  // as cancelled. A device that could not stop does not say so.
  stopped (alert, revision, now) {
    const m = this.alerts.get(alert)
    return m && m.stopping.includes(revision) ? this.stoppedAll(m, revision, now) : []
  }

  // failed says that the device could not show or speak the revision.
  failed (alert, revision, now) { return this.step(alert, revision, 'failed', now) }

  step (alert, revision, rung, now) {
    const m = this.alerts.get(alert)
    return m && revision > 0 && revision === m.done ? this.tell(m, revision, rung, now) : []
  }

  // acknowledge says that a person confirmed the revision, with an answer of at most 64 bytes of
  // UTF-8. What is not shown, or no more, cannot be confirmed. Another answer than before takes its place.
  acknowledge (alert, revision, answer, now) {
    const m = this.alerts.get(alert)
    if (!m || !m.shown || m.shown.revision !== revision || new TextEncoder().encode(answer).length > maxAnswer) return []
    const told = revision === m.toldRevision && m.told.find(t => t.rung === 'acknowledged')
    if (told) return this.change(m, told, answer, now)
    const effects = this.tell(m, revision, 'acknowledged', now)
    for (const e of effects) {
      if (!answer) continue
      e.receipt.answer = answer
      // Else the last receipt is of a revision that was refused meanwhile.
      if (revision === m.toldRevision) m.told[m.told.length - 1].answer = answer
    }
    return effects
  }

  // change tells another answer than before, above it: by their times the later one counts. Without a word
  // nothing is changed.
  change (m, told, answer, now) {
    if (!answer || answer === told.answer) return []
    const next = Object.assign({}, told, { answer, at: written(Math.max(this.corrected(now), instant(told.at) + answersApart)) })
    m.told[m.told.indexOf(told)] = next // the one before may wait to be sent
    this.dirty = true
    return [tells(next)]
  }

  // answered is what a person answered to the revision: 'confirmed' where without a word; '' where nobody did.
  answered (alert, revision) {
    const m = this.alerts.get(alert)
    const told = m && m.toldRevision === revision ? m.told.find(t => t.rung === 'acknowledged') : undefined
    return told ? told.answer || 'confirmed' : ''
  }

  // proven says whether this revision was told as presented.
  proven (alert, revision) {
    const m = this.alerts.get(alert)
    return m !== undefined && m.toldRevision === revision && m.told.some(t => t.rung === 'presented')
  }

  // command takes a verified command. It is carried out at most once, and not after it has run
  // out.
  command (c, now) {
    const late = !this.skewKnown || this.corrected(now) >= instant(c.expires)
    if (late || this.commands.has(c.id) || this.commands.size >= maxAlerts) return []
    this.commands.set(c.id, instant(c.expires))
    this.dirty = true
    return [{ action: 'do', command: c }]
  }

  // presenting lists the alerts that are shown, sorted.
  presenting () {
    return Array.from(this.alerts.values()).filter(m => m.shown).map(m => m.id).sort()
  }

  // unconfirmed are effects, as of taking up again, of what was presented before power went and may be shown, marked and
  // silently, as long as no whole manifest has come since (CONTRACT.md §7.5): nothing was ever known of it that speaks
  // against it, and at, a time that the caller stands for, it had not run out. verified gives the body as its signature
  // says it is, now; nothing where it does not verify. Nothing of it is told but, once a manifest has come, that what
  // was asked for here and is not taken up is shown no more.
  unconfirmed (at, verified = b => b) {
    const effects = []
    for (const id of Array.from(this.alerts.keys()).sort()) {
      const m = this.alerts.get(id)
      if (!m.cut || !m.resume || m.resume.revision <= m.ended || m.resume.revision < m.highest || !this.proven(id, m.resume.revision)) continue
      const b = verified(m.resume)
      if (!b || m.ranOut) continue
      if (at >= instant(b.expires)) { // and stays so, should somebody set the clock back
        m.ranOut = this.dirty = true
        continue
      }
      m.asked = b.revision
      effects.push(Object.assign(begins('resume', b), { look: { tier: lookOf(b).tier, sound: 'none' } }))
    }
    return effects
  }

  // has reports whether exactly this body is shown, waits, or was shown before power went.
  has (b) {
    const m = this.alerts.get(b.alert)
    return m !== undefined && [m.shown, m.resume, m.held, m.other].some(o => o && o.revision === b.revision && o.digest === b.digest)
  }

  // changed reports whether export would give something new since it was asked last. The versions
  // of manifests do not count, or every one would wear the flash.
  changed () {
    const changed = this.dirty
    this.dirty = false
    return changed
  }

  // export gives what must survive a power cut, as a value for JSON. To start at most once, a
  // device stores it before it carries out the effects that came with it. Bodies that wait for
  // evidence are not in it: the node sends them again.
  export () {
    const alerts = Array.from(this.alerts.keys()).sort().map(id => {
      const m = this.alerts.get(id)
      return {
        id, highest: m.highest, done: m.done, ended: m.ended, forget: m.forget, shown: m.shown || m.resume,
        told: m.told.map(t => Object.assign({}, t)), stopping: m.stopping.slice(), ranOut: m.ranOut
      }
    })
    return { alerts, commands: Array.from(this.commands), versions: Array.from(this.versions) }
  }
}

// imported reads what export gave. What was shown is resumed at the first whole manifest, unless
// that ends it or it has expired. It throws where the memory is damaged.
export function imported (kept) {
  const r = new Rules()
  for (const a of kept.alerts) {
    const numbers = [a.highest, a.done, a.ended, a.forget].every(Number.isFinite)
    if (!numbers || !validId(a.id) || a.shown && a.shown.alert !== a.id) throw new Error('the memory of an alert is damaged')
    r.alerts.set(a.id, Object.assign(newMemory(a.id), {
      highest: a.highest, done: a.done, ended: a.ended, forget: a.forget, resume: a.shown || null, told: a.told,
      toldRevision: a.told.length ? a.told[0].revision : 0, stopping: a.stopping.slice(0, maxStopping), cut: true, ranOut: a.ranOut === true
    }))
  }
  r.commands = new Map(kept.commands)
  r.versions = new Map(kept.versions)
  return r
}

// lookOf decides by the status first, so that a drill never looks or sounds like the real thing,
// whatever the body asks for, and so that the real thing is never mistaken for a drill.
export function lookOf (body) {
  if (body.status === 'Exercise') return { tier: 'drill', sound: body.sound === 'none' ? 'none' : 'drill' }
  if (body.status !== 'Actual') return { tier: 'test', sound: 'none' }
  const tier = body.tier === 'emergency' ? 'emergency' : 'advisory'
  const known = body.sound === 'none' || body.sound === 'siren' && tier === 'emergency'
  return { tier, sound: known ? body.sound : 'chime' }
}

// newMemory is what is known of one alert; revisions only grow.
function newMemory (id) {
  return {
    id,
    highest: 0, // highest revision that a manifest listed or that was begun
    done: 0, // highest revision that began, ran out or was refused: none up to it begins again
    ended: 0, // revisions up to this one are over
    forget: -Infinity, // by the corrected clock
    held: null, // verified, waits for evidence
    other: null, // the same revision with other content; null without held
    shown: null, // being presented
    resume: null, // was being presented when power went
    cut: false, // power went, and no whole manifest has come since
    asked: 0, // the revision of resume that was to be shown without a manifest; 0: none
    ranOut: false, // resume has run out by a clock that no manifest has corrected since power went
    until: 0, // by the device's clock: shown is superseded and must go then
    reminded: 0, // by the corrected clock: when shown was presented from its beginning last
    told: [], // receipts of toldRevision
    toldRevision: 0,
    stopping: [] // revisions that are to be shown no more, until the device says that they are not
  }
}

function keep (m, expires) { m.forget = Math.max(m.forget, expires + afterlife) }

function idle (m) { return !m.held && !m.shown && !m.resume }

// hold keeps a body that waits. Two halves of the district may have taken different messages under
// one key, so that which of them stands is for the manifest to say.
function hold (m, b) {
  if (!m.held || m.held.revision !== b.revision) m.other = null
  else if (m.held.digest !== b.digest) m.other = m.held
  m.held = b
}

function letGo (m) { m.held = m.other = null }

function stop (m, revision) {
  if (m.stopping.length === maxStopping) m.stopping.shift()
  m.stopping.push(revision)
}

// again answers a body that came before: whoever sends it again does not have what was told.
function again (m, b) { return b.revision === m.toldRevision ? m.told.map(tells) : [] }

function tells (receipt) {
  return { action: 'tell', alert: receipt.alert, revision: receipt.revision, receipt: Object.assign({}, receipt) }
}

function begins (action, body) {
  return { action, alert: body.alert, revision: body.revision, body, look: lookOf(body) }
}

function stops (body, reason) { return { action: 'stop', alert: body.alert, revision: body.revision, reason } }
