package why

import "fmt"

// Sentence is something that is pointed out to people and refuses nothing, or one point of why something is
// refused. Text is what programs and the command line show, in English; pages say Why in the reader's
// language. In JSON it is its text.
type Sentence struct {
	Text string
	Why  Why
}

// Sayf makes a sentence. Because says for pages what it is.
func Sayf(format string, args ...any) Sentence { return Sentence{Text: fmt.Sprintf(format, args...)} }

// Because says for pages what the sentence says, and returns it.
func (s Sentence) Because(r Reason, with ...any) Sentence {
	s.Why = Why{Reason: r, With: with}
	return s
}

// String is its text.
func (s Sentence) String() string { return s.Text }

// MarshalText writes its text.
func (s Sentence) MarshalText() ([]byte, error) { return []byte(s.Text), nil }

// UnmarshalText reads its text; there is no reason then.
func (s *Sentence) UnmarshalText(text []byte) error {
	*s = Sentence{Text: string(text)}
	return nil
}

// Sentences are several, in the order in which they are shown.
type Sentences []Sentence

// Texts are their texts.
func (all Sentences) Texts() (out []string) {
	for _, s := range all {
		out = append(out, s.Text)
	}
	return out
}

// Each says errors that have codes, each because of one reason, whose text is the error alone.
func Each(r Reason, all []error) (out Sentences) {
	for _, err := range all {
		out = append(out, Sayf("%v", err).Because(r, err))
	}
	return out
}

// Finding is the reason that is a finding about a message, by the code of its sentence (storage/alert).
func Finding(code string) Reason { return Reason("finding." + code) }

// At is a place in a message: the numbers of its blocks, from 1; 0 is none.
type At struct{ Info, Area, Resource int }

// Reasons of what is pointed out beside findings about a message.
const (
	NobodyAddressed  Reason = "nobody-addressed"
	GroupsKept       Reason = "groups-kept"       // no further group is called by the change
	AttachmentsLarge Reason = "attachments-large" // how many
	KeptNotAuthor    Reason = "kept-not-author"   // who, MiB, the most MiB
	KeptNotDistrict  Reason = "kept-not-district" // MiB
	KeptNotRoom      Reason = "kept-not-room"
	KeptNotDisk      Reason = "kept-not-disk"
	ApprovedAgain    Reason = "approved-again" // who
	OthersUsual      Reason = "others-usual"   // the title of the scenario, the least, the most, how many now
	NobodyFits       Reason = "nobody-fits"    // a term of a selection
	NoSuchPlace      Reason = "no-such-place"  // the path
	ScenarioNobody   Reason = "scenario-nobody"
	ScenarioRefused  Reason = "scenario-refused"
	BlanksLongest    Reason = "blanks-longest"
	TextsStay        Reason = "texts-stay" // the languages
)
