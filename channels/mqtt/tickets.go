package mqtt

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"
)

// ticketDays is how many days a TLS session can be resumed; crypto/tls ends it after
// seven, too.
const ticketDays = 7

// ticketKeys are the keys of session tickets of the day and those before it, newest
// first. They follow from the secret and the date alone, so that a node that has
// restarted can open the tickets that it gave out before.
func ticketKeys(secret []byte, day int64) ([][32]byte, error) {
	keys := make([][32]byte, ticketDays)
	for i := range keys {
		key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("almenara tickets of day %d", day-int64(i)), len(keys[i]))
		if err != nil {
			return nil, fmt.Errorf("making ticket keys: %w", err)
		}
		copy(keys[i][:], key)
	}
	return keys, nil
}

func dayOf(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }

// turnTickets changes the keys of session tickets with the date. The sweep calls it.
func (g *Gateway) turnTickets(now time.Time) error {
	day := dayOf(now)
	if g.tickets == nil || g.tls == nil || day == g.ticketDay {
		return nil
	}
	keys, err := ticketKeys(g.tickets, day)
	if err != nil {
		return err
	}
	g.tls.mqtt.SetSessionTicketKeys(keys)
	g.tls.http.SetSessionTicketKeys(keys)
	g.ticketDay = day
	return nil
}
