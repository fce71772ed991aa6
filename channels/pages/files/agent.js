// Agent is what a page is given by the agent that serves it: the agent is the device, verifies and
// decides, and the page says what it has painted. To the page it looks as the contract's receiver.

import { Mark } from './mark.js'

const patience = 10000 // after so long without a word the agent is taken for lost

// openAgent resolves with the first picture.
//
//   present(effect)   as the receiver asks for it; what it resolves or rejects does not matter
//   command(command)
//   painted()         what is on the glass now: [{alert, revision}]
//   glass()           {frames, hidden}: how many frames were painted, and whether nobody can see the page
export function openAgent (options) {
  return new Promise(resolve => new Agent(options, resolve))
}

class Agent {
  constructor (options, ready) {
    this.options = options
    this.health = {}
    this.shown = new Map() // alert to revision
    this.reminders = new Map() // alert to how often it was presented again
    this.done = new Set() // ids of commands
    this.tested = undefined // what the last test came to
    this.picture = null
    this.came = 0
    this.saying = false
    this.said = ''
    this.mark = new Mark()
    // The page makes up its name, so that the agent knows which of several pages has painted what.
    this.id = [...crypto.getRandomValues(new Uint8Array(8))].map(b => b.toString(16).padStart(2, '0')).join('')
    const events = new EventSource('/agent/events?page=' + this.id)
    events.onmessage = e => {
      this.take(JSON.parse(e.data))
      ready(this)
    }
  }

  take (picture) {
    const first = this.picture === null
    this.picture = picture
    this.came = performance.now()
    const now = new Map(picture.alerts.map(a => [a.alert, a]))
    for (const [alert, revision] of this.shown) {
      if (now.has(alert)) continue
      this.shown.delete(alert)
      this.act({ action: 'stop', alert, revision })
    }
    for (const a of picture.alerts) {
      const was = this.shown.get(a.alert)
      if (was === a.revision) {
        if (a.reminders > (this.reminders.get(a.alert) || 0)) this.act(Object.assign({ action: 'remind' }, a))
        this.reminders.set(a.alert, a.reminders)
        continue
      }
      this.reminders.set(a.alert, a.reminders)
      this.shown.set(a.alert, a.revision)
      this.act(Object.assign({ action: a.resumed ? 'resume' : was ? 'replace' : 'start' }, a))
    }
    for (const c of picture.commands || []) {
      if (!this.done.has(c.id) && !first) this.do(c)
      this.done.add(c.id)
    }
    this.changed() // in answer to each heartbeat, too
  }

  act (effect) { Promise.resolve(this.options.present(effect)).then(() => this.changed(), () => this.changed()) }

  // do carries out a command. The agent waits for what a test came to, and tells it.
  async do (c) {
    const result = await this.options.command(c)
    if (c.do !== 'test') return
    this.tested = Object.assign({ id: c.id }, result)
    this.changed()
  }

  // unconfirmed is what the agent had presented before its box was started anew, and no node has confirmed since; the
  // agent decides when, and for how long. Nobody answers on the page of an agent.
  unconfirmed () { return (this.picture.unconfirmed || []).map(a => Object.assign({ action: 'resume' }, a)) }
  answered () { return '' }

  // now is the corrected time, and silence for how long the agent has heard no node.
  now () { return this.picture.now + (performance.now() - this.came) }
  silence () { return this.picture.silence < 0 ? null : this.picture.silence + (performance.now() - this.came) }
  connected () { return this.picture.connected && performance.now() - this.came < patience }

  // changed says what is painted, and again when that has changed meanwhile.
  async changed () {
    if (!this.picture) return
    this.mark.draw(this.picture.shot, this.options.painted()).then(drawn => { if (drawn) this.changed() })
    if (this.saying) return
    this.saying = true
    try {
      for (let says; (says = JSON.stringify(this.says())) !== this.said;) {
        const { frames, hidden } = this.options.glass()
        const answer = await fetch('/agent/seen', { method: 'POST', body: JSON.stringify(Object.assign(this.says(), { frames, hidden })) })
        if (!answer.ok) break
        this.said = says
      }
    } catch (error) { /* the agent is gone; it is told again when it is back */ }
    this.saying = false
  }

  says () {
    const { seq, beat } = this.picture
    return { page: this.id, seq, beat, painted: this.options.painted(), health: this.health, tested: this.tested, mark: this.mark.says }
  }
}
