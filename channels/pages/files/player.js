// Player is what a speaker's page is heard by: tones of its own, what the node has rendered or
// recorded, and where there is none the voices of the browser. A browser that lets nothing be heard is
// told of, never passed over.
import { nameOf } from './announce.js'
import { hush, say, speaks } from './voice.js'

const waits = 8000 // ms that a node may take to render what is to be said
const mostKept = 24 // sounds in memory

export class Player {
  // sound        of sound.js
  // unspoken(language, reason)   hears that a line is said by nobody
  constructor (sound, unspoken) {
    this.sound = sound
    this.unspoken = unspoken
    this.kept = new Map() // name to a promise of an AudioBuffer, or of null
    this.source = null
    this.resting = null
    this.hushed = 0
  }

  tone (name, level) { return this.sound.play(name, level, 1) }

  prepare (line) { this.rendered(line) }

  // say resolves with true when the line was heard, and with false where nobody can speak it.
  async say (line, level) {
    const turn = this.hushed
    const buffer = await this.rendered(line)
    if (turn !== this.hushed) return false
    if (buffer) return this.played(buffer, level)
    this.kept.delete(nameOf(line)) // the next time the node may have it
    if (speaks([line.language]) && await say(line.language, line.text, level)) return true
    if (turn === this.hushed) this.unspoken(line.language, 'neither the node nor this browser has a voice for it')
    return false
  }

  // rendered is what the node says; null where it has nothing, or does not answer in time.
  rendered (line) {
    const name = nameOf(line)
    if (!this.kept.has(name)) {
      while (this.kept.size >= mostKept) this.kept.delete(this.kept.keys().next().value)
      const late = new Promise(resolve => setTimeout(() => resolve(null), waits))
      this.kept.set(name, Promise.race([this.fetched(name), late]))
    }
    return this.kept.get(name)
  }

  async fetched (name) {
    try {
      const answer = await fetch('/speaker/sound/' + name + '.wav')
      if (!answer.ok) return null
      return await this.sound.context.decodeAudioData(await answer.arrayBuffer())
    } catch (error) {
      return null
    }
  }

  async played (buffer, level) {
    if (await this.sound.arm() !== 'armed') throw new Error('sound is ' + this.sound.state)
    const { context } = this.sound
    const gain = context.createGain()
    gain.gain.value = level
    const source = context.createBufferSource()
    source.buffer = buffer
    source.connect(gain).connect(context.destination)
    this.source = source
    return new Promise(resolve => {
      source.onended = () => { gain.disconnect(); resolve(true) }
      source.start()
    })
  }

  rest (ms) {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.resting = () => { clearTimeout(timer); resolve() }
    })
  }

  // hush ends what sounds now. Whoever waits for it goes on at once.
  hush () {
    this.hushed++
    this.sound.silence()
    hush()
    if (this.source) this.source.stop()
    if (this.resting) this.resting()
    this.source = this.resting = null
  }
}
