// Package devicepages is the routes of the pages that are devices: a screen, a phone, a speaker, and what
// a speaker plays. It decides nothing: channels/pages has the files, and whoever speaks is given.
package devicepages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"almenara/channels/pages"
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/wire"
)

// Sound is a text of what is in force, spoken, as a WAV file, by the digest that is its name: 64 letters
// of hexadecimal. It refuses with *wire.Problem errors, and may be called from any goroutine.
type Sound func(ctx context.Context, name string) ([]byte, error)

type handlers struct {
	pages *pages.Pages
	speak Sound
}

// Routes are the lines of the route table; a nil speak can speak nothing.
func Routes(p *pages.Pages, speak Sound) []routing.Route {
	h := handlers{p, speak}
	return []routing.Route{
		{Handle: h.screen, Route: openapi.Route{
			Kind: openapi.Page, Method: "GET", Path: pages.Path + openapi.OnlyHere, Open: true,
			Summary: "The page of a screen: any browser becomes one with what enrolling a device answered, given behind # or typed in. It speaks MQTT with the nodes, by WebSocket at /mqtt and where devices connect, and verifies what it shows.",
			Params:  []openapi.Param{{Name: "overlay", Type: "boolean", Summary: "nothing but alerts on a transparent page, for signage systems"}},
			Returns: "text/html",
		}},
		{Handle: h.screenFile, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: pages.Path + "{version}/{file...}", Open: true, Summary: "A file of the page of a screen. The version changes with the content of any of them.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "no page of this version has such a file"},
		}},
		{Handle: h.screenBeside, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: pages.Path + "{file}", Open: true, Summary: "The worker of the page of screens, with which it loads while no node is reached.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "the page has no such file"},
		}},
		{Handle: h.phone, Route: openapi.Route{
			Kind: openapi.Page, Method: "GET", Path: pages.PhonePath + openapi.OnlyHere, Open: true,
			Summary: "The page of a person's phone: what is in force for that person, with answers. It enrols itself by the code of the console that it scanned.",
			Returns: "text/html",
		}},
		{Handle: h.phone, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: pages.PhonePath + "{file}", Open: true, Summary: "The worker, the manifest and the icons of the page of phones.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "the page has no such file"},
		}},
		{Handle: h.speaker, Route: openapi.Route{
			Kind: openapi.Page, Method: "GET", Path: pages.SpeakerPath + openapi.OnlyHere, Open: true,
			Summary: "The page of a speaker: any browser with sound becomes one with what enrolling a device answered, given behind #, or by the code that it shows. It announces what is in force, three times.",
			Returns: "text/html",
		}},
		{Handle: h.speaker, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: pages.SpeakerPath + "{file}", Open: true, Summary: "The worker of the page of speakers.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "the page has no such file"},
		}},
		{Handle: h.sound, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: pages.SpeakerPath + "sound/{name}", Open: true,
			Summary: "A text of what is in force, spoken: recorded clips, or else espeak-ng. Its name is the SHA-256 of language and text with a line feed between, in hexadecimal, with .wav, so that it may be kept for ever. Only what devices are given now is spoken.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "nothing that is in force has this name, or nobody here can speak it", wire.KindBusy: "too much waits to be spoken"},
		}},
	}
}

// screen is the page of a screen, and screenFile a file of it, by version.
func (h handlers) screen(c routing.Call) error {
	h.pages.ServeScreen(c.W, pages.FromNode)
	return nil
}

func (h handlers) screenFile(c routing.Call) error {
	if name := c.R.PathValue("file"); !h.pages.ServeFile(c.W, c.R, c.R.PathValue("version"), name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of this version of a page", name)
	}
	return nil
}

// screenBeside is what the page of a screen finds beside itself.
func (h handlers) screenBeside(c routing.Call) error {
	if name := c.R.PathValue("file"); !h.pages.ServeScreenFile(c.W, c.R, name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of the page of screens", name)
	}
	return nil
}

// phone is the page of a phone, and what it finds beside itself.
func (h handlers) phone(c routing.Call) error {
	if name := c.R.PathValue("file"); !h.pages.ServePhone(c.W, c.R, name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of the page of phones", name)
	}
	return nil
}

// speaker is the page of a speaker, and sound what it plays.
func (h handlers) speaker(c routing.Call) error {
	if name := c.R.PathValue("file"); !h.pages.ServeSpeaker(c.W, c.R, name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of the page of speakers", name)
	}
	return nil
}

func (h handlers) sound(c routing.Call) error {
	name, ok := strings.CutSuffix(c.R.PathValue("name"), ".wav")
	if raw, err := hex.DecodeString(name); !ok || err != nil || len(raw) != sha256.Size || strings.ToLower(name) != name {
		return wire.Problemf(wire.KindNotFound, "a sound is named by 64 letters of hexadecimal and .wav")
	}
	if h.speak == nil {
		return wire.Problemf(wire.KindNotFound, "nobody here can speak")
	}
	wav, err := h.speak(c.R.Context(), name)
	if err != nil {
		return err
	}
	header := c.W.Header()
	header.Set("Content-Type", "audio/wav")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(c.W, c.R, "", time.Time{}, bytes.NewReader(wav))
	return nil
}
