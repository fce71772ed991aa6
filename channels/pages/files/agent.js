// Agent is what a page is given by the agent that serves it: the agent is the device, verifies and
// decides, and the page says what it has painted. To the page it looks as the contract's receiver.

const patience = 10000 // after so long without a word the agent is taken for lost

// openAgent resolves with the first picture.
//
//   present(effect)   as the receiver asks for it; what it resolves or rejects does not matter
//   command(command)
//   painted()         what is on the glass now: [{alert, revision}]
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
    const events = new EventSource('/agent/events')
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
    this.changed()
  }

  act (effect) { Promise.resolve(this.options.present(effect)).then(() => this.changed(), () => this.changed()) }

  // do carries out a command. The agent waits for what a test came to, and tells it.
  async do (c) {
    const result = await this.options.command(c)
    if (c.do !== 'test') return
    this.tested = Object.assign({ id: c.id }, result)
    this.changed()
  }

  // now is the corrected time, and silence for how long the agent has heard no node.
  now () { return this.picture.now + (performance.now() - this.came) }
  silence () { return this.picture.silence < 0 ? null : this.picture.silence + (performance.now() - this.came) }
  connected () { return this.picture.connected && performance.now() - this.came < patience }

  // changed says what is painted, and again when that has changed meanwhile.
  async changed () {
    if (this.saying || !this.picture) return
    this.saying = true
    try {
      for (let text; (text = this.text()) !== this.said;) {
        const answer = await fetch('/agent/seen', { method: 'POST', body: text })
        if (!answer.ok) break
        this.said = text
      }
    } catch (error) { /* the agent is gone; it is told again when it is back */ }
    this.saying = false
  }

  text () { return JSON.stringify({ seq: this.picture.seq, painted: this.options.painted(), health: this.health, tested: this.tested }) }
}
