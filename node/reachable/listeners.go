package reachable

import (
	"slices"
	"sync"
)

// Listeners is where devices and people are let in, as they are told it. Safe for
// concurrent use; the zero value is closed.
type Listeners struct {
	mu   sync.Mutex
	mqtt []string // URLs, in the order in which devices should try them
	api  string   // URL; "" is off
}

// OpenMQTT notes that devices are let in at the URL.
func (l *Listeners) OpenMQTT(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mqtt = append(l.mqtt, url)
}

// OpenAPI notes where the API is reached.
func (l *Listeners) OpenAPI(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.api = url
}

// URLs lists what is open.
func (l *Listeners) URLs() (api string, mqtt []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.api, slices.Clone(l.mqtt)
}
