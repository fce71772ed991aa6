package check

import (
	"net/url"
	"slices"
	"strings"

	"almenara/storage/alert"
)

// Mend takes out or completes what senders get wrong and nobody can misread, with a
// warning each, so that the alert itself is taken. Parse and FromJSON both go through it.
func Mend(a *alert.Alert, found *alert.Findings) {
	dropCorrupt(a, found)
	for n := range a.Infos {
		c := checker{found: found, at: alert.Place{Info: n + 1}}
		c.dropLinks(&a.Infos[n])
	}
	shareAreas(a, found)
}

// dropLinks drops web and uri that lead nowhere: the warning must go out without them.
func (c *checker) dropLinks(i *alert.Info) {
	if i.Web != "" && !isAbsolute(i.Web) {
		c.warn("web-not-absolute", "web %q is not an absolute URI, and is left out", alert.Clip(i.Web)).As("web-left-out", c.at, alert.Clip(i.Web))
		i.Web = ""
	}
	for n := range i.Resources {
		c.at.Resource = n + 1
		r := &i.Resources[n]
		if r.URI != "" && r.DerefURI == "" && !isAbsolute(r.URI) {
			c.warn("uri-not-absolute", "uri %q is not an absolute URI and there is no derefUri; it is left out", alert.Clip(r.URI))
			r.URI = ""
		}
	}
	c.at.Resource = 0
}

// isAbsolute reports a full absolute URI (§3.2.2 web, §3.2.3 uri).
func isAbsolute(s string) bool {
	if !absoluteURI.MatchString(s) {
		return false
	}
	_, err := url.Parse(s)
	return err == nil
}

// shareAreas gives an info without area those of the info that says the same in another
// language, as senders mean it. An info that is about something else, or that could
// belong to several, keeps none: it addresses nobody.
func shareAreas(a *alert.Alert, found *alert.Findings) {
	bare := make([]bool, len(a.Infos))
	for n := range a.Infos {
		bare[n] = len(a.Infos[n].Areas) == 0
	}
	bytes := 0
	for n := range a.Infos {
		if !bare[n] {
			continue
		}
		from := sameEvent(a, n, bare)
		if from < 0 {
			continue
		}
		if bytes += areaBytes(a.Infos[from].Areas); bytes > alert.MaxMessageBytes/4 {
			return
		}
		a.Infos[n].Areas = slices.Clone(a.Infos[from].Areas)
		found.Add(alert.Warn, "area-shared", "info %d has no area; it has the areas of info %d, the same event in another language", n+1, from+1)
	}
}

// sameEvent finds the one info with areas that is info n in another language; -1 when
// there is none, or when there are several with different areas.
func sameEvent(a *alert.Alert, n int, bare []bool) int {
	only := -1
	for m := range a.Infos {
		if bare[m] || !translates(&a.Infos[n], &a.Infos[m]) {
			continue
		}
		if only >= 0 && !slices.EqualFunc(a.Infos[only].Areas, a.Infos[m].Areas, sameShapes) {
			return -1
		}
		if only < 0 {
			only = m
		}
	}
	return only
}

// translates reports whether i says what other says, in another language: the codes and
// event codes are equal, and so are the times that i has.
func translates(i, other *alert.Info) bool {
	if strings.EqualFold(i.Lang(), other.Lang()) || i.Urgency != other.Urgency || i.Severity != other.Severity || i.Certainty != other.Certainty ||
		!sameSet(i.Categories, other.Categories) || !sameSet(namedText(i.EventCodes), namedText(other.EventCodes)) {
		return false
	}
	for _, pair := range [][2]alert.DateTime{{i.Effective, other.Effective}, {i.Onset, other.Onset}, {i.Expires, other.Expires}} {
		if !pair[0].IsZero() && !pair[0].Time().Equal(pair[1].Time()) {
			return false
		}
	}
	return true
}

// sameShapes reports whether both areas are the same place; their names may differ.
func sameShapes(a, b alert.Area) bool {
	return slices.Equal(a.Polygons, b.Polygons) && slices.Equal(a.Circles, b.Circles) && slices.Equal(a.Geocodes, b.Geocodes)
}

// areaBytes is about what the areas weigh in a message.
func areaBytes(areas []alert.Area) int {
	bytes := 0
	for n := range areas {
		alert.EachOf(func(s *string) { bytes += len(*s) + 32 }, areas[n].Polygons, areas[n].Circles)
		alert.EachPair(func(s *string) { bytes += len(*s) + 32 }, areas[n].Geocodes)
	}
	return bytes
}
