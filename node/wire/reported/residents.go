package reported

import "time"

// ResidentTopic says what a resident answered besides having seen the alert.
type ResidentTopic string

// The kinds of answers that a person reads.
const (
	ResidentHelp  ResidentTopic = "need_help"
	ResidentPhoto ResidentTopic = "photo"
)

// Enum lists them.
func (ResidentTopic) Enum() []string { return texts([]ResidentTopic{ResidentHelp, ResidentPhoto}) }

// Residents is what people without an account answered to one alert, with phones that read the code beside it, or
// that had checked in where it recalls visitors of. Phones are counted, and not people: one that forgets its random
// value counts again.
type Residents struct {
	// Recalls are the places whose visitors the alert recalls. Of such an alert seen is who said that they are well, help
	// who has symptoms, and blocks are these places; absent of an ordinary one.
	Recalls []Recalled        `json:"recalls,omitempty"`
	Seen    int               `json:"seen"`    // phones
	Help    int               `json:"help"`    // phones
	Photos  int               `json:"photos"`  // pictures
	Blocks  []ResidentsBlock  `json:"blocks"`  // where the codes were read
	Answers []ResidentsAnswer `json:"answers"` // who needs help first, then the newest; 500 at most
	More    bool              `json:"more"`    // there are more answers than are listed
}

// Recalled is who is recalled: whoever was at the place, or below it, at any time of the span.
type Recalled struct {
	Place string    `json:"place"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// ResidentsBlock is how many answered in one block.
type ResidentsBlock struct {
	Place  string `json:"place"`
	Seen   int    `json:"seen"`   // phones
	Help   int    `json:"help"`   // phones
	Photos int    `json:"photos"` // pictures
}

// ResidentsAnswer is a request for help, or a photo. Nothing of it was checked by anybody, and nobody knows whose
// it is.
type ResidentsAnswer struct {
	ID       string        `json:"id"`              // 26 letters and digits, the same at every node
	Kind     ResidentTopic `json:"kind"`            // what it is
	Handling Handling      `json:"handling"`        // what was made of it
	Place    string        `json:"place"`           // of the code that was read
	Taken    time.Time     `json:"taken"`           // by the clock of the node that took it
	Where    string        `json:"where,omitempty"` // floor and flat, in the person's words; of a recall how to reach the person, where that was written
	Text     string        `json:"text,omitempty"`  // in the person's words
	Photo    *Picture      `json:"photo,omitempty"` // absent where there is none
	// By is who moderated it last, and Moderated when; absent while it is new.
	By        string    `json:"by,omitempty"`
	Moderated time.Time `json:"moderated,omitzero"` // see by
	Note      string    `json:"note,omitempty"`     // of who moderated it last
}
