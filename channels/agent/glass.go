package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"almenara/channels/agent/picture"
	"almenara/channels/contract"
)

// Camera takes a picture of the glass, as PNG or JPEG. screen says whether it is one of the whole
// screen, or of the page alone.
type Camera func(ctx context.Context) (raw []byte, screen bool, err error)

// How pictures are taken.
const (
	markMost    = 3 * time.Second // until a page has drawn the mark of a picture
	pictureMost = 5 * time.Second
	lookEach    = time.Minute // while something is in force
	lookTwice   = time.Second // between two looks, of which the second decides
	asksMost    = 4           // that wait; tests come one at a time
)

// glass is what pictures say of the screen. The agent's mu guards it, but for asks.
type glass struct {
	asks chan func(why string) // has room for asksMost; nil: look, and tell nobody
	shot uint64                // number of the picture whose mark pages draw; 0: none yet
	said chan struct{}         // closed and made anew when a page has said something
	word picture.Verdict       // "": never looked
	why  string                // no picture could be looked at
	look picture.Looks
}

func newGlass() glass {
	return glass{asks: make(chan func(string), asksMost), said: make(chan struct{})}
}

// ask has a picture looked at soon. then, which may be nil, gets why what a page paints cannot be
// seen; "" where it can, or nobody knows.
func (g *glass) ask(then func(why string)) {
	select {
	case g.asks <- then:
	default:
		if then != nil {
			then("")
		}
	}
}

// told wakes who waits for a page to say something.
func (g *glass) told() {
	close(g.said)
	g.said = make(chan struct{})
}

// bad reports whether the last picture did not show the page.
func (g *glass) bad() bool { return g.word == picture.Black || g.word == picture.Other }

// tell adds to health what the last picture was.
func (g *glass) tell(h map[string]string) {
	switch {
	case g.word != "":
		h[contract.HealthPicture] = string(g.word)
		h["picture-digest"] = fmt.Sprintf("%s, %d %% light", g.look.Digest, g.look.Light)
	case g.why != "":
		h[contract.HealthPicture] = contract.PictureUnknown
	}
}

// lookAgain looks at pictures: when it is asked, and now and then while something is in force.
func (a *Agent) lookAgain(ctx context.Context) {
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	for {
		var then func(string)
		select {
		case <-ctx.Done():
			return
		case then = <-a.glass.asks:
		case <-tick.C:
			a.mu.Lock()
			idle := len(a.alerts) == 0 && !a.glass.bad() // what was bad is looked at until it is over
			a.mu.Unlock()
			if idle {
				continue
			}
		}
		why := a.look(ctx)
		if then != nil && ctx.Err() == nil {
			then(why)
		}
	}
}

// look takes a picture, a second one where the first does not show the page, and keeps what it was.
// It gives why people cannot see the page; "" where they can, or nobody knows.
func (a *Agent) look(ctx context.Context) string {
	looks, err := a.lookOnce(ctx)
	if err == nil && looks.Verdict != picture.Visible {
		select { // it may have been about to change
		case <-ctx.Done():
			return ""
		case <-time.After(lookTwice):
		}
		looks, err = a.lookOnce(ctx)
	}
	debug.FreeOSMemory() // a picture is larger than all else
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.glass.word, a.glass.why, a.glass.look = "", err.Error(), picture.Looks{}
		a.options.Logger.Warn("no picture could be looked at", "error", err)
	} else {
		a.glass.word, a.glass.why, a.glass.look = looks.Verdict, "", looks
	}
	a.settle()
	if !a.glass.bad() {
		return ""
	}
	a.options.Logger.Error("a picture of the screen does not show the page", "picture", looks.Verdict, "light", looks.Light)
	return "a picture of the screen does not show the page: " + string(looks.Verdict)
}

var errNoMark = errors.New("no page has drawn the mark of the picture")

// lookOnce has pages draw a new mark and looks for it.
func (a *Agent) lookOnce(ctx context.Context) (picture.Looks, error) {
	ctx, cancel := context.WithTimeout(ctx, markMost+pictureMost)
	defer cancel()
	marks, err := a.marks(ctx)
	if err != nil {
		return picture.Looks{}, err
	}
	raw, screen, err := a.options.Picture(ctx)
	if err != nil {
		return picture.Looks{}, err
	}
	var looks picture.Looks
	for _, m := range marks {
		if looks, err = picture.Judge(raw, m.on(screen)); err != nil || looks.Verdict == picture.Visible {
			break
		}
	}
	return looks, err
}

// marks are those that visible pages have drawn for the next picture, one at least.
func (a *Agent) marks(ctx context.Context) ([]mark, error) {
	ctx, cancel := context.WithTimeout(ctx, markMost)
	defer cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.glass.shot++
	a.change()
	for {
		var out []mark
		for _, p := range a.pages {
			if p.visible(a.options.Clock()) && p.mark != nil && p.mark.Shot == a.glass.shot {
				out = append(out, *p.mark)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
		said := a.glass.said
		a.mu.Unlock()
		select {
		case <-ctx.Done():
			a.mu.Lock()
			return nil, errNoMark
		case <-said:
		}
		a.mu.Lock()
	}
}
