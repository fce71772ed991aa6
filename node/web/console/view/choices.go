package view

import "cmp"

// What CAP lets a message say (1.2 §3.2.2), in the order in which a person is offered it.
var (
	Categories  = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
	Severities  = []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}
	Certainties = []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
	Responses   = []string{"Evacuate", "Shelter", "Avoid", "Prepare", "Monitor", "AllClear", "None"}
)

// Languages are those in which texts can be written, and what each is called in itself.
var Languages = map[string]string{
	"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文", "fil": "Filipino", "id": "Bahasa Indonesia", "hi": "हिन्दी", "ne": "नेपाली", "ur": "اردو",
	"th": "ไทย", "vi": "Tiếng Việt", "ja": "日本語", "ko": "한국어", "fr": "Français",
}

// LanguageName is what a language is called in itself; its tag where that is not known.
func LanguageName(tag string) string { return cmp.Or(Languages[tag], tag) }
