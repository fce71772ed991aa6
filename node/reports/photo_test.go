package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"
)

// picture is a JPEG of so many pixels.
func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			m.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 40}))
	return b.Bytes()
}

// flat is a JPEG of one colour, which is small however many pixels it has.
func flat(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil))
	return b.Bytes()
}

func TestRedraw_LeavesNothingButThePicture(t *testing.T) {
	raw := picture(t, 64, 48)
	exif := append([]byte("Exif\x00\x00"), "GPS 22.39,113.97"...)
	hidden := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
	hidden = append(append(append(hidden, exif...), raw[2:]...), "<script>alert(1)</script>"...)
	out, size, err := Redraw(hidden)
	require.NoError(t, err)
	require.Equal(t, image.Pt(64, 48), size)
	for _, word := range []string{"Exif", "GPS", "script"} {
		require.NotContains(t, string(out), word)
	}
	again, err := jpeg.DecodeConfig(bytes.NewReader(out))
	require.NoError(t, err)
	require.Equal(t, []int{64, 48}, []int{again.Width, again.Height})
}

func TestRedraw_RefusesWhatIsNoPhoto(t *testing.T) {
	var other bytes.Buffer
	require.NoError(t, png.Encode(&other, image.NewGray(image.Rect(0, 0, 4, 4))))
	bomb := picture(t, 16, 16)
	at := bytes.Index(bomb, []byte{0xff, 0xc0}) // start of frame: its height and width
	copy(bomb[at+5:], []byte{0xff, 0xff, 0xff, 0xff})
	wide := picture(t, 16, 16)
	copy(wide[at+5:], []byte{0x07, 0xff, 0x07, 0xff}) // 2,047 each: a side may be as long, and all is too much
	for what, raw := range map[string][]byte{
		"a page": []byte("<!doctype html><script>alert(1)</script>"), "nothing": {}, "another picture": other.Bytes(),
		"a beginning": picture(t, 64, 48)[:100], "65,535 pixels a side": bomb, "four million pixels": wide, "2.2 million pixels that can be read": flat(t, 2000, 1100), "one long side": flat(t, 4000, 8),
	} {
		_, _, err := Redraw(raw)
		require.ErrorIs(t, err, errPhoto, what)
	}
}

// Files of WebP of one pixel: lossy, lossless, with transparency, and one that moves.
var webps = map[string]string{
	"lossy":       "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA",
	"lossless":    "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==",
	"transparent": "UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==",
	"moves":       "UklGRlIAAABXRUJQVlA4WAoAAAASAAAAAAAAAAAAQU5JTQYAAAD/////AABBTk1GJgAAAAAAAAAAAAAAAAAAAGQAAABWUDhMDQAAAC8AAAAQBxAREYiI/gcA",
}

func webpOf(t testing.TB, kind string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(webps[kind])
	require.NoError(t, err)
	return raw
}

// Phones may send WebP; what is kept and shown is a JPEG of it.
func TestRedraw_MakesAJPEGOfWebP(t *testing.T) {
	for _, kind := range []string{"lossy", "lossless", "transparent"} {
		out, size, err := Redraw(append(webpOf(t, kind), "GPS 22.39,113.97"...))
		require.NoError(t, err, kind)
		require.Equal(t, image.Pt(1, 1), size)
		require.NotContains(t, string(out), "GPS")
		_, err = jpeg.DecodeConfig(bytes.NewReader(out))
		require.NoError(t, err, kind)
	}
	large := webpOf(t, "lossy")
	at := bytes.Index(large, []byte{0x9d, 0x01, 0x2a}) // before width and height
	copy(large[at+3:], []byte{0xff, 0x3f, 0xff, 0x3f})
	for what, raw := range map[string][]byte{"one that moves": webpOf(t, "moves"), "16,383 pixels a side": large, "a beginning": webpOf(t, "lossy")[:30], "a name": []byte("RIFF\x04\x00\x00\x00WEBP")} {
		_, _, err := Redraw(raw)
		require.ErrorIs(t, err, errPhoto, what)
		require.ErrorContains(t, err, "no WebP that stands still", what)
	}
}

func FuzzRedraw(f *testing.F) {
	f.Add(picture(f, 16, 16))
	for kind := range webps {
		f.Add(webpOf(f, kind))
	}
	f.Add([]byte("\xff\xd8\xff\xc0"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, _, err := Redraw(raw)
		if err == nil {
			_, err = jpeg.DecodeConfig(bytes.NewReader(out))
			require.NoError(t, err)
		}
	})
}
