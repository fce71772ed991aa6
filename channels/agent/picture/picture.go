// Package picture judges a picture of a screen: whether it is black, and whether the mark that the
// page has drawn in its corner is on it, which nothing but that page draws.
//
// It takes bytes and gives a word. It imports no other package of ours, and keeps no picture.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // what programs print
	_ "image/png"
	"math"
)

// Verdict is what a picture says of the glass.
type Verdict string

// The verdicts.
const (
	Visible Verdict = "visible" // the mark of the page is where it must be
	Black   Verdict = "black"   // nothing but black
	Other   Verdict = "other"   // something, and not what the page draws now
)

// Mark is what the page has drawn: rows of cells, each of one colour.
type Mark struct {
	Cells   string  // row by row, of w, k, y and b: white, black, yellow, blue
	Columns int     // cells of a row
	X, Y    float64 // of the upper left corner, as a part of the picture's width and height
	Width   float64 // of the mark, as a part of the picture's width
	Height  float64
}

// Looks is what was found.
type Looks struct {
	Verdict Verdict
	Digest  string // 16 digits of hexadecimal: which of 64 parts are lighter than the whole
	Light   int    // how light it is on the whole, from 0 to 100
}

// The most that is decoded, in pixels: four times a screen of 4K would be no screen.
const maxPixels = 40 << 20

// blackMost is how light the lightest of many points of a black picture may be, of 255.
const blackMost = 24

// ErrUnreadable is returned for bytes that are no picture.
var ErrUnreadable = errors.New("not a picture that can be read")

// Check bounds what a page says of its mark.
func (m Mark) Check() error {
	within := func(from, length float64) bool { return from >= 0 && length > 0 && from+length <= 1 } // not so for a NaN
	if n := len(m.Cells); n < 8 || n > 64 || m.Columns < 1 || n%m.Columns != 0 || !within(m.X, m.Width) || !within(m.Y, m.Height) {
		return errors.New("a mark has 8 to 64 cells in whole rows, and lies within the picture")
	}
	for _, c := range m.Cells {
		if _, ok := colours[c]; !ok {
			return fmt.Errorf("%q is no colour of a mark", c)
		}
	}
	return nil
}

var colours = map[rune]color.RGBA{'w': {255, 255, 255, 255}, 'k': {0, 0, 0, 255}, 'y': {255, 213, 0, 255}, 'b': {31, 111, 235, 255}}

// Judge looks at a PNG or JPEG. m must have passed Check.
func Judge(raw []byte, m Mark) (Looks, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || size.Width < 64 || size.Height < 64 || size.Width*size.Height > maxPixels {
		return Looks{}, errors.Join(ErrUnreadable, err)
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return Looks{}, errors.Join(ErrUnreadable, err)
	}
	looks, lightest := measure(picture)
	switch {
	case m.on(picture):
		looks.Verdict = Visible
	case lightest <= blackMost:
		looks.Verdict = Black
	default:
		looks.Verdict = Other
	}
	return looks, nil
}

// measure samples a grid of points: how light parts of the picture and all of it are.
func measure(p image.Image) (out Looks, lightest int) {
	const parts, each = 8, 12
	var sums [parts * parts]int
	b, whole := p.Bounds(), 0
	for y := range parts * each {
		for x := range parts * each {
			light := lightOf(p.At(b.Min.X+(2*x+1)*b.Dx()/(2*parts*each), b.Min.Y+(2*y+1)*b.Dy()/(2*parts*each)))
			sums[y/each*parts+x/each] += light
			whole += light
			lightest = max(lightest, light)
		}
	}
	var digest uint64
	for i, sum := range sums {
		if sum*len(sums) > whole {
			digest |= 1 << i
		}
	}
	out.Digest = fmt.Sprintf("%016x", digest)
	out.Light = whole * 100 / (255 * len(sums) * each * each)
	return out, lightest
}

// lightOf goes by ITU-R BT.601, from 0 to 255.
func lightOf(c color.Color) int { return int(color.GrayModel.Convert(c).(color.Gray).Y) }

// on reports whether every cell of the mark has its colour in the middle.
func (m Mark) on(p image.Image) bool {
	b, rows := p.Bounds(), len(m.Cells)/m.Columns
	at := func(size int, from, length float64, i, of int) int {
		return min(int(math.Floor(float64(size)*(from+length*(float64(i)+0.5)/float64(of)))), size-1)
	}
	for i, c := range m.Cells {
		x := b.Min.X + at(b.Dx(), m.X, m.Width, i%m.Columns, m.Columns)
		y := b.Min.Y + at(b.Dy(), m.Y, m.Height, i/m.Columns, rows)
		if !alike(p.At(x, y), colours[c]) {
			return false
		}
	}
	return true
}

// alike leaves room for how screens and pictures change colours, and none for another colour of marks.
func alike(is color.Color, want color.RGBA) bool {
	r, g, b, _ := is.RGBA()
	far := func(a uint32, b uint8) int { return max(int(a>>8)-int(b), int(b)-int(a>>8)) }
	return max(far(r, want.R), far(g, want.G), far(b, want.B)) <= 64
}
