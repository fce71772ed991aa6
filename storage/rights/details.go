package rights

// Details are what a scenario says besides its alert, for whoever fills it in and sends it: part of its record. None of them is needed.
type Details struct {
	Blanks    []Blank  `cbor:"10,keyasint,omitempty"` // what may fill blanks; one that is not here takes any text
	Checklist []string `cbor:"11,keyasint,omitempty"` // what to do before it is sent, a line each
	Sensitive []string `cbor:"12,keyasint,omitempty"` // words that are marked where a text holds them
	Choose    bool     `cbor:"13,keyasint,omitempty"` // whoever sends it must select whom, within what it selects
}

// Said reports whether there is any: only version 5 of commands can carry it.
func (d Details) Said() bool {
	return len(d.Blanks) > 0 || len(d.Checklist) > 0 || len(d.Sensitive) > 0 || d.Choose
}

// Blank says what may fill one blank of a scenario.
type Blank struct {
	Name   string   `cbor:"1,keyasint"`
	For    string   `cbor:"2,keyasint,omitempty"` // what it is for, for whoever fills it in
	Values []string `cbor:"3,keyasint,omitempty"` // the only texts that may fill it; none: any
	Max    uint32   `cbor:"4,keyasint,omitempty"` // characters at most; 0: as many as any blank may have
}
