// Package capjson reads alerts in the JSON form that package alert writes, where they come from
// people and their tools: what is unknown, repeated or ill-typed is refused with its path.
package capjson

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"almenara/storage/alert"
	"almenara/storage/alert/check"
	"almenara/storage/alert/tokens"
	"almenara/storage/coded"
)

// FromJSON reads and checks an alert in the JSON form of MarshalJSON, at most
// MaxMessageBytes long: an unknown, repeated or ill-typed field is refused with its
// path. What Complete can fill in may be missing. Then the rules are those of
// Parse, also for the error, which is a *RejectError.
func FromJSON(raw []byte, sender, identifier string, now time.Time) (*alert.Alert, alert.Findings, error) {
	var found alert.Findings
	a, err := decodeJSON(raw, &found)
	if err != nil {
		rule := "json"
		if errors.Is(err, alert.ErrTooBig) {
			rule = "too-large"
		}
		found.Add(alert.Reject, rule, "%v", err).As("json", err)
		return nil, found, alert.VerdictError(found, alert.Key{})
	}
	Complete(a, sender, identifier, now)
	check.Mend(a, &found)
	check.Check(a, &found)
	if err := alert.VerdictError(found, a.Key()); err != nil {
		return nil, found, err
	}
	return a, found, nil
}

// Complete fills in what an alert from JSON may leave out: sender, identifier, sent
// = now, status Actual, msgType Alert, scope Public. What is there stays. The
// identifier must be new for the sender: a random UUID is one.
func Complete(a *alert.Alert, sender, identifier string, now time.Time) {
	fill(&a.Sender, sender)
	fill(&a.Identifier, identifier)
	fill(&a.Status, alert.StatusActual)
	fill(&a.MsgType, alert.MsgTypeAlert)
	fill(&a.Scope, alert.ScopePublic)
	if a.Sent.IsZero() {
		a.Sent = alert.NewDateTime(now)
	}
}

// fill sets what is empty.
func fill[S ~string](field *S, value S) {
	if *field == "" {
		*field = value
	}
}

// decodeJSON reads the form without the rules of CAP.
func decodeJSON(raw []byte, found *alert.Findings) (*alert.Alert, error) {
	if len(raw) > alert.MaxMessageBytes {
		return nil, coded.Errorf("bytes-many", "%w: %d bytes, more than %d", alert.ErrTooBig, len(raw), alert.MaxMessageBytes)
	}
	if !utf8.Valid(raw) {
		return nil, coded.Errorf("bad-utf8", "%w UTF-8", tokens.ErrBadBytes)
	}
	if err := scanJSON(raw, found); err != nil {
		return nil, err
	}
	a := new(alert.Alert)
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, jsonError(err)
	}
	a.Signed = false // JSON carries no signature
	return a, normalise(a)
}

// jsonError turns a decoder's error into a sentence.
func jsonError(err error) error {
	if errors.Is(err, alert.ErrTooBig) {
		return err
	}
	if rejected, ok := errors.AsType[*alert.RejectError](err); ok {
		return errors.New(rejected.Findings.Reason())
	}
	return coded.Errorf("json-wrong", "reading JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// normalise gives texts the form that Parse gives them: trimmed, shapes with single
// spaces, base64 without any, empty list items left out. Text that XML cannot hold
// is an error.
func normalise(a *alert.Alert) (err error) {
	a.EachText(func(s *string) {
		*s = strings.TrimSpace(*s)
		if bad := alert.NotXML(*s); bad != "" && err == nil {
			err = coded.Errorf("text-contains", "a text contains %s", bad)
		}
	})
	a.Codes, a.Infos = withoutEmpty(a.Codes), orNil(a.Infos)
	for n := range a.Infos {
		normaliseInfo(&a.Infos[n])
	}
	return err
}

func normaliseInfo(i *alert.Info) {
	i.Categories, i.ResponseTypes = orNil(i.Categories), orNil(i.ResponseTypes)
	i.EventCodes, i.Parameters = orNil(i.EventCodes), orNil(i.Parameters)
	i.Resources, i.Areas = orNil(i.Resources), orNil(i.Areas)
	for n := range i.Resources {
		i.Resources[n].DerefURI = alert.WithoutSpace(i.Resources[n].DerefURI)
	}
	for n := range i.Areas {
		area := &i.Areas[n]
		area.Polygons, area.Circles = withoutEmpty(area.Polygons), withoutEmpty(area.Circles)
		area.Geocodes = orNil(area.Geocodes)
		for _, list := range [][]string{area.Polygons, area.Circles} {
			for m := range list {
				list[m] = alert.Collapse(list[m])
			}
		}
	}
}

// withoutEmpty leaves empty texts out; nil when none remains.
func withoutEmpty(list []string) []string {
	kept := list[:0]
	for _, s := range list {
		kept = alert.AppendText(kept, s)
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
