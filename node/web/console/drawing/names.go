package drawing

import (
	"cmp"
	"slices"
	"strings"

	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// Called is what a place is called in a language, with the place that it lies in where that is not the whole
// district; its path where it has no name.
func Called(all []wire.Place, path, language string) string {
	name := NameIn(all, path, language)
	at := strings.LastIndexByte(path, '/')
	if at < 0 || !strings.Contains(path[:at], "/") {
		return cmp.Or(name, path)
	}
	above := NameIn(all, path[:at], language)
	if above == "" || name == "" {
		return cmp.Or(name, path)
	}
	if strings.HasPrefix(language, "zh") {
		return above + name
	}
	return above + ", " + name
}

// NameIn is what a place is called in a language (BCP 47), else in a language of the console; "" where
// it has no name.
func NameIn(all []wire.Place, path, language string) string {
	for _, p := range all {
		if p.Path == path {
			return cmp.Or(p.Names[language], words.Pick(language).Called(p.Names))
		}
	}
	return ""
}

// Inside reports whether a place is one of some, or lies in one; it does where there are none.
func Inside(path string, within []string) bool {
	return len(within) == 0 || slices.ContainsFunc(within, func(w string) bool { return path == w || strings.HasPrefix(path, w+"/") })
}
