// Package why names the reasons for which something is refused to people, so that pages say them in the
// reader's language. A reason is chosen where something is refused, beside the sentence that programs and
// the command line show; no sentence is ever read for it. It may import nothing of ours.
package why

// Reason is one of those that pages have a text for: why.REASON, with what fills it in, in the order
// that is said here. What has none, such as one of a newer node, is shown by its sentence, in English.
type Reason string

// The reasons.
const (
	NotShown       Reason = "not-shown"        // devices do not show the alert; its state
	JustReminded   Reason = "just-reminded"    // devices presented it again less than a minute ago
	OutsidePlaces  Reason = "outside-places"   // it is for others, too; how many, the caller's places
	RoleMissing    Reason = "role-missing"     // the roles of which one is needed
	Idle           Reason = "idle"             // the page was not used for a while
	Alone          Reason = "alone"            // a person needs a reason and a licence; since when
	PolicyOld      Reason = "policy-old"       // nobody knows here who may; alone since when
	SelectsNobody  Reason = "selects-nobody"   // the selection
	SelectsNoPlace Reason = "selects-no-place" // the selection, what is no place
	IncidentOver   Reason = "incident-over"    // its alert was cancelled
	ChangedSince   Reason = "changed-since"    // the alert does not say what was read any more
	WaitsForNone   Reason = "waits-for-none"   // it needs no approval; its state
	OwnAlert       Reason = "own-alert"        // somebody else must approve it
	NotApprover    Reason = "not-approver"     // the roles that the policy lets approve
	ApprovedBefore Reason = "approved-before"  // who has
	WrongCode      Reason = "wrong-code"       // of whom
	TooManyCodes   Reason = "too-many-codes"   // wrong ones
	NoSecondFactor Reason = "no-second-factor" // from which codes are made
	AlertOver      Reason = "alert-over"       // there is nothing to change
	SentAlready    Reason = "sent-already"     // by whom, and when
	Unchecked      Reason = "unchecked"        // the form was not checked before
	TooOften       Reason = "too-often"        // requests
	NoMajority     Reason = "no-majority"
	BlankMissing   Reason = "blank-missing"   // its name
	BlankUnfit     Reason = "blank-unfit"     // its name
	NoAlert        Reason = "no-alert"        // is known here; what was asked for
	NobodyTicked   Reason = "nobody-ticked"   // whom somebody told
	OnlyCorrects   Reason = "only-corrects"   // and may not say more
	NoPage         Reason = "no-page"         // its path
	PasswordShort  Reason = "password-short"  // the least number of characters
	Differs        Reason = "message-differs" // one of the same name stands
)

// Why is a reason with what fills its text in: texts, numbers, times, and Words. An error among them is
// shown behind the text, in English.
type Why struct {
	Reason Reason
	With   []any
	Points Sentences // all that is wrong, where that is more than one thing
}

// On puts a reason where it belongs, and returns what that is of.
func On[P any](of P, at *Why, r Reason, with []any) P {
	*at = Why{Reason: r, With: with}
	return of
}

// Words are values that pages have texts for, such as roles: the text of each is that of Of and the value.
type Words struct {
	Of     string
	Values []string
}
