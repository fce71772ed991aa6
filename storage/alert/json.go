package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// jsonForm is the alert in JSON: CAP's element names, and the three list elements
// as one text each, written as in XML.
type jsonForm struct {
	Identifier  string   `json:"identifier,omitempty"`
	Sender      string   `json:"sender,omitempty"`
	Sent        DateTime `json:"sent,omitzero"`
	Status      Status   `json:"status,omitempty"`
	MsgType     MsgType  `json:"msgType,omitempty"`
	Source      string   `json:"source,omitempty"`
	Scope       Scope    `json:"scope,omitempty"`
	Restriction string   `json:"restriction,omitempty"`
	Addresses   string   `json:"addresses,omitempty"`
	Codes       []string `json:"code,omitempty"`
	Note        string   `json:"note,omitempty"`
	References  string   `json:"references,omitempty"`
	Incidents   string   `json:"incidents,omitempty"`
	Infos       []Info   `json:"info,omitempty"`
	Signed      bool     `json:"signed,omitempty"`
}

// MarshalJSON writes CAP's element names, repeated elements as arrays, and
// addresses, references and incidents as CAP writes them: one text, items separated
// by spaces. The one name that is not CAP's is signed.
func (a Alert) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonForm{
		Identifier: a.Identifier, Sender: a.Sender, Sent: a.Sent, Status: a.Status, MsgType: a.MsgType,
		Source: a.Source, Scope: a.Scope, Restriction: a.Restriction, Addresses: joinList(a.Addresses),
		Codes: a.Codes, Note: a.Note, References: joinKeys(a.References), Incidents: joinList(a.Incidents),
		Infos: a.Infos, Signed: a.Signed,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. It checks no rule of CAP but the form
// of dates and references; foreign bytes go through FromJSON.
func (a *Alert) UnmarshalJSON(raw []byte) error {
	var form jsonForm
	if err := json.Unmarshal(raw, &form); err != nil {
		return err //nolint:wrapcheck // encoding/json adds the context
	}
	p := parser{alert: Alert{
		Identifier: form.Identifier, Sender: form.Sender, Sent: form.Sent, Status: form.Status, MsgType: form.MsgType,
		Source: form.Source, Scope: form.Scope, Restriction: form.Restriction, Codes: form.Codes, Note: form.Note,
		Infos: form.Infos, Signed: form.Signed,
	}}
	for _, list := range [][2]string{
		{"addresses", form.Addresses}, {"incidents", form.Incidents}, {"references", form.References},
	} {
		if err := p.alertText(list[0], list[1]); err != nil {
			return err
		}
	}
	*a = p.alert
	return verdictError(p.found, a.Key())
}

// FromJSON reads and checks an alert in the JSON form of MarshalJSON, at most
// MaxMessageBytes long: an unknown, repeated or ill-typed field is refused with its
// path. What Complete can fill in may be missing. Then the rules are those of
// Parse, also for the error, which is a *RejectError.
func FromJSON(raw []byte, sender, identifier string, now time.Time) (*Alert, Findings, error) {
	var found Findings
	a, err := decodeJSON(raw, &found)
	if err != nil {
		rule := "json"
		if errors.Is(err, errTooBig) {
			rule = "too-large"
		}
		found.add(Reject, rule, "%v", err)
		return nil, found, verdictError(found, Key{})
	}
	Complete(a, sender, identifier, now)
	a.mend(&found)
	a.check(&found)
	if err := verdictError(found, a.Key()); err != nil {
		return nil, found, err
	}
	return a, found, nil
}

// Complete fills in what an alert from JSON may leave out: sender, identifier, sent
// = now, status Actual, msgType Alert, scope Public. What is there stays. The
// identifier must be new for the sender: a random UUID is one.
func Complete(a *Alert, sender, identifier string, now time.Time) {
	fill(&a.Sender, sender)
	fill(&a.Identifier, identifier)
	fill(&a.Status, StatusActual)
	fill(&a.MsgType, MsgTypeAlert)
	fill(&a.Scope, ScopePublic)
	if a.Sent.IsZero() {
		a.Sent = NewDateTime(now)
	}
}

// fill sets what is empty.
func fill[S ~string](field *S, value S) {
	if *field == "" {
		*field = value
	}
}

// decodeJSON reads the form without the rules of CAP.
func decodeJSON(raw []byte, found *Findings) (*Alert, error) {
	if len(raw) > MaxMessageBytes {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", errTooBig, len(raw), MaxMessageBytes)
	}
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w UTF-8", errBadBytes)
	}
	if err := scanJSON(raw, found); err != nil {
		return nil, err
	}
	a := new(Alert)
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, jsonError(err)
	}
	a.Signed = false // JSON carries no signature
	return a, a.normalise()
}

// jsonError turns a decoder's error into a sentence.
func jsonError(err error) error {
	if errors.Is(err, errTooBig) {
		return err
	}
	if rejected, ok := errors.AsType[*RejectError](err); ok {
		return errors.New(rejected.Findings.Reason())
	}
	return fmt.Errorf("reading JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// normalise gives texts the form that Parse gives them: trimmed, shapes with single
// spaces, base64 without any, empty list items left out. Text that XML cannot hold
// is an error.
func (a *Alert) normalise() (err error) {
	a.eachText(func(s *string) {
		*s = strings.TrimSpace(*s)
		if bad := notXML(*s); bad != "" && err == nil {
			err = fmt.Errorf("a text contains %s", bad)
		}
	})
	a.Codes, a.Infos = withoutEmpty(a.Codes), orNil(a.Infos)
	for n := range a.Infos {
		a.Infos[n].normalise()
	}
	return err
}

func (i *Info) normalise() {
	i.Categories, i.ResponseTypes = orNil(i.Categories), orNil(i.ResponseTypes)
	i.EventCodes, i.Parameters = orNil(i.EventCodes), orNil(i.Parameters)
	i.Resources, i.Areas = orNil(i.Resources), orNil(i.Areas)
	for n := range i.Resources {
		i.Resources[n].DerefURI = withoutSpace(i.Resources[n].DerefURI)
	}
	for n := range i.Areas {
		area := &i.Areas[n]
		area.Polygons, area.Circles = withoutEmpty(area.Polygons), withoutEmpty(area.Circles)
		area.Geocodes = orNil(area.Geocodes)
		for _, list := range [][]string{area.Polygons, area.Circles} {
			for m := range list {
				list[m] = collapse(list[m])
			}
		}
	}
}

// withoutEmpty leaves empty texts out; nil when none remains.
func withoutEmpty(list []string) []string {
	kept := list[:0]
	for _, s := range list {
		kept = appendText(kept, s)
	}
	return orNil(kept)
}

// orNil makes an empty list nil, as absent elements are.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
