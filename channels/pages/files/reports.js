// Reports keeps what a person reports until a node has it: over lost connections, reloads and power cuts. A
// report keeps its id, so that one that is sent twice is one. It draws nothing.
import { written, newId } from './contract/report.js'

const most = 20 // that may wait
const done = 5 // that are remembered after they were sent or refused
const pause = 10000 // ms until what the node could not keep is sent again

// The reason codes of a PUBACK that refuse a report for good.
const refused = { 0x83: 'unwanted', 0x87: 'unwanted', 0x97: 'many', 0x99: 'payload' }

// openReports reads what waits.
//
//   topic
//   store     {load() → text or null, save(text)}; both return promises
//   now()     the corrected time
//   changed() something has happened to a report; may be left out
//   setTimeout: left out: the page's
export async function openReports (options) {
  const reports = new Reports(options)
  try { reports.list = JSON.parse(await options.store.load()) || [] } catch (error) { reports.list = [] }
  return reports
}

class Reports {
  constructor (options) {
    this.options = Object.assign({ changed () {}, setTimeout: (f, ms) => setTimeout(f, ms) }, options)
    this.list = [] // {id, kind, made, state: 'waiting' | 'sent' | 'refused', why, at, payload}, the oldest first
    this.publish = null
    this.sending = ''
  }

  get full () { return this.waiting().length >= most }

  waiting () { return this.list.filter(r => r.state === 'waiting') }

  // add takes a report, and resolves with whether it is stored. It throws where no node would take it.
  async add (report) {
    const r = Object.assign({ id: newId() }, report)
    this.list.push({ id: r.id, kind: r.kind, made: this.options.now(), state: 'waiting', payload: written(r) })
    const stored = await this.save()
    this.send()
    return stored
  }

  // again sends what was refused once more, at a press.
  again (id) {
    const r = this.list.find(r => r.id === id && r.state === 'refused')
    if (!r) return
    r.state = 'waiting'
    this.save().then(() => this.send())
  }

  // connected says that the connection is up. publish(topic, text) resolves with the reason code of the
  // PUBACK and rejects when there will be none.
  connected (publish) {
    this.publish = publish
    this.send()
  }

  // disconnected says that the connection is lost.
  disconnected () {
    this.publish = null
    this.sending = ''
    this.options.changed()
  }

  // send publishes what waits, one after the other.
  async send () {
    const publish = this.publish
    while (publish && this.publish === publish && !this.sending) {
      const r = this.waiting()[0]
      if (!r) return
      this.sending = r.id
      this.options.changed()
      let code
      try { code = await publish(this.options.topic, r.payload) } catch (error) { code = -1 }
      if (this.publish !== publish) return // another connection has begun, and sends it
      this.sending = ''
      if (code < 0) return
      if (code >= 0x80 && !refused[code]) { // not for good
        this.options.setTimeout(() => this.send(), pause)
        return this.options.changed()
      }
      r.state = code < 0x80 ? 'sent' : 'refused'
      r.why = refused[code] || ''
      r.at = this.options.now()
      if (r.state === 'sent') r.payload = ''
      await this.save()
    }
  }

  // save stores what there is, and forgets the oldest that are over.
  async save () {
    const over = this.list.filter(r => r.state !== 'waiting')
    const gone = over.slice(0, Math.max(0, over.length - done))
    this.list = this.list.filter(r => !gone.includes(r))
    this.options.changed()
    try {
      await this.options.store.save(JSON.stringify(this.list))
      return true
    } catch (error) {
      return false
    }
  }
}
