// Package sign puts an alert on LED signs that speak the Alpha protocol (Adaptive, BetaBrite):
// the priority text file goes before all that the sign shows otherwise, and an empty one brings
// that back. The signs answer nothing: what was written is known, and never what is lit. It
// imports no package of ours.
package sign

import (
	"fmt"
	"io"
	"strings"
)

// The bytes of a frame (Alpha sign communications protocol, §3 and §5).
const (
	soh = 0x01
	stx = 0x02
	eot = 0x04
	esc = 0x1b

	everySign    = "Z00"
	writeText    = 'A'
	priorityFile = '0'
	fillPosition = '0'
	modeRotate   = 'a'
	modeHold     = 'b'
)

// maxText is what a priority text file holds, which the sign allots by itself.
const maxText = 125

// Show writes the text into the priority file of all signs behind w. Signs have no other letters
// than ASCII: a text with others is refused, for half of it would be worse than none. A text that
// is longer than the file is cut at a word.
func Show(w io.Writer, text string) error {
	text, err := plain(text)
	if err != nil {
		return err
	}
	mode := byte(modeHold)
	if len(text) > 20 {
		mode = modeRotate
	}
	return write(w, append([]byte{writeText, priorityFile, esc, fillPosition, mode}, text...))
}

// Clear empties the priority file: signs show what they showed before.
func Clear(w io.Writer) error { return write(w, []byte{writeText, priorityFile}) }

func plain(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	for _, r := range text {
		if r < ' ' || r > '~' {
			return "", fmt.Errorf("a sign has no letter %q", r)
		}
	}
	if text == "" {
		return "", fmt.Errorf("there is no text for the sign")
	}
	if len(text) > maxText {
		text = text[:maxText]
		if at := strings.LastIndexByte(text, ' '); at > 0 {
			text = text[:at]
		}
	}
	return text, nil
}

// write sends one frame: zeros, by which a sign finds the speed, then address and command.
func write(w io.Writer, command []byte) error {
	b := append(make([]byte, 5), soh)
	b = append(append(b, everySign...), stx)
	b = append(append(b, command...), eot)
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing to the sign: %w", err)
	}
	return nil
}
