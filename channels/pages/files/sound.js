// Sound plays the attention tones of an alert: tone, pause, three times. Whether a browser lets
// it is probed and told, never assumed: without a person's touch or a kiosk's flag it is silent.

// patterns are [frequency in Hz, seconds] in turn; 0 Hz is a pause.
const patterns = {
  siren: [[440, 0.5], [550, 0.5], [660, 0.5], [880, 1], [0, 0.5]],
  chime: [[880, 0.35], [660, 0.6], [0, 1]],
  chirp: [[1320, 0.15]], // by which a person finds a speaker
  drill: [[600, 0.2], [0, 0.2], [600, 0.2], [0, 1.4]] // like no warning
}
const times = 3

export class Sound {
  constructor () {
    this.context = null
    this.playing = null
  }

  // arm is to be called at start and at a person's touch; it resolves with the state.
  async arm () {
    const Context = window.AudioContext || window.webkitAudioContext
    if (!Context) return this.state = 'none'
    if (!this.context) this.context = new Context()
    // resume() waits for a touch where one is needed, and so for ever
    await Promise.race([this.context.resume().catch(() => {}), new Promise(resolve => setTimeout(resolve, 500))])
    return this.state = this.context.state === 'running' ? 'armed' : 'blocked'
  }

  // tryOut plays half a second of no volume, and resolves with whether a sound that people would hear
  // would have been played to its end. It leaves alone what is heard.
  async tryOut () {
    if (this.playing || await this.arm() !== 'armed') return false
    const gain = this.context.createGain()
    const tone = this.context.createOscillator()
    gain.gain.value = 0
    tone.connect(gain).connect(this.context.destination)
    const begun = this.context.currentTime
    tone.start()
    tone.stop(begun + 0.5)
    await Promise.race([new Promise(resolve => { tone.onended = resolve }), new Promise((resolve, reject) => setTimeout(() => reject(new Error('a sound does not end')), 5000))])
    return this.context.currentTime - begun > 0.4
  }

  // play resolves when the tones have ended, and rejects where none can be heard or silence() was called.
  async play (name, volume = 1, repeats = times) {
    const pattern = patterns[name]
    if (!pattern) return
    if (await this.arm() !== 'armed') throw new Error('sound is ' + this.state)
    this.silence()
    const gain = this.context.createGain()
    const tone = this.context.createOscillator()
    gain.gain.value = 0
    tone.connect(gain).connect(this.context.destination)
    let at = this.context.currentTime + 0.02
    tone.start(at)
    for (let i = 0; i < repeats; i++) {
      for (const [hertz, seconds] of pattern) {
        if (hertz) tone.frequency.setValueAtTime(hertz, at)
        gain.gain.setTargetAtTime(hertz ? volume * 0.5 : 0, at, 0.01)
        at += seconds
      }
    }
    gain.gain.setTargetAtTime(0, at, 0.01)
    tone.stop(at + 0.1)
    return new Promise((resolve, reject) => {
      tone.onended = () => {
        gain.disconnect()
        if (this.playing === tone) { this.playing = null; resolve() } else reject(new Error('silenced'))
      }
      this.playing = tone
    })
  }

  silence () {
    const tone = this.playing
    this.playing = null
    if (tone) tone.stop()
  }
}
