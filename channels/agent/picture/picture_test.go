package picture

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

var mark = Mark{Cells: "wkwkky" + "kwwkwb", Columns: 6, X: 0.9, Y: 0.95, Width: 0.06, Height: 0.03}

// screen is one of a colour, with the mark where m has it.
func screen(of color.Color, m *Mark) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, 1366, 768))
	draw.Draw(p, p.Bounds(), image.NewUniform(of), image.Point{}, draw.Src)
	if m == nil {
		return p
	}
	rows := len(m.Cells) / m.Columns
	for i, c := range m.Cells {
		x, y := m.X+m.Width*float64(i%m.Columns)/float64(m.Columns), m.Y+m.Height*float64(i/m.Columns)/float64(rows)
		cell := image.Rect(int(1366*x), int(768*y), int(1366*(x+m.Width/float64(m.Columns))), int(768*(y+m.Height/float64(rows))))
		draw.Draw(p, cell, image.NewUniform(colours[c]), image.Point{}, draw.Src)
	}
	return p
}

func bytesOf(t *testing.T, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, p))
	return out.Bytes()
}

func TestJudge_TheMarkOfThePageMustBeThere(t *testing.T) {
	another := mark
	another.Cells = "wkwkky" + "kwwwwb" // of another picture of the same page
	elsewhere := mark
	elsewhere.X = 0.7
	for name, c := range map[string]struct {
		screen *image.RGBA
		want   Verdict
	}{
		"an alert":                   {screen(color.RGBA{211, 0, 27, 255}, &mark), Visible},
		"a page on black":            {screen(color.Black, &mark), Visible},
		"a screen that is off":       {screen(color.Black, nil), Black},
		"one that is almost black":   {screen(color.RGBA{12, 15, 20, 255}, nil), Black},
		"another window":             {screen(color.White, nil), Other},
		"what the page drew before":  {screen(color.Black, &another), Other},
		"a page that is moved":       {screen(color.Black, &elsewhere), Other},
		"a blue screen of a program": {screen(colours['b'], nil), Other},
	} {
		looks, err := Judge(bytesOf(t, c.screen), mark)
		require.NoError(t, err, name)
		require.Equal(t, c.want, looks.Verdict, name)
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, screen(color.RGBA{211, 0, 27, 255}, &mark), &jpeg.Options{Quality: 80}))
	looks, err := Judge(out.Bytes(), mark)
	require.NoError(t, err)
	require.Equal(t, Visible, looks.Verdict, "colours of a JPEG are not exact")
}

func TestJudge_SaysCoarselyHowItLooks(t *testing.T) {
	half := screen(color.Black, nil)
	draw.Draw(half, image.Rect(0, 0, 683, 768), image.NewUniform(color.White), image.Point{}, draw.Src)
	looks, err := Judge(bytesOf(t, half), mark)
	require.NoError(t, err)
	require.Equal(t, Looks{Verdict: Other, Digest: "0f0f0f0f0f0f0f0f", Light: 50}, looks)
}

func TestJudge_RefusesWhatIsNoPicture(t *testing.T) {
	var large bytes.Buffer
	require.NoError(t, png.Encode(&large, image.NewGray(image.Rect(0, 0, 20000, 2100))))
	tiny := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for name, raw := range map[string][]byte{"nothing": nil, "text": []byte("scrot: no display"), "too many pixels": large.Bytes(), "too small": bytesOf(t, tiny), "cut": bytesOf(t, screen(color.White, nil))[:200]} {
		_, err := Judge(raw, mark)
		require.ErrorIs(t, err, ErrUnreadable, name)
	}
}

func TestMark_OfAPageIsBounded(t *testing.T) {
	require.NoError(t, mark.Check())
	for name, change := range map[string]func(*Mark){
		"no cells": func(m *Mark) { m.Cells = "" }, "many": func(m *Mark) { m.Cells = string(bytes.Repeat([]byte("w"), 66)) }, "a colour": func(m *Mark) { m.Cells = "wkwkkywkwkkx" },
		"a row that is not whole": func(m *Mark) { m.Columns = 5 }, "no columns": func(m *Mark) { m.Columns = 0 }, "beside": func(m *Mark) { m.X = 0.99 },
		"above": func(m *Mark) { m.Y = -0.1 }, "flat": func(m *Mark) { m.Height = 0 }, "no number": func(m *Mark) { m.X = math.NaN() },
	} {
		m := mark
		change(&m)
		require.Error(t, m.Check(), name)
	}
}

func TestProgram_PrintsAPictureOrSaysWhyNot(t *testing.T) {
	raw, err := Program{"printf", "a picture"}.Take(context.Background())
	require.NoError(t, err)
	require.Equal(t, "a picture", string(raw))
	for _, p := range []Program{{"false"}, {"no-such-program-here"}} {
		_, err := p.Take(context.Background())
		require.Error(t, err)
	}
	_, err = Program{"head", "-c", "70000000", "/dev/zero"}.Take(context.Background())
	require.Error(t, err, "more than a picture has")
}
