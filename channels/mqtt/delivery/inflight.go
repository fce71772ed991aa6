package delivery

import (
	"sync/atomic"

	"almenara/storage/alert"
)

// InFlight is one PUBLISH that awaits its PUBACK.
type InFlight struct {
	Alert    alert.ID
	Revision alert.Revision
	Done     chan<- error // takes one error, or nil, when it ends; nil for alerts

	id uint16
	at int64 // clock
}

// End tells who waits for it.
func (f InFlight) End(err error) {
	if f.Done != nil {
		f.Done <- err
	}
}

// window is what one device has not acknowledged yet.
type window struct {
	flights []InFlight   // oldest first
	lastID  uint16       // the packet id that was given last
	oldest  atomic.Int64 // clock when the oldest was sent; 0: none is in flight
}

// add puts f in flight at a time and returns its packet id. Our ids are our own: the device
// numbers its publishes independently (MQTT 5 §2.2.1).
func (w *window) add(f InFlight, at int64) uint16 {
	for {
		if w.lastID++; w.lastID != 0 && !w.has(w.lastID) {
			break
		}
	}
	f.id, f.at = w.lastID, at
	w.flights = append(w.flights, f)
	w.noteOldest()
	return f.id
}

func (w *window) has(id uint16) bool {
	for i := range w.flights {
		if w.flights[i].id == id {
			return true
		}
	}
	return false
}

// remove takes the one with the packet id out.
func (w *window) remove(id uint16) (InFlight, bool) {
	for i, f := range w.flights {
		if f.id == id {
			w.flights = append(w.flights[:i], w.flights[i+1:]...)
			w.noteOldest()
			return f, true
		}
	}
	return InFlight{}, false
}

func (w *window) noteOldest() {
	if len(w.flights) == 0 {
		w.oldest.Store(0)
		return
	}
	w.oldest.Store(w.flights[0].at)
}
