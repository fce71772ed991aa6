package caution

// WordRule is what the check of the words looks for in a text.
type WordRule string

// The values of WordRule.
const (
	WordSource    WordRule = "source"    // it does not say who warns
	WordHazard    WordRule = "hazard"    // nor of what
	WordPlace     WordRule = "place"     // nor where
	WordAction    WordRule = "action"    // nor what to do
	WordTime      WordRule = "time"      // nor when
	WordLanguage  WordRule = "language"  // it is not in the language that it says
	WordSensitive WordRule = "sensitive" // it holds a word that the scenario calls sensitive
)

var wordRules = []WordRule{WordSource, WordHazard, WordPlace, WordAction, WordTime, WordLanguage, WordSensitive}

// Enum lists every value, for documents and tests.
func (WordRule) Enum() (out []string) {
	for _, rule := range wordRules {
		out = append(out, string(rule))
	}
	return out
}

// WordFinding is what a text lacks, or a sensitive word in it. Nothing is ever refused for one.
type WordFinding struct {
	Rule     WordRule `json:"rule"`           // what is missing, or sensitive
	Language string   `json:"language"`       // of the text (BCP 47)
	Word     string   `json:"word,omitempty"` // the sensitive word, or the event that names no hazard
	Text     string   `json:"text"`           // one sentence for a person
}
