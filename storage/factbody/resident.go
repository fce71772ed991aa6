package factbody

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"almenara/storage"
)

// The bounds of what residents answer.
const (
	MaxResidentAnswers = 64  // in one fact, so that it fits whatever they say
	MaxResidentWhere   = 100 // bytes
	MaxResidentText    = 500 // bytes
	MaxResidentBlock   = 512 // bytes of the path of a place
	ResidentPhoneBytes = 8
)

// ResidentWhat says what somebody without an account answered. Numbers are never given anew.
type ResidentWhat uint8

// The values of ResidentWhat.
const (
	ResidentSeen  ResidentWhat = iota + 1 // has seen the alert
	ResidentHelp                          // needs help
	ResidentPhoto                         // sent a photo
)

var residentWhats = [...]string{"", "seen", "need_help", "photo"}

// String is the answer as the API writes it.
func (w ResidentWhat) String() string {
	if int(w) < len(residentWhats) && w > 0 {
		return residentWhats[w]
	}
	return fmt.Sprintf("answer %d", uint8(w))
}

// ResidentAnswer is what somebody answered to one alert with a phone that read the code beside it. It names
// nobody: Phone is drawn from a random value that the phone keeps for this alert alone.
type ResidentAnswer struct {
	ID    string       `cbor:"1,keyasint"` // ResidentID
	Alert string       `cbor:"2,keyasint"`
	Block string       `cbor:"3,keyasint"` // path of the place whose code was read
	What  ResidentWhat `cbor:"4,keyasint"`
	Phone []byte       `cbor:"5,keyasint"`
	Taken int64        `cbor:"6,keyasint"`           // ms since 1970, clock of the node that took it
	Where string       `cbor:"7,keyasint,omitempty"` // floor and flat, in the person's words
	Text  string       `cbor:"8,keyasint,omitempty"`
	Photo *Photo       `cbor:"9,keyasint,omitempty"`

	// Gone says that Where, Text and Photo were removed because they were old, and HadPhoto that there was one: the
	// answer counts on.
	Gone     bool `cbor:"10,keyasint,omitempty"`
	HadPhoto bool `cbor:"11,keyasint,omitempty"`
}

// Residents records answers of residents that came in at one node at about the same time: the body of a
// residents fact, of which the state machine only writes a line on the audit. It needs command version 11.
type Residents struct {
	Answers []ResidentAnswer `cbor:"1,keyasint"`
}

// ResidentsGoneSince is the first version of commands whose software reads answers that lost what they said.
const ResidentsGoneSince = 12

// ResidentsVersion is the lowest version of commands whose software reads the body of a residents fact.
func ResidentsVersion(body []byte) uint64 {
	r, err := DecodeResidents(body)
	if err == nil && slices.ContainsFunc(r.Answers, func(a ResidentAnswer) bool { return a.Gone }) {
		return ResidentsGoneSince
	}
	return 11
}

// Old is the answers without the words, places and photos of people; false where there were none.
func (r Residents) Old() (Residents, bool) {
	out, changed := Residents{Answers: slices.Clone(r.Answers)}, false
	for i := range out.Answers {
		a := &out.Answers[i]
		if a.Where != "" || a.Text != "" || a.Photo != nil {
			*a, changed = a.Old(), true
		}
	}
	return out, changed
}

// Old is the answer without words, place and photo.
func (a ResidentAnswer) Old() ResidentAnswer {
	a.HadPhoto = a.HadPhoto || a.Photo != nil
	a.Where, a.Text, a.Photo, a.Gone = "", "", nil, true
	return a
}

// ResidentID is what the district calls an answer: 26 letters and digits of the alert, of the phone and of
// what it answered, so that the same answer again is the same at every node.
func ResidentID(alert string, phone []byte, what ResidentWhat, says string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "resident\x00%s\x00%x\x00%d\x00%s", alert, phone, what, says))
	return strings.ToLower(letters.EncodeToString(sum[:16]))
}

// Encode writes the record as canonical CBOR.
func (r Residents) Encode() ([]byte, error) { return storage.Canonical.Marshal(r) }

// DecodeResidents reads what Encode wrote. It refuses what is beyond the bounds, and never panics on foreign
// bytes.
func DecodeResidents(b []byte) (Residents, error) {
	r, err := storage.Decode[Residents](nil, b)
	if err != nil {
		return Residents{}, fmt.Errorf("decoding answers of residents: %w", err)
	}
	if n := len(r.Answers); n == 0 || n > MaxResidentAnswers {
		return Residents{}, fmt.Errorf("decoding answers of residents: there are %d", n)
	}
	for i := range r.Answers {
		if !r.Answers[i].good() {
			return Residents{}, fmt.Errorf("decoding answers of residents: one is beyond what it may say")
		}
	}
	return r, nil
}

func (a *ResidentAnswer) good() bool {
	says := a.Where != "" || a.Text != "" || a.Photo != nil
	if a.Gone && (says || a.What == ResidentSeen) || a.HadPhoto && !a.Gone {
		return false
	}
	return len(a.ID) == reportIDLen && len(a.Alert) == 26 && a.Block != "" && bounded(a.Block, MaxResidentBlock) && len(a.Phone) == ResidentPhoneBytes &&
		a.Taken >= 0 && bounded(a.Where, MaxResidentWhere) && bounded(a.Text, MaxResidentText) && a.Photo.good() &&
		a.What >= ResidentSeen && a.What <= ResidentPhoto && !(a.What == ResidentSeen && says) && !(a.What == ResidentPhoto && a.Photo == nil && !a.HadPhoto)
}

// ResidentsLine is what the audit says of the body of a residents fact: how many answered what, and nothing of
// what they wrote.
func ResidentsLine(body []byte) (action, text string, err error) {
	r, err := DecodeResidents(body)
	if err != nil {
		return "", "", err
	}
	var count [ResidentPhoto + 1]int
	for _, a := range r.Answers {
		count[a.What]++
	}
	return "residents answered", fmt.Sprintf("%d seen, %d need help, %d photos", count[ResidentSeen], count[ResidentHelp], count[ResidentPhoto]), nil
}
