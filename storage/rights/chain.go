package rights

import "fmt"

// Chain is what a planned notice goes through before it is sent: levels of persons, one after the
// other, and words that are looked at with care. Version 10 of commands.
type Chain struct {
	Levels []Level `cbor:"1,keyasint"`
	Words  []Word  `cbor:"2,keyasint,omitempty"`
}

// Level is one step of a chain: who must pass a notice on, and what they must have looked at.
type Level struct {
	Title     string   `cbor:"1,keyasint,omitempty"` // in people's words; "": its number alone
	Role      string   `cbor:"2,keyasint,omitempty"` // of those who may pass it on; "": People alone may
	People    []string `cbor:"3,keyasint,omitempty"` // names of users; empty: everybody with Role may
	Count     uint32   `cbor:"4,keyasint"`           // how many of them must pass it on
	Hours     uint32   `cbor:"5,keyasint,omitempty"` // after which it is overdue; 0: DefaultHours
	Checklist []string `cbor:"6,keyasint,omitempty"` // each of them must tick these lines
}

// DefaultHours is after how many hours a level is overdue that says nothing of it.
const DefaultHours = 24

// Word is a word that is looked at with care where a text holds it.
type Word struct {
	Word string `cbor:"1,keyasint"`
	Why  string `cbor:"2,keyasint,omitempty"` // for whoever writes or reads the text
	Tick bool   `cbor:"3,keyasint,omitempty"` // a person besides the author must tick that it may stand there
}

// String is what the audit says of a chain behind the rest; "" of none, as software has it that knows none.
func (c *Chain) String() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(", planned notices: %d levels, %d words", len(c.Levels), len(c.Words))
}
