package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"almenara/channels/agent/picture"
	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/pages"
)

// maxSeen bounds what a page says: 64 alerts and what a state may hold of health, many times over.
const maxSeen = 64 << 10

// heartbeat is how often a page that hears nothing new is told that the agent lives, and how old
// the last word is.
const heartbeat = 2 * time.Second

// Bounds on pages: one browser is what a box has, and people who look may have further ones.
const (
	maxPages  = 16
	maxPageID = 64
	writeMost = time.Minute // how long a page may leave what it is told unread
)

// content is what a page gets: the whole of what is to be shown, whenever it changes and with each heartbeat.
type content struct {
	Seq       uint64        `json:"seq"`
	Beat      uint64        `json:"beat"`    // how many were sent on this connection; the page says the last that it has
	Shot      uint64        `json:"shot"`    // of which picture it draws the mark; 0: none is taken here
	Now       int64         `json:"now"`     // corrected time, milliseconds since 1970
	Silence   int64         `json:"silence"` // milliseconds since the last manifest; -1: none yet
	Connected bool          `json:"connected"`
	Alerts    []alertOnPage `json:"alerts"`

	// Unconfirmed is what was presented before the power of the box went, while no node has said since whether it stands.
	Unconfirmed []alertOnPage `json:"unconfirmed,omitempty"`

	Commands []contract.Command `json:"commands,omitempty"`
	Device   deviceOnPage       `json:"device"`
}

type alertOnPage struct {
	Alert     string         `json:"alert"`
	Revision  uint64         `json:"revision"`
	Body      *contract.Body `json:"body"`
	Look      lookOnPage     `json:"look"`
	Resumed   bool           `json:"resumed"`   // it is no beginning: without the attention tone
	Reminders int            `json:"reminders"` // how often it was presented again because nobody confirmed it
}

type lookOnPage struct {
	Tier  contract.Tier `json:"tier"`
	Sound string        `json:"sound"`
}

type deviceOnPage struct {
	ID    string `json:"id"`
	Zone  string `json:"zone,omitempty"`
	Under string `json:"under,omitempty"`
}

// seen is what a page says: whenever it changes, and in answer to each content.
type seen struct {
	Page    string            `json:"page"` // what the page calls itself
	Seq     uint64            `json:"seq"`
	Frames  uint64            `json:"frames"` // how many it has painted
	Hidden  bool              `json:"hidden"` // nobody can see the page
	Mark    *mark             `json:"mark,omitempty"`
	Painted []device.Revision `json:"painted"`
	Health  map[string]string `json:"health"`
	Tested  *contract.Tested  `json:"tested,omitempty"` // what the last test came to on the page
}

// mark is what the page has drawn for a picture to find, and where, as parts of the page and of the screen.
type mark struct {
	Shot    uint64     `json:"shot"`
	Cells   string     `json:"cells"`
	Columns int        `json:"columns"`
	Page    [4]float64 `json:"page"`   // left, top, width, height
	Screen  [4]float64 `json:"screen"` // the same
}

// Handler serves the page, its files, and what page and agent say to each other. It answers
// requests to the box itself alone, whoever else reaches the port.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(pages.Path, http.StatusFound))
	mux.HandleFunc("GET "+pages.Path+"{$}", func(w http.ResponseWriter, _ *http.Request) { a.options.Pages.ServeScreen(w, pages.FromAgent) })
	mux.HandleFunc("GET "+pages.Path+"{version}/{file...}", func(w http.ResponseWriter, r *http.Request) {
		if !a.options.Pages.ServeFile(w, r, r.PathValue("version"), r.PathValue("file")) {
			http.NotFound(w, r)
		}
	})
	mux.HandleFunc("GET /agent/events", a.events)
	mux.HandleFunc("POST /agent/seen", a.seen)
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !local(r.Host) {
			http.Error(w, "this address is for the box itself", http.StatusMisdirectedRequest)
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// local keeps pages of other sites out that have a name of theirs point here.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || host == "[::1]"
}

// ours reports whether a page of the agent asks, or a program that says nothing of pages. A page of another site can
// read nothing here, and would hold a place all the same: what runs under the alerts is one.
func ours(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from == "" || from == "same-origin"
}

// events tells a page the picture at once, whenever it changes, and every two seconds.
func (a *Agent) events(w http.ResponseWriter, r *http.Request) {
	if !ours(r) {
		http.Error(w, "a page of another site is told nothing", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	id := r.URL.Query().Get("page")
	if len(id) > maxPageID || !a.listen(id) {
		http.Error(w, "too many pages listen, or this one has too long a name", http.StatusTooManyRequests)
		return
	}
	defer a.leave(id)
	flush := http.NewResponseController(w)
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for beat := uint64(1); ; beat++ {
		now, changed := a.content()
		now.Beat = beat
		raw, err := json.Marshal(now)
		if err != nil {
			return
		}
		_ = flush.SetWriteDeadline(a.options.Clock().Add(writeMost)) // a browser that hangs reads nothing
		if _, err := fmt.Fprintf(w, "data: %s\n\n", raw); err != nil || flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-tick.C:
		}
	}
}

// seen takes what a page has painted.
func (a *Agent) seen(w http.ResponseWriter, r *http.Request) {
	var s seen
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSeen))
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		http.Error(w, "what was painted cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	if !a.saw(s) {
		http.Error(w, "this page does not listen, so that nobody knows whether it is still there", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// check holds what a page says to what a state may carry.
func (s seen) check() error {
	if len(s.Health) > contract.MaxHealth-ownHealth {
		return fmt.Errorf("more than %d entries of health", contract.MaxHealth-ownHealth)
	}
	if s.Mark != nil {
		for _, of := range []bool{true, false} {
			if err := s.Mark.on(of).Check(); err != nil {
				return err
			}
		}
	}
	for name, value := range s.Health {
		if len(name) > contract.MaxStateText || len(value) > contract.MaxStateText || !utf8.ValidString(name+value) {
			return fmt.Errorf("a text of health is longer than %d bytes", contract.MaxStateText)
		}
	}
	if t := s.Tested; t != nil && (len(t.Exercised) > contract.MaxExercised || slices.ContainsFunc(t.Exercised, func(word string) bool { return len(word) > contract.MaxStateText })) {
		return fmt.Errorf("more than %d words of what was exercised, or one is longer than %d bytes", contract.MaxExercised, contract.MaxStateText)
	}
	return nil
}

// on is where the mark is on a picture of the screen, or of the page alone.
func (m mark) on(screen bool) picture.Mark {
	at := m.Page
	if screen {
		at = m.Screen
	}
	return picture.Mark{Cells: m.Cells, Columns: m.Columns, X: at[0], Y: at[1], Width: at[2], Height: at[3]}
}
