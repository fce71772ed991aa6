// Package view has what several pages of the console show in the same way: names of places, counts,
// typed words, paths, and what is pointed out. It never imports a page.
package view

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"

	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/words"
)

// PlaceNames are names of places in one language, by their paths.
type PlaceNames map[string]string

// NamesOfPlaces reads what places are called in the person's language.
func NamesOfPlaces(service service.Places, q *frame.Request) (PlaceNames, error) {
	places, err := service.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	out := PlaceNames{}
	for _, p := range places {
		if name := q.Lang.Called(p.Names); name != "" {
			out[p.Path] = name
		}
	}
	return out, nil
}

// Of names a place by the names of its last two levels, and by its path where it has none.
func (n PlaceNames) Of(path string) string {
	name, known := n[path]
	if !known {
		return path
	}
	if at := strings.LastIndexByte(path, '/'); at > 0 {
		if above, known := n[path[:at]]; known {
			return above + " · " + name
		}
	}
	return name
}

// Show writes a count, with commas between thousands.
func Show(n uint64) string { return words.Show(n) }

// Under selects a place and all that is under it.
func Under(place string) string { return "place under " + Quoted(place) }

// Below is the place below which a selection selects everybody; "" where it selects otherwise.
func Below(selection string) string {
	place, ok := strings.CutPrefix(selection, "place under ")
	if place = strings.Trim(place, `"`); !ok || strings.ContainsAny(place, " \"()\\") {
		return ""
	}
	return place
}

// Quoted is a value as the grammar of selections takes it, whatever it holds.
func Quoted(value string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:+", r)
	}
	keyword := slices.Contains([]string{"and", "or", "not", "in", "under", "has", "all"}, strings.ToLower(value))
	if value != "" && !keyword && strings.IndexFunc(value, func(r rune) bool { return !plain(r) }) < 0 {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// Typed reports whether the word that was typed is the text for the key, in any of the languages: an
// input method that is in the way must not stand between a person and the alarm.
func Typed(word, key string) bool {
	for _, l := range words.All() {
		if strings.EqualFold(strings.TrimSpace(word), l.T(key)) {
			return true
		}
	}
	return false
}

// PathOf is the path of a page about an alert.
func PathOf(id string, more ...string) string {
	return path.Join(append([]string{frame.Below, "alerts", id}, more...)...)
}

// Download says that the answer is a file for the person, with a name of ours.
func Download(w http.ResponseWriter, media, name string) {
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "almenara-" + name}))
	w.Header().Set("Cache-Control", "no-store")
}
