package speaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// ManifestName is the file of a folder of recorded clips that says what each says.
const ManifestName = "clips.json"

// Bounds of a folder of clips: what a person records for a district is far below them.
const (
	mostClips     = 5000
	mostClipBytes = 4 << 20 // of one file: two minutes
	mostManifest  = 1 << 20
	mostSpliced   = 64  // clips of one text
	mostSaid      = 200 // letters that one clip says: a sentence
)

// splice is the pause between two clips of one text.
const splice = 60 * time.Millisecond

// Clips speaks by recorded clips. A text is spoken where clips of its language, one behind the other,
// say all of it: a recording of each sentence of a scenario between its blanks, and of each name and
// number that may fill one. What is said is what is written, or nothing: punctuation and letter case
// alone do not count.
//
// The folder is read when a text is to be spoken and its manifest has changed. Its methods may be
// called from any goroutine.
type Clips struct {
	folder string

	mu   sync.Mutex
	at   time.Time                    // of the manifest that was read
	kept map[string]map[string]string // by voice, by what is said: a file
	err  error
}

// Clip is one entry of the manifest.
type Clip struct {
	Language string `json:"language"`
	Says     string `json:"says"`
	File     string `json:"file"` // a WAV file of one channel, 16 bit, in the folder
}

// OpenClips is the clips of a folder, which need not exist: then there are none.
func OpenClips(folder string) *Clips { return &Clips{folder: folder} }

