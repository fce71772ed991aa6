package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
)

// reportAttacks misuse what people may report. The first of them uses none of the device's share, the second
// all of it.
var reportAttacks = map[string]attack{
	"mqtt-report-photos": reportPhotos,
	"mqtt-report-flood":  reportFlood,
}

const (
	payloadRefused = 0x99
	quotaRefused   = 0x97
	hourlyReports  = 12 // of one member, as CONTRACT.md §4.9 says
)

// reportPhotos sends what is no photo, or too much of one.
func reportPhotos(t target) (string, error) {
	var good bytes.Buffer
	if err := jpeg.Encode(&good, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		return "", err
	}
	bomb := bytes.Clone(good.Bytes())
	copy(bomb[bytes.Index(bomb, []byte{0xff, 0xc0})+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65,535 pixels a side
	for name, photo := range map[string][]byte{
		"a page": []byte("<!doctype html><script>alert(1)</script>"), "a drawing": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"65,535 pixels a side": bomb, "half a photo": good.Bytes()[:len(good.Bytes())/2], "more than 45 KiB": append(bytes.Clone(good.Bytes()), make([]byte, 46<<10)...),
	} {
		code, err := reportOnce(t, fmt.Sprintf(`{"id":"hostile-photo-%04d","kind":"hazard","photo":%q}`, len(photo), base64.StdEncoding.EncodeToString(photo)))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if code != payloadRefused {
			return "", fmt.Errorf("%s was answered with 0x%02x", name, code)
		}
	}
	c, err := login(t, 5)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Write(length([]byte{publishKind | 2}, 10<<20)); err != nil { // ten megabytes are announced
		return "", err
	}
	if _, err := c.closed(patience); err != nil {
		return "", fmt.Errorf("a report of 10 MB was announced: %w", err)
	}
	return "no page, drawing, bomb or half of a photo is taken; 10 MB are closed at once", alive(t)
}

// reportOnce sends one report and gives the code of its PUBACK.
func reportOnce(t target, payload string) (byte, error) {
	c, err := login(t, 5)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return reportOn(c, t, payload)
}

func reportOn(c *conn, t target, payload string) (byte, error) {
	if _, err := c.Write(publishPacket(true, 1, topics+"device/"+t.id+"/report", []byte(payload))); err != nil {
		return 0, err
	}
	ack, err := c.await(pubackKind)
	if err != nil {
		return 0, err
	}
	if len(ack) < 3 {
		return 0, nil
	}
	return ack[2], nil
}

// reportFlood sends one report after the other, with text that turns the direction of writing.
func reportFlood(t target) (string, error) {
	c, err := login(t, 5)
	if err != nil {
		return "", err
	}
	defer c.Close()
	taken, refused := 0, 0
	for i := range 300 {
		code, err := reportOn(c, t, fmt.Sprintf(`{"id":"hostile-flood-%06d","kind":"need_help","text":"\u202egnp.<script>alert(1)</script>","place":"\u202e"}`, i))
		if err != nil {
			return "", fmt.Errorf("report %d: %w", i, err)
		}
		switch code {
		case 0:
			taken++
		case quotaRefused:
			refused++
		default:
			return "", fmt.Errorf("report %d was answered with 0x%02x", i, code)
		}
	}
	if taken > hourlyReports {
		return "", fmt.Errorf("%d reports of one device were taken in an hour", taken)
	}
	return fmt.Sprintf("%d reports were taken, %d refused", taken, refused), alive(t)
}
