package console

import (
	"path"
	"strings"

	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/words"
)

// placeNames are names of places in one language, by their paths.
type placeNames map[string]string

// namesOfPlaces reads what places are called in the person's language.
func namesOfPlaces(service service.Places, q *frame.Request) (placeNames, error) {
	places, err := service.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	out := placeNames{}
	for _, p := range places {
		name := p.Names[q.Lang.Tag]
		if name == "" {
			name = p.Names["en"]
		}
		if name != "" {
			out[p.Path] = name
		}
	}
	return out, nil
}

// of names a place by the names of its last two levels, and by its path where it has none.
func (n placeNames) of(path string) string {
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

func show(n uint64) string { return words.Show(n) }

// under selects a place and all that is under it.
func under(place string) string { return "place under " + place }

// typed reports whether the word that was typed is the text for the key, in any of the languages: an
// input method that is in the way must not stand between a person and the alarm.
func typed(word, key string) bool {
	for _, l := range words.All() {
		if strings.EqualFold(strings.TrimSpace(word), l.T(key)) {
			return true
		}
	}
	return false
}

// pathOf is the path of a page about an alert.
func pathOf(id string, more ...string) string {
	return path.Join(append([]string{Below, "alerts", id}, more...)...)
}