// Check reads the manifest and every file that it names, and says what is wrong. A folder that is not
// there is fine, and has no clips.
func (c *Clips) Check() (clips int, err error) {
	list, err := c.manifest()
	if err != nil {
		return 0, err
	}
	for _, clip := range list {
		if _, err := c.read(clip.File); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// manifest reads and checks it.
func (c *Clips) manifest() ([]Clip, error) {
	name := filepath.Join(c.folder, ManifestName)
	raw, err := readBounded(name, mostManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the clips: %w", err)
	}
	var list struct {
		Clips []Clip `json:"clips"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(list.Clips) > mostClips {
		return nil, fmt.Errorf("%s names %d clips, %d at most", name, len(list.Clips), mostClips)
	}
	for i, clip := range list.Clips {
		switch {
		case bare(clip.Says) == "":
			return nil, fmt.Errorf("%s: clip %d says nothing", name, i+1)
		case utf8.RuneCountInString(bare(clip.Says)) > mostSaid:
			return nil, fmt.Errorf("%s: clip %d says more than %d letters; record it sentence by sentence", name, i+1, mostSaid)
		case !filepath.IsLocal(clip.File) || filepath.Base(clip.File) != clip.File:
			return nil, fmt.Errorf("%s: clip %d: %.60q is not the name of a file in the folder", name, i+1, clip.File)
		}
	}
	return list.Clips, nil
}

func readBounded(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > most:
		return nil, fmt.Errorf("%s is no file of %d bytes at most", name, most)
	}
	return os.ReadFile(name)
}

func (c *Clips) read(file string) ([]int16, error) {
	raw, err := readBounded(filepath.Join(c.folder, file), mostClipBytes)
	if err != nil {
		return nil, fmt.Errorf("reading a clip: %w", err)
	}
	samples, err := fromWAV(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the clip %s: %w", file, err)
	}
	return samples, nil
}

// known is what is said by which file, for a language.
func (c *Clips) known(language string) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(filepath.Join(c.folder, ManifestName))
	if err != nil {
		c.kept, c.at, c.err = nil, time.Time{}, nil
		return nil, nil
	}
	if c.at.IsZero() || !info.ModTime().Equal(c.at) {
		c.at = info.ModTime()
		c.kept = map[string]map[string]string{}
		var list []Clip
		list, c.err = c.manifest()
		for _, clip := range list {
			voice := voiceOrTag(clip.Language)
			if c.kept[voice] == nil {
				c.kept[voice] = map[string]string{}
			}
			c.kept[voice][bare(clip.Says)] = clip.File
		}
	}
	return c.kept[voiceOrTag(language)], c.err
}

// voiceOrTag is what languages have in common that are heard alike.
func voiceOrTag(language string) string {
	if voice, ok := voiceOf(language); ok {
		return voice
	}
	return strings.ToLower(language)
}

// Find are the files that say the text, in their order; ErrUnspoken where some of it is not recorded.
func (c *Clips) Find(language, text string) ([]string, error) {
	known, err := c.known(language)
	if err != nil {
		return nil, err
	}
	said := []rune(bare(limited(text)))
	if len(said) == 0 || len(known) == 0 {
		return nil, fmt.Errorf("%w: no clips of %.20q", ErrUnspoken, language)
	}
	longest := 0
	for says := range known {
		longest = max(longest, len([]rune(says)))
	}
	// fewest[i] is how the first i letters are said with the fewest clips.
	type way struct {
		clips, from int
		file        string
	}
	fewest := make([]way, len(said)+1)
	for end := 1; end <= len(said); end++ {
		for from := max(0, end-longest); from < end; from++ {
			if from > 0 && fewest[from].clips == 0 || fewest[from].clips >= mostSpliced || !mayPart(said, from) || !mayPart(said, end) {
				continue
			}
			file, ok := known[strings.TrimSpace(string(said[from:end]))]
			if ok && (fewest[end].clips == 0 || fewest[from].clips+1 < fewest[end].clips) {
				fewest[end] = way{fewest[from].clips + 1, from, file}
			}
		}
	}
	if fewest[len(said)].clips == 0 {
		return nil, fmt.Errorf("%w: some of it is not recorded", ErrUnspoken)
	}
	files := make([]string, fewest[len(said)].clips)
	for at, i := len(said), len(files)-1; i >= 0; i-- {
		files[i], at = fewest[at].file, fewest[at].from
	}
	return files, nil
}

// mayPart reports whether one clip may end and another begin at a place: not within a word of letters
// that are written together, nor within a number, of which each digit may mean something else.
func mayPart(said []rune, at int) bool {
	if at == 0 || at == len(said) {
		return true
	}
	joined := func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Han, r) || unicode.IsDigit(r) }
	return !joined(said[at-1]) || !joined(said[at]) || unicode.IsDigit(said[at-1]) != unicode.IsDigit(said[at])
}

// Speak joins the clips that say the text. It returns ErrUnspoken where some of it is not recorded.
func (c *Clips) Speak(_ context.Context, language, text string) ([]int16, error) {
	files, err := c.Find(language, text)
	if err != nil {
		return nil, err
	}
	var out []int16
	for i, file := range files {
		samples, err := c.read(file)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, make([]int16, samplesOf(splice))...)
		}
		out = append(out, samples...)
	}
	return out, nil
}

// bare is a text without what is not heard: one space for all that stands between words, and none
// beside a Chinese character.
func bare(text string) string {
	var b strings.Builder
	var last rune
	gap := false
	for _, r := range strings.ToLower(text) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			gap = true
			continue
		}
		if gap && last != 0 && !unicode.Is(unicode.Han, last) && !unicode.Is(unicode.Han, r) {
			b.WriteByte(' ')
		}
		gap, last = false, r
		b.WriteRune(r)
	}
	return b.String()
}

// By says what speaks a text.
type By string

// What speaks.
const (
	Recorded  By = "recorded"  // by clips
	Synthetic By = "synthetic" // by espeak-ng, a fallback
	Nothing   By = "nothing"   // tone, another language and screens
)

// Both speaks by clips where all of a text is recorded, and else by a voice.
type Both struct {
	Clips *Clips
	Voice Voice
}

// Speak implements Speech.
func (b Both) Speak(ctx context.Context, language, text string) ([]int16, error) {
	samples, err := b.Clips.Speak(ctx, language, text)
	if err == nil {
		return samples, nil
	}
	spoken, voiced := b.Voice.Speak(ctx, language, text)
	if voiced != nil && !errors.Is(err, ErrUnspoken) { // a clip that cannot be read is worth saying
		return nil, errors.Join(err, voiced)
	}
	return spoken, voiced
}

// By says what would speak a text, without speaking it.
func (b Both) By(ctx context.Context, language, text string) By {
	if _, err := b.Clips.Find(language, text); err == nil {
		return Recorded
	}
	if b.Voice.Speaks(ctx, language, text) == nil {
		return Synthetic
	}
	return Nothing
}
