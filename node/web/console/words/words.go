// Package words has the texts of the console in its languages, and nothing else. A text is asked for
// by its key at every use, from a Language that belongs to one request: no template keeps a
// language, so a page never comes out in that of another request. It may import nothing of ours.
package words

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
)

//go:embed *.json
var folder embed.FS

// Language is the texts of one language. It is never changed and may be used from any goroutine.
type Language struct {
	Tag   string // BCP 47
	Name  string // in itself
	texts func() map[string]string
}

// all are the languages, the first one where none is wanted. Their texts are read when the first one is
// asked for: agents of devices are the same program, on smaller machines, and never show one.
var (
	all     = []*Language{named("en", "English"), named("zh-Hant", "中文")}
	matcher = language.NewMatcher([]language.Tag{language.English, language.TraditionalChinese})
)

func named(tag, name string) *Language {
	return &Language{Tag: tag, Name: name, texts: sync.OnceValue(func() map[string]string { return load(tag) })}
}

func load(tag string) map[string]string {
	files, err := fs.Glob(folder, "*."+tag+".json") // a file for each room
	if err != nil {
		panic(err) // they are part of the program
	}
	all := map[string]string{}
	for _, file := range files {
		var texts map[string]string
		raw, err := folder.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(raw, &texts)
		}
		if err != nil {
			panic(fmt.Errorf("reading %s: %w", file, err))
		}
		for key, text := range texts {
			if _, ok := all[key]; ok {
				panic(fmt.Errorf("%s has a text for %s, and another file has one", file, key))
			}
			all[key] = text
		}
	}
	return all
}

// All are the languages.
func All() []*Language { return slices.Clone(all) }

// Pick is the language of the first of the wishes that is one of a language: tags, or values of
// Accept-Language (RFC 9110, 12.5.4). Each wish is held against the languages by itself: of all
// together an exact one would win over one before it, and browsers in Hong Kong send zh-HK,zh,en.
func Pick(wishes ...string) *Language {
	for _, wish := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		for _, tag := range tags {
			if _, at, confidence := matcher.Match(tag); confidence > language.No {
				return all[at]
			}
		}
	}
	return all[0]
}

// Other is the next language, for who wants to change.
func (l *Language) Other() *Language {
	return all[(slices.Index(all, l)+1)%len(all)]
}

// Keys are the keys of all texts, sorted.
func (l *Language) Keys() []string { return slices.Sorted(maps.Keys(l.texts())) }

// Has reports whether there is a text for the key.
func (l *Language) Has(key string) bool { _, ok := l.texts()[key]; return ok }

// Takes reports whether the text for the key is filled in with the argument of the number.
func (l *Language) Takes(key string, arg int) bool {
	return strings.Contains(l.texts()[key], "{"+strconv.Itoa(arg))
}

// place is where a text has an argument: {0}, or one of two words by its number: {0|alert|alerts}.
var place = regexp.MustCompile(`\{(\d)(?:\|([^|}]*)\|([^|}]*))?\}`)

// T is the text for a key with its arguments; a key without a text shows itself, in brackets.
func (l *Language) T(key string, args ...any) string {
	text, ok := l.texts()[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	if !strings.Contains(text, "{") {
		return text
	}
	return place.ReplaceAllStringFunc(text, func(found string) string {
		parts := place.FindStringSubmatch(found)
		at, _ := strconv.Atoi(parts[1])
		if at >= len(args) {
			return found
		}
		shown := Show(args[at])
		switch {
		case !strings.Contains(found, "|"):
			return shown
		case shown == "1":
			return parts[2]
		}
		return parts[3]
	})
}

// Or is the text for a key made of a prefix and a value of ours, such as the name of a kind of device;
// the value itself where there is no text for it, because people make such values.
func (l *Language) Or(prefix, value string) string {
	if text, ok := l.texts()[prefix+value]; ok {
		return text
	}
	return value
}

// Span writes a duration in one or two of its units, the largest first: 3 d 4 h, 2 h 5 min, 5 min 3 s, 3 s.
func (l *Language) Span(d time.Duration) string {
	for _, unit := range []struct {
		long, short time.Duration
		key         string
	}{{24 * time.Hour, time.Hour, "span.days"}, {time.Hour, time.Minute, "span.hours"}, {time.Minute, time.Second, "span.minutes"}} {
		if d >= unit.long {
			return l.T(unit.key, int(d/unit.long), int(d%unit.long/unit.short))
		}
	}
	return l.T("span.seconds", int(max(d, 0)/time.Second))
}

// Called is the name for readers of this language of what people named in several, by their tags: Chinese has
// many tags, and the districts come with zh-HK. It is the English one where there is no other, and "" where there is none.
func (l *Language) Called(names map[string]string) string {
	if l.Tag == "zh-Hant" {
		return cmp.Or(names[l.Tag], names["zh-HK"], names["zh-TW"], names["zh"], names["en"])
	}
	return cmp.Or(names[l.Tag], names["en"])
}

// Show writes an argument: whole numbers with commas between thousands.
func Show(arg any) string {
	switch n := arg.(type) {
	case int:
		return grouped(int64(n))
	case int64:
		return grouped(n)
	case uint64:
		return grouped(int64(min(n, 1<<62)))
	}
	return fmt.Sprint(arg)
}

func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}
