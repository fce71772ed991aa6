// Package speaker makes an alert heard: attention tone, pause, the message three times. It owns
// tones, speech by espeak-ng, what is said in which order, and one player at a time; it does not
// know who asked. Of our packages it imports the contract and the rules.
//
// Speech by espeak-ng is a fallback for recordings: it is tried on each text, and a text that it
// would spell instead of speaking is left to the tone and to screens.
package speaker

import (
	"encoding/binary"
	"math"
	"time"
)

// Rate is how many samples a second all sound here has: 16 bit, one channel.
const Rate = 16000

// note is a sine of so many Hz for so long; 0 Hz is a pause.
type note struct {
	hertz  float64
	length time.Duration
}

// tones are what is heard before the message, as the contract's sounds. That of a drill is like
// no warning.
var tones = map[string][]note{
	"siren": {{440, 500 * time.Millisecond}, {550, 500 * time.Millisecond}, {660, 500 * time.Millisecond}, {880, time.Second}, {0, 500 * time.Millisecond}},
	"chime": {{880, 350 * time.Millisecond}, {660, 600 * time.Millisecond}, {0, 500 * time.Millisecond}},
	"drill": {{600, 200 * time.Millisecond}, {0, 200 * time.Millisecond}, {600, 200 * time.Millisecond}, {0, 900 * time.Millisecond}},
}

// times is how often tone and message are heard.
const times = 3

// between is the pause after the tone, and after each message.
const between = time.Second

// Tone is the attention tone of a sound; empty for "none" and for words it does not know.
func Tone(sound string) []int16 {
	var out []int16
	for _, n := range tones[sound] {
		out = append(out, n.samples()...)
	}
	return out
}

// samples are those of one note, with edges of 10 ms, without which it would crack.
func (n note) samples() []int16 {
	count, edge := samplesOf(n.length), samplesOf(10*time.Millisecond)
	out := make([]int16, count)
	if n.hertz == 0 {
		return out
	}
	for i := range out {
		level := 0.5 * min(1, float64(min(i, count-1-i))/float64(edge))
		out[i] = int16(level * math.MaxInt16 * math.Sin(2*math.Pi*n.hertz*float64(i)/Rate))
	}
	return out
}

// Silence is half a second that nobody hears, which tries the whole way to the loudspeaker.
func Silence() []int16 { return make([]int16, samplesOf(500*time.Millisecond)) }

// Chirp is one short quiet note, by which a person finds a speaker: 20 dB below the attention tones.
func Chirp() []int16 { return Louder(note{1320, 150 * time.Millisecond}.samples(), 0.1) }

func samplesOf(d time.Duration) int { return int(d * Rate / time.Second) }

// Announcement is the tone and then the messages, three times. Messages may be none.
func Announcement(sound string, messages [][]int16) []int16 {
	tone, pause := Tone(sound), make([]int16, samplesOf(between))
	var out []int16
	for range times {
		out = append(out, tone...)
		for _, m := range messages {
			out = append(append(out, pause...), m...)
		}
		out = append(out, pause...)
	}
	return out
}

// Louder gives samples another level: 1 leaves them, 0.25 is 12 dB less. What would be too loud
// is held at the loudest.
func Louder(samples []int16, level float64) []int16 {
	out := make([]int16, len(samples))
	for i, s := range samples {
		out[i] = int16(math.Max(math.MinInt16, math.Min(math.MaxInt16, float64(s)*level)))
	}
	return out
}

// WAV is a file of the samples.
func WAV(samples []int16) []byte {
	size := uint32(2 * len(samples))
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, 36+size)...)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // one channel
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, 2*Rate)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = binary.LittleEndian.AppendUint32(append(b, "data"...), size)
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}
