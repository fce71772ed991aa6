package main

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// floodAttacks are many connections or many publishes.
var floodAttacks = map[string]attack{
	"mqtt-2000-connections": manyConnections,
	"mqtt-junk-receipts":    junkReceipts,
	"mqtt-unknown-alerts":   unknownAlerts,
	"mqtt-many-revisions":   manyRevisions,
	"mqtt-forged-receipts":  forgedReceipts,
}

// manyConnections opens 2,000 from one address at once and says nothing.
func manyConnections(t target) (string, error) {
	var wg sync.WaitGroup
	var open, refused atomic.Int64
	conns := make(chan *conn, 2000)
	begun := time.Now()
	for range cap(conns) {
		wg.Go(func() {
			c, err := dial(t.addr)
			if err != nil {
				refused.Add(1)
				return
			}
			open.Add(1)
			conns <- c
		})
	}
	wg.Wait()
	took := time.Since(begun)
	close(conns)
	at := time.Now()
	err := alive(t)
	served := time.Since(at)
	for c := range conns {
		_ = c.Close()
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d open, %d refused in %v; then a device is served in %v",
		open.Load(), refused.Load(), took.Round(time.Millisecond), served.Round(time.Millisecond)), nil
}

// flood publishes what next gives, as fast as the node takes it, for a while.
func flood(t target, seconds int, next func(i int) string) (published, acked int64, err error) {
	c, err := login(t, 4)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	var acks atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			first, _, err := c.next()
			if err != nil {
				return
			}
			if first&0xF0 == pubackKind {
				acks.Add(1)
			}
		}
	}()
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	for i := 0; time.Now().Before(end); i++ {
		_ = c.SetWriteDeadline(end)
		packet := publishPacket(false, uint16(i%65535)+1, topics+"device/"+t.id+"/receipt", []byte(next(i)))
		if _, err := c.Write(packet); err != nil {
			break // the node does not read any more, or has closed
		}
		published++
	}
	_ = c.Close()
	<-done
	return published, acks.Load(), nil
}

// junkReceipts publishes what is no receipt.
func junkReceipts(t target) (string, error) {
	junk := []string{
		"", "null", "{}", "[", "[null]", "[{}]", strings.Repeat("[", 10_000), "[" + strings.Repeat(" ", 60_000) + "]",
		receipt("not an id", 1, "presented"), receipt(t.alert, 0, "presented"), receipt(t.alert, 1, "queued"),
		receipt(t.alert, 1, "delivered"), strings.Replace(receipt(t.alert, 1, "presented"), "2026", "99999", 1),
		"\x00\xff\xfe", `[{"alert":1,"revision":"x","rung":[],"at":{},"seq":-1}]`,
	}
	published, acked, err := flood(t, 3, func(i int) string { return junk[i%len(junk)] })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d published in 3 s, %d acknowledged", published, acked), alive(t)
}

// receipt is the payload with one receipt.
func receipt(alert string, revision uint64, rung string) string {
	return "[" + item(alert, revision, rung) + "]"
}

func item(alert string, revision uint64, rung string) string {
	return fmt.Sprintf(`{"alert":%q,"revision":%d,"rung":%q,"at":%q,"seq":1}`, alert, revision, rung, time.Now().UTC().Format(time.RFC3339))
}

// randomAlert is an alert id of which nobody has heard.
func randomAlert() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:]))
}

// unknownAlerts fills every publish with receipts of alerts that do not exist.
func unknownAlerts(t target) (string, error) {
	published, acked, err := flood(t, 5, func(int) string {
		items := make([]string, 400)
		for i := range items {
			items[i] = item(randomAlert(), 1, "presented")
		}
		return "[" + strings.Join(items, ",") + "]"
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d receipts of as many unknown alerts in 5 s, %d publishes acknowledged", published*400, acked), alive(t)
}

// manyRevisions fills every publish with revisions that the alert does not have.
func manyRevisions(t target) (string, error) {
	published, acked, err := flood(t, 5, func(n int) string {
		items := make([]string, 400)
		for i := range items {
			items[i] = item(t.alert, uint64(n*400+i+1), "presented")
		}
		return "[" + strings.Join(items, ",") + "]"
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d receipts of as many revisions in 5 s, %d publishes acknowledged", published*400, acked), alive(t)
}

// forgedReceipts claims every rung for an alert that this device was not sent.
func forgedReceipts(t target) (string, error) {
	c, err := login(t, 4)
	if err != nil {
		return "", err
	}
	defer c.Close()
	for i, rung := range []string{"verified", "presented", "acknowledged", "failed", "refused", "expired", "cancelled"} {
		p := publishPacket(false, uint16(i+1), topics+"device/"+t.id+"/receipt", []byte(receipt(t.alert, t.revision, rung)))
		if _, err := c.Write(p); err != nil {
			return "", err
		}
		if _, err := c.await(pubackKind); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			return "", err
		}
	}
	return "seven rungs claimed", alive(t)
}
