// Package looks is how devices present a message, to eyes and ears, as the API gives it. It imports
// nothing of ours.
package looks

// Look is how devices present a message: what its status, severity, urgency and certainty make of it,
// and the parameter almenara:confirm.
type Look struct {
	Tier    string `json:"tier"`    // emergency, advisory, drill or test
	Sound   string `json:"sound"`   // siren, chime, drill or none
	Confirm string `json:"confirm"` // person: somebody at the device confirms; none
	// Speech is how speakers would say each text, by what the node that answers has; in the order in
	// which they say them.
	Speech []SpokenText `json:"speech,omitempty"`
}

// SpokenText is how one text would be heard.
type SpokenText struct {
	Language string `json:"language"` // of the text
	// By is recorded (clips say all of it), synthetic (by espeak-ng, a fallback), or nothing: a tone, the
	// other languages, and what screens show.
	By string `json:"by"`
}
