package compose

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"almenara/node/web/console/compose/picture"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// needs are the keys of texts that say what the form lacks, in the order of the page.
func (f form) needs() (out []string) {
	if !f.knownHazard() {
		out = append(out, "compose.need.hazard")
	}
	if !slices.ContainsFunc(f.Texts, func(t text) bool { return t.Headline != "" }) {
		out = append(out, "compose.need.headline")
	}
	for _, t := range f.Texts {
		if t.said() && f.eventOf(t) == "" {
			out = append(out, "compose.need.event")
			break
		}
	}
	for _, t := range f.Texts {
		if t.said() && t.Headline == "" {
			out = append(out, "compose.need.headlines")
			break
		}
	}
	return out
}

// filled is the form with something in what is still empty, to count whom it would reach before it is
// written.
func (f form) filled() form {
	if !f.knownHazard() {
		f.Hazard = hazards[0].name
	}
	f.Texts = slices.Clone(f.Texts)
	f.Texts[0].Event, f.Texts[0].Headline = cmp.Or(f.Texts[0].Event, "…"), cmp.Or(f.Texts[0].Headline, "…")
	return f
}

// send is the message, as the API takes it. It is the same for the same form, wherever and however often
// it is made.
func (f form) send(all []wire.Place) (out wire.SendAlert, missing string, err error) {
	w, missing, err := f.where()
	if missing != "" || err != nil {
		return out, missing, err
	}
	begins, known := minutesOf(f.Onset, onsets)
	lasts, also := minutesOf(f.Lasts, lasting)
	if !known || !also {
		return out, "", wire.Problemf(wire.KindMalformed, "the form does not say when it begins and how long it holds").Because(why.TimesMissing)
	}
	attached, err := f.resources()
	if err != nil {
		return out, "", err
	}
	at := f.checked()
	message := wire.CAPAlert{Identifier: f.ID, Sent: capTime(f.sent()), Status: f.Status}
	for _, t := range f.Texts {
		if !t.said() {
			continue
		}
		i := wire.CAPInfo{
			Language: t.Language, Category: []string{f.categoryOf()}, Event: f.eventOf(t), Urgency: f.Urgency, Severity: f.Severity, Certainty: f.Certainty,
			Expires: capTime(at.Add(begins + lasts)), SenderName: t.From, Headline: t.Headline, Description: t.Description, Instruction: t.Instruction, Contact: t.Contact,
			Area: w.areas(f, t.Language, all),
		}
		if len(message.Info) == 0 { // devices pass the files of one language on with all
			i.Resource = attached
		}
		if slices.Contains(view.Responses, f.Response) {
			i.ResponseType = []string{f.Response}
		}
		if begins > 0 {
			i.Onset = capTime(at.Add(begins))
		}
		message.Info = append(message.Info, i)
	}
	raw, err := json.Marshal(message)
	if err != nil {
		return out, "", err
	}
	out = wire.SendAlert{Alert: raw, Select: w.Select, Incident: f.incident(w), Reason: f.Reason}
	return out, "", f.Into(&out)
}

// capTime writes a time as CAP does (1.2 §3.3.2): never with a Z.
func capTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") + "-00:00" }

// resources are what is attached: a picture, which travels with the message, and a link, whose file people
// fetch themselves.
func (f form) resources() ([]wire.CAPResource, error) {
	var out []wire.CAPResource
	attached, err := picture.Resource(f.Picture, cmp.Or(f.PictureDesc, words.All()[0].T("compose.picture.desc")))
	if err != nil {
		return nil, err
	}
	if attached != nil {
		out = append(out, *attached)
	}
	if f.Link != "" {
		out = append(out, wire.CAPResource{ResourceDesc: cmp.Or(f.LinkDesc, f.Link), MIMEType: cmp.Or(f.LinkType, "text/html"), URI: f.Link, Digest: f.LinkDigest})
	}
	return out, nil
}

// maxIncident is how many characters the name of an incident has at most.
const maxIncident = 100

// incident is the name under which two people who warn of the same thing at the same place find each
// other: what the person wrote, else the hazard and where.
func (f form) incident(w whereabouts) string {
	name := f.Incident
	if name == "" {
		where := strings.Join(w.Places, " ")
		if where == "" {
			where = f.AreaName
		}
		event := f.Hazard
		if event == "other" {
			event = f.eventOf(f.Texts[0])
		}
		name = strings.TrimSpace(event + " " + where)
	}
	runes := []rune(name)
	return string(runes[:min(len(runes), maxIncident)])
}
