package reports

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/webp"

	"almenara/storage/factbody"
)

// The largest photo that is decoded: while it is, it takes some 15 bytes of memory a pixel.
const (
	maxSide   = 2048
	maxPixels = 2_000_000
)

// mostScans bounds how often a progressive JPEG goes over all of its pixels, which costs as much however few bytes a scan
// has: cameras and programs write some ten. Eighty thousand fit into a megabyte, and took a minute and a half.
const mostScans = 64

// beginsScan is the marker before each (ISO/IEC 10918-1, SOS). In the data of a scan it cannot be; what else it is
// counted in, such as a thumbnail, has it few times.
var beginsScan = []byte{0xff, 0xda}

// errPhoto is what is said of bytes that are no photo.
var errPhoto = errors.New("the photo is no JPEG, and no WebP that stands still, of at most 2,048 pixels a side and 2,000,000 in all")

// isWebP goes by how a RIFF file of WebP begins.
func isWebP(raw []byte) bool {
	return len(raw) >= 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP"
}

// Redraw decodes a photo and writes it anew: what comes out has nothing of the bytes that came in but the
// picture. The pixels are counted before anything is decoded. It never panics on foreign bytes.
func Redraw(raw []byte) (out []byte, size image.Point, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%w: %v", errPhoto, r)
		}
	}()
	configOf, decode := jpeg.DecodeConfig, jpeg.Decode
	if isWebP(raw) {
		configOf, decode = webp.DecodeConfig, webp.Decode
	}
	if scans := bytes.Count(raw, beginsScan); scans > mostScans && !isWebP(raw) {
		return nil, size, fmt.Errorf("%w: it has %d scans", errPhoto, scans)
	}
	config, err := configOf(bytes.NewReader(raw))
	if err != nil {
		return nil, size, fmt.Errorf("%w: %w", errPhoto, err)
	}
	if w, h := config.Width, config.Height; w <= 0 || h <= 0 || w > maxSide || h > maxSide || w*h > maxPixels {
		return nil, size, fmt.Errorf("%w: it has %d × %d", errPhoto, w, h)
	}
	picture, err := decode(bytes.NewReader(raw))
	if err != nil {
		return nil, size, fmt.Errorf("%w: %w", errPhoto, err)
	}
	for _, quality := range []int{80, 60, 40, 20} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: quality}); err != nil {
			return nil, size, fmt.Errorf("%w: %w", errPhoto, err)
		}
		if b.Len() <= factbody.MaxReportPhoto {
			return b.Bytes(), picture.Bounds().Size(), nil
		}
	}
	return nil, size, fmt.Errorf("%w: it cannot be made smaller", errPhoto)
}
