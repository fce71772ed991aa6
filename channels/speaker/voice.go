package speaker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrUnspoken is returned for texts that no voice here can speak.
var ErrUnspoken = errors.New("no voice can speak this text")

// maxText is how much of one text is spoken, in bytes: some two minutes.
const maxText = 2000

// Voice speaks by espeak-ng, a program of its own.
type Voice struct {
	Program string // "" is espeak-ng, wherever the system has it
}

// mandarin is espeak-ng's voice of it. Of the two, cmn makes Latin letters of Chinese characters and reads them as English.
const mandarin = "cmn-latn-pinyin"

// voices are espeak-ng's, by what language tags begin with. Whoever writes zh without more is
// heard in Cantonese here.
var voices = []struct{ tag, voice string }{
	{"zh-hans", mandarin}, {"zh-cn", mandarin}, {"zh-tw", mandarin}, {"cmn", mandarin}, {"zh", "yue"}, {"yue", "yue"}, {"en", "en-gb"},
	{"pt", "pt"}, {"fr", "fr"}, {"de", "de"}, {"hi", "hi"}, {"ne", "ne"}, {"ur", "ur"}, {"id", "id"}, {"vi", "vi"},
}

func voiceOf(language string) (string, bool) {
	tag := strings.ToLower(language)
	for _, v := range voices {
		if tag == v.tag || strings.HasPrefix(tag, v.tag+"-") {
			return v.voice, true
		}
	}
	return "", false
}

// Speak makes the text heard in its language. It returns ErrUnspoken where there is no voice, no
// program, or where it would spell the text or name its characters: Debian's dictionaries of
// Chinese have not all of them.
func (v Voice) Speak(ctx context.Context, language, text string) ([]int16, error) {
	text = limited(text)
	if text == "" {
		return nil, nil
	}
	if err := v.Speaks(ctx, language, text); err != nil {
		return nil, err
	}
	voice, _ := voiceOf(language)
	wav, err := v.run(ctx, text, "-v", voice, "-s", "150", "--stdout")
	if err != nil {
		return nil, err
	}
	return fromWAV(wav)
}

// Speaks says why the text would not be heard in its language; nil where it would.
func (v Voice) Speaks(ctx context.Context, language, text string) error {
	voice, ok := voiceOf(language)
	if !ok {
		return fmt.Errorf("%w: there is none for %.20q", ErrUnspoken, language)
	}
	phonemes, err := v.run(ctx, limited(text), "-v", voice, "-q", "-x")
	if err != nil {
		return err
	}
	if !spoken(voice, string(phonemes)) {
		return fmt.Errorf("%w: the voice %s would spell it", ErrUnspoken, voice)
	}
	return nil
}

func limited(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > maxText {
		text = text[:maxText]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}

// otherLanguage marks in espeak-ng's phonemes where it changes to English, because a character
// is not in the dictionary of the voice.
var otherLanguage = regexp.MustCompile(`\([a-z]{2,3}(-[a-z]+)?\)`)

// spoken judges phonemes: of a Chinese voice all are its own, and have tones.
func spoken(voice, phonemes string) bool {
	if voice != "yue" && voice != mandarin {
		return strings.TrimSpace(phonemes) != ""
	}
	return !otherLanguage.MatchString(phonemes) && strings.ContainsAny(phonemes, "123456")
}

// run gives the text to the program on its input, where it cannot be a flag.
func (v Voice) run(ctx context.Context, text string, args ...string) ([]byte, error) {
	program := v.Program
	if program == "" {
		program = "espeak-ng"
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(args, "--stdin", "-b", "1")...)
	cmd.Stdin = strings.NewReader(text)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: running %s: %w: %.200s", ErrUnspoken, program, err, said.String())
	}
	return out, nil
}

// fromWAV reads 16-bit sound of one channel and brings it to Rate.
func fromWAV(wav []byte) ([]int16, error) {
	at := bytes.Index(wav, []byte("data"))
	if len(wav) < 44 || string(wav[:4]) != "RIFF" || at < 0 || at+8 > len(wav) || binary.LittleEndian.Uint16(wav[22:]) != 1 || binary.LittleEndian.Uint16(wav[34:]) != 16 {
		return nil, fmt.Errorf("%w: the voice gave no sound that can be read", ErrUnspoken)
	}
	rate, raw := float64(binary.LittleEndian.Uint32(wav[24:])), wav[at+8:]
	in := make([]int16, len(raw)/2)
	for i := range in {
		in[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	if len(in) == 0 || rate < 4000 {
		return nil, fmt.Errorf("%w: the voice gave no sound", ErrUnspoken)
	}
	return resampled(in, rate, Rate), nil
}

// resampled changes the rate by lines between samples, which is good enough for speech.
func resampled(in []int16, from, to float64) []int16 {
	out := make([]int16, int(float64(len(in))*to/from))
	for i := range out {
		at := float64(i) * from / to
		left := min(int(at), len(in)-1)
		right := min(left+1, len(in)-1)
		out[i] = int16(float64(in[left]) + (at-float64(left))*(float64(in[right])-float64(in[left])))
	}
	return out
}

// Resampled brings samples of Rate to another rate.
func Resampled(samples []int16, rate int) []int16 { return resampled(samples, Rate, float64(rate)) }
