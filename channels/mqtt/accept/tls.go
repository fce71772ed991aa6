package accept

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"time"
)

// tlsConfigs are the two forms of the given configuration.
type tlsConfigs struct{ mqtt, http *tls.Config }

// newTLSConfigs returns nil without a configuration. Records are not split: a
// body and a manifest are one write, and would be several otherwise.
func newTLSConfigs(c *tls.Config) *tlsConfigs {
	if c == nil {
		return nil
	}
	mqtt := c.Clone()
	mqtt.MinVersion = max(mqtt.MinVersion, tls.VersionTLS13)
	mqtt.DynamicRecordSizingDisabled = true
	mqtt.NextProtos = nil
	http := mqtt.Clone()
	http.NextProtos = []string{"http/1.1"} // WebSocket is an upgrade of HTTP/1.1
	return &tlsConfigs{mqtt, http}
}

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

// renewTickets changes the keys of session tickets with the date.
func (s *Server) renewTickets(now time.Time) error {
	day := dayOf(now)
	if s.options.Tickets == nil || s.tls == nil || day == s.ticketDay {
		return nil
	}
	keys, err := ticketKeys(s.options.Tickets, day)
	if err != nil {
		return err
	}
	s.tls.mqtt.SetSessionTicketKeys(keys)
	s.tls.http.SetSessionTicketKeys(keys)
	s.ticketDay = day
	return nil
}
