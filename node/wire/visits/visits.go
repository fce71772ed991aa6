// Package visits has the bodies about checking in at a place by the code that hangs there.
package visits

import "time"

// PlaceCodes are the codes of places, to print.
type PlaceCodes struct {
	Codes []PlaceCode `json:"codes"` // by place
}

// PlaceCode is the code of one place. Whoever scans it opens Link; nothing about them is kept on any node.
type PlaceCode struct {
	Place   string            `json:"place"`
	Names   map[string]string `json:"names,omitempty"` // by language
	Link    string            `json:"link"`            // what a phone opens that reads the code
	Until   time.Time         `json:"until"`           // when it is out of date, and has to be printed anew
	Modules int               `json:"modules"`         // of a side of the QR code, without the white margin of 4
	// Picture is a bit for each module in base64, row after row, the first the highest of its byte: 1 is black.
	Picture string `json:"picture"`
}

// Query says of which check-ins. The zero time is 24 hours ago, or now.
type Query struct {
	Place    string // that it is at or below; "" is any
	From, To time.Time
}

// CheckIns is how often phones checked in. It is a number by place and hour and nothing else; no node knows whose.
type CheckIns struct {
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
	Total  int             `json:"total"`  // how often, at all of them
	Places []PlaceCheckIns `json:"places"` // where any phone did, by place
	// Unanswered are the ids of nodes that did not answer; what was counted there is missing.
	Unanswered []string `json:"unanswered,omitempty"`
	// Visited is the value of the parameter almenara:visited for these times, where the place was given: an alert that
	// has it is shown to the phones that checked in there then.
	Visited string `json:"visited,omitempty"`
}

// PlaceCheckIns is how often phones checked in at one place.
type PlaceCheckIns struct {
	Place string `json:"place"`
	Count int    `json:"count"` // how often
}
