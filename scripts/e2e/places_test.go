//go:build e2e

package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// field types into a field of the page, in the place of what it holds.
func (o *operator) field(name, text string) {
	o.t.Helper()
	o.do(chromedp.SetValue(chromedp.CSS(`[name="`+name+`"]`), text))
}

// mapped is an estate whose blocks say where they are.
func mapped(d *district) {
	estate(d)
	d.put("places", `[{"path":"tuen-mun/on-ting","names":{"en":"On Ting Estate","zh-Hant":"安定邨"},"shape":["22.385,113.970 22.392,113.972 22.391,113.979 22.384,113.978 22.385,113.970"]},
		{"path":"tuen-mun/on-ting/block-1","names":{"en":"Block 1","zh-Hant":"第1座"},"lat":22.387,"lon":113.973},{"path":"tuen-mun/siu-hong","names":{"en":"Siu Hong Court","zh-Hant":"兆康苑"},"lat":22.393,"lon":113.976}]`)
}

type placeShown struct {
	Place struct {
		Path  string
		Names map[string]string
		Shape []string
	}
	Members uint64
}

// A person names a place, draws it, puts it elsewhere with whoever is in it, and is told by whom it is needed.
func TestPlaces_EditedOnTheMap(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	mapped(d)
	d.person("mei", "audience-manager", "viewer")
	o := d.at(0, "mei", 1366, 768)
	o.go_("places")
	o.press(`a[href="/console/add-place"]`)
	o.until("the form", `document.querySelector("[data-place]")`)
	o.until("the names", `document.querySelector('[name="n.en"]')`)
	o.field("n.en", "On Lok House")
	o.field("n.zh-Hant", "安樂樓")
	o.field("parent", "tuen-mun/on-ting")
	o.until("the map can be drawn on", `document.querySelector("[data-map]").tabIndex === 0`)
	o.do(chromedp.Focus(chromedp.CSS(`[data-map]`)), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	o.until("three corners", `document.querySelector("[name=outline]").value.trim().split(/\s+/).length === 3`)
	o.shot("places-drawn-desk")
	o.press(`button[value="save"]`)
	o.until("what would change", `document.querySelector('form[action="/console/place"]')`)
	o.says("3 corners")
	o.accessible(t, "what would change of a place")
	o.shot("places-check-desk")
	o.press(`form[action="/console/place"] button`)
	o.says("Done")
	var is placeShown
	at := func(node int, path string) { // another node hears of it a moment later
		d.until("node "+strconv.Itoa(node)+" knows "+path, func() bool { _, err := d.try(node, "place", "show", path); return err == nil })
		d.read(node, &is, "place", "show", path)
	}
	at(1, "tuen-mun/on-ting/on-lok-house")
	require.Equal(t, "安樂樓", is.Place.Names["zh-Hant"])
	require.Len(t, strings.Fields(is.Place.Shape[0]), 4)

	// Another person changes a block under the hands of the first one.
	o.go_("place/tuen-mun/on-ting/block-1")
	d.run(1, "place", "set", "--name", "en=Block One", "tuen-mun/on-ting/block-1")
	o.field("n.en", "First Block")
	o.press(`button[value="save"]`)
	o.says("Somebody else has changed")
	o.says("Block One")
	require.Equal(t, "First Block", read[string](o.tab, `document.querySelector('[name="n.en"]').value`))
	o.shot("places-conflict-desk")

	// With all that is in it to another estate.
	o.field("parent", "tuen-mun/siu-hong")
	o.press(`button[value="save"]`)
	o.says("go there with it")
	o.shot("places-move-desk")
	o.press(`form[action="/console/place"] button`)
	o.says("Done")
	at(2, "tuen-mun/siu-hong/block-1")
	require.NotZero(t, is.Members)
	require.Equal(t, "First Block", is.Place.Names["en"])

	// What is needed stays, and what needs it is linked.
	d.run(0, "user", "add", "--role", "composer", "--place", "tuen-mun/siu-hong/block-1", "warden")
	o.go_("place/tuen-mun/siu-hong/block-1")
	o.press(`button[value="remove"]`)
	o.says("is not removed")
	o.go_("place/tuen-mun/on-ting/on-lok-house")
	o.press(`button[value="remove"]`)
	o.says("Nothing is changed yet")
	o.press(`form[action="/console/place"] button`)
	o.says("The place is removed")
}

// Every page in both languages on a desk and on a telephone, to be looked at.
func TestPlaces_Pages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	mapped(d)
	d.person("root", "administrator")
	d.run(0, "user", "add", "--role", "composer", "--place", "tuen-mun/on-ting", "warden")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}, {"narrow", 320, 640}} {
		t.Run(size.name, func(t *testing.T) {
			o := d.at(0, "root", size.width, size.height)
			for _, path := range []string{"places", "add-place", "place/tuen-mun/on-ting", "place/tuen-mun/on-ting/block-1"} {
				o.go_(path)
				o.until("the page", `document.querySelector("h1")`)
				name := "places-" + strings.NewReplacer("/", "-").Replace(path) + "-" + size.name
				o.accessible(t, name)
				require.LessOrEqual(t, read[int](o.tab, "document.documentElement.scrollWidth"), int(size.width), "%s is wider than the glass", name)
				o.shot(name)
				if size.name != "narrow" {
					o.chinese(name + "-zh")
				}
			}
		})
	}
}
