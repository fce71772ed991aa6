package rights

// Details are what a scenario says besides its alert, for whoever fills it in and sends it: part of its record. None of them is needed.
type Details struct {
	Blanks    []Blank  `cbor:"10,keyasint,omitempty"` // what may fill blanks; one that is not here takes any text
	Checklist []string `cbor:"11,keyasint,omitempty"` // what to do before it is sent, a line each
	Sensitive []string `cbor:"12,keyasint,omitempty"` // words that are marked where a text holds them
	Choose    bool     `cbor:"13,keyasint,omitempty"` // whoever sends it must select whom, within what it selects
	// What the nodes do by themselves after it was sent: of version 9 of commands.
	Remind  uint32   `cbor:"14,keyasint,omitempty"` // minutes between reminders; 0: none come by themselves
	Answers uint32   `cbor:"15,keyasint,omitempty"` // how many must have answered, or the next of Groups is called
	Minutes uint32   `cbor:"16,keyasint,omitempty"` // that a group has before the next one is called
	Groups  []string `cbor:"17,keyasint,omitempty"` // selections of the groups after the first; none: nobody else is called
}

// Said reports whether there is any: only version 5 of commands can carry it.
func (d Details) Said() bool {
	return len(d.Blanks) > 0 || len(d.Checklist) > 0 || len(d.Sensitive) > 0 || d.Choose
}

// Follows reports whether nodes do something by themselves after it was sent: only version 9 of commands
// can carry that.
func (d Details) Follows() bool {
	return d.Remind > 0 || d.Answers > 0 || d.Minutes > 0 || len(d.Groups) > 0
}

// Blank says what may fill one blank of a scenario.
type Blank struct {
	Name   string   `cbor:"1,keyasint"`
	For    string   `cbor:"2,keyasint,omitempty"` // what it is for, for whoever fills it in
	Values []string `cbor:"3,keyasint,omitempty"` // the only texts that may fill it; none: any
	Max    uint32   `cbor:"4,keyasint,omitempty"` // characters at most; 0: as many as any blank may have
}
