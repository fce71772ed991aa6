package check

import (
	"regexp"
	"time"

	"almenara/storage/alert"
)

var (
	// languageTag is XML Schema's language, which is RFC 3066.
	languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
	// absoluteURI is what §3.2.2 and §3.2.3 call a full absolute URI.
	absoluteURI = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:\S+$`)
)

// info checks one info block (§3.2.2).
func (c *checker) info(a *alert.Alert, i *alert.Info) {
	c.codes(i)
	if i.Event == "" {
		c.reject("event-empty", "event is empty")
	}
	if i.Language != "" && !languageTag.MatchString(i.Language) {
		c.reject("language-format", "%q is not a language tag such as zh-HK", alert.Clip(i.Language))
	}
	if i.Web != "" && !isAbsolute(i.Web) {
		c.reject("web-not-absolute", "web %q is not an absolute URI", alert.Clip(i.Web))
	}
	c.times(a, i)
	c.named("eventCode", i.EventCodes)
	c.resources(i)
	c.areas(i)
}

// codes checks the code lists.
func (c *checker) codes(i *alert.Info) {
	if len(i.Categories) == 0 {
		c.reject("category-missing", "category is missing")
	}
	for _, v := range i.Categories {
		c.oneOf("category", v, categoryCodes)
	}
	for _, v := range i.ResponseTypes {
		c.oneOf("responseType", v, responseTypeCodes)
	}
	c.oneOf("urgency", i.Urgency, urgencyCodes)
	c.oneOf("severity", i.Severity, severityCodes)
	c.oneOf("certainty", i.Certainty, certaintyCodes)
}

// times warns of lifetimes that cannot be meant.
func (c *checker) times(a *alert.Alert, i *alert.Info) {
	if i.Expires.IsZero() {
		c.warn("expires-missing", "expires is missing; %d hours after sent are assumed", int(alert.DefaultLifetime/time.Hour))
		return
	}
	start := a.Sent
	if !i.Effective.IsZero() {
		start = i.Effective
	}
	expires := i.Expires.Time()
	switch {
	case !expires.After(start.Time()) || !expires.After(a.Sent.Time()):
		c.warn("expires-too-early", "expires %s is not after sent and effective", i.Expires)
	case !i.Onset.IsZero() && expires.Before(i.Onset.Time()):
		c.warn("expires-before-onset", "expires %s is before onset %s", i.Expires, i.Onset)
	case expires.Sub(a.Sent.Time()) > alert.MaxLifetime:
		c.warn("expires-too-late", "expires %s is more than %d days after sent, and is held to that",
			i.Expires, int(alert.MaxLifetime/(24*time.Hour)))
	}
}

// named warns of pairs without a name. Values are often empty, which says so much
// as none, and is not worth a word.
func (c *checker) named(element string, list []alert.Named) {
	for _, n := range list {
		if n.Name == "" {
			c.warn(element+"-valueName-empty", "an %s has no name", element).As("name-missing", c.at, element)
		}
	}
}

// The code lists of CAP 1.2 §3.2, case-sensitive.
var (
	statusCodes       = []string{"Actual", "Exercise", "System", "Test", "Draft"}
	msgTypeCodes      = []string{"Alert", "Update", "Cancel", "Ack", "Error"}
	scopeCodes        = []string{"Public", "Restricted", "Private"}
	categoryCodes     = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
	responseTypeCodes = []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
	urgencyCodes      = []string{"Immediate", "Expected", "Future", "Past", "Unknown"}
	severityCodes     = []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}
	certaintyCodes    = []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
)
