// Package check holds an alert, however it was made, against the rules of CAP 1.2, mends what nobody
// can misread, and holds what a message says of time against a clock that it is given. It knows
// neither XML nor JSON, and may import nothing of ours but alert.
package check

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"almenara/storage/alert"
)

// Check applies the rules of CAP 1.2 §3.2 and §3.3 to an alert, however it was made, and adds to
// found what it breaks. The alert is not changed.
func Check(a *alert.Alert, found *alert.Findings) {
	c := checker{found: found}
	c.header(a)
	c.scope(a)
	c.references(a)
	c.lists(a)
	for n := range a.Infos {
		c.at = alert.Place{Info: n + 1}
		c.info(a, &a.Infos[n])
	}
	c.at = alert.Place{}
	c.agreement(a)
}

// checker collects findings and knows where it is looking.
type checker struct {
	found  *alert.Findings
	at     alert.Place
	points int // of the polygons so far
}

// reject adds a finding that refuses the message.
func (c *checker) reject(rule, format string, args ...any) *alert.Finding {
	return c.found.Add(alert.Reject, rule, "%s"+format, append([]any{c.at}, args...)...)
}

// warn adds a finding that only marks the message.
func (c *checker) warn(rule, format string, args ...any) *alert.Finding {
	return c.found.Add(alert.Warn, rule, "%s"+format, append([]any{c.at}, args...)...)
}

// oneOf checks a value against a code list.
func (c *checker) oneOf(name, value string, list []string) {
	if !slices.Contains(list, value) {
		c.reject(name+"-unknown", "%s %q is not one of %s", name, alert.Clip(value), strings.Join(list, ", ")).As("code-unknown", c.at, name, alert.Clip(value), strings.Join(list, ", "))
	}
}

// header checks identity, status, message type and scope (§3.2.1).
func (c *checker) header(a *alert.Alert) {
	c.name("identifier", a.Identifier)
	c.name("sender", a.Sender)
	if a.Sent.IsZero() {
		c.reject("sent-missing", "sent is missing")
	}
	c.oneOf("status", string(a.Status), statusCodes)
	c.oneOf("msgType", string(a.MsgType), msgTypeCodes)
	c.oneOf("scope", string(a.Scope), scopeCodes)
	if a.Note == "" && (a.Status == alert.StatusExercise || a.MsgType == alert.MsgTypeError) {
		c.warn("note-missing", "a note should explain an Exercise or an Error")
	}
	if len(a.Infos) == 0 && (a.MsgType == alert.MsgTypeAlert || a.MsgType == alert.MsgTypeUpdate) {
		c.warn("no-info", "the message has no info block, so there is nothing to show")
	}
}

// name checks identifier and sender: no spaces, commas or restricted characters.
func (c *checker) name(element, value string) {
	switch {
	case value == "":
		c.reject(element+"-empty", "%s is empty", element).As("name-empty", c.at, element)
	case strings.ContainsFunc(value, alert.ForbiddenInName):
		c.reject(element+"-chars", "%s %q contains a space, a comma, < or &", element, alert.Clip(value)).As("name-chars", c.at, element, alert.Clip(value))
	}
}

// scope checks restriction and addresses against the scope.
func (c *checker) scope(a *alert.Alert) {
	switch {
	case a.Scope == alert.ScopePrivate && len(a.Addresses) == 0:
		c.reject("private-without-addresses", "scope Private needs addresses")
	case a.Scope == alert.ScopeRestricted && a.Restriction == "":
		c.reject("restricted-without-restriction", "scope Restricted needs a restriction")
	case a.Scope == alert.ScopePublic && a.Restriction != "":
		c.reject("restriction-with-public-scope", "restriction %q contradicts scope Public", alert.Clip(a.Restriction))
	case a.Scope == alert.ScopePrivate && a.Restriction != "":
		c.warn("restriction-with-private-scope", "restriction is meant for scope Restricted only")
	}
}

// references checks the triplets and that they are there when the type needs them.
func (c *checker) references(a *alert.Alert) {
	if len(a.References) == 0 && a.MsgType != alert.MsgTypeAlert && slices.Contains(msgTypeCodes, string(a.MsgType)) {
		c.reject("references-missing", "%s needs references to the message it is about", a.MsgType)
	}
	for _, ref := range a.References {
		switch {
		case ref.Sender == "" || ref.Identifier == "" || ref.Sent.IsZero() ||
			strings.ContainsFunc(ref.Sender+ref.Identifier, breaksTriplet):
			c.reject("references-format", "%q is not a reference: sender,identifier,sent is expected", alert.Clip(ref.String()))
		case ref.Sender == a.Sender && ref.Identifier == a.Identifier:
			c.warn("references-self", "the message refers to its own identifier")
		case ref.Sent.Time().After(a.Sent.Time()):
			c.warn("references-later-than-sent", "the message refers to one sent after it")
		}
	}
}

// breaksTriplet is what would make a triplet unreadable.
func breaksTriplet(r rune) bool { return unicode.IsSpace(r) || r == ',' }

// lists checks what an alert that was not read from XML could hold.
func (c *checker) lists(a *alert.Alert) {
	for _, item := range slices.Concat(a.Addresses, a.Incidents) {
		if item == "" || strings.Contains(item, `"`) {
			c.reject("list-item", "%q cannot stand in a list of addresses or incidents", alert.Clip(item))
		}
	}
	if len(a.Infos) > alert.MaxInfos || len(a.References) > alert.MaxReferences {
		c.reject("too-large", "more than %d info blocks or %d references", alert.MaxInfos, alert.MaxReferences).As("blocks-many", c.at, alert.MaxInfos, alert.MaxReferences)
	}
}

// agreement checks that all infos are about one event: the same categories and
// event codes (§3.1). Real alerts ignore it, so it is a warning.
func (c *checker) agreement(a *alert.Alert) {
	for n := 1; n < len(a.Infos); n++ {
		first, other := &a.Infos[0], &a.Infos[n]
		if !sameSet(first.Categories, other.Categories) || !sameSet(namedText(first.EventCodes), namedText(other.EventCodes)) {
			c.warn("infos-disagree", "info %d has other categories or event codes than info 1", n+1)
			return
		}
	}
}

// namedText makes pairs comparable.
func namedText(list []alert.Named) []string {
	texts := make([]string, 0, len(list))
	for _, n := range list {
		texts = append(texts, n.Name+"\x00"+n.Value)
	}
	return texts
}

// sameSet reports whether both lists have the same members.
func sameSet(a, b []string) bool {
	return maps.Equal(setOf(a), setOf(b))
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
