package compose

import (
	"cmp"
	"errors"
	"slices"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/looks"
)

// tried is what a dry run says of a message.
type tried struct {
	Audience *view.Audience
	Added    *view.Audience // of an update
	Ended    *view.Audience
	Warnings []frame.Point
	Noise    string // that people there were made to listen often lately, in words
	Words    []finding
	Waits    int    // persons who must approve first
	Why      string // why they must
	Effect   wire.Effect
	Until    string
	Tier     string // how devices present it, in words
	Sound    string
	Person   bool // somebody at the device confirms
	Glass    string
	Texts    []wire.MessageText // Chinese first, as devices show them
	Spoken   []spoken           // what speakers say
	Before   string             // who has sent something else for the incident, in words
	BeforeID string
}

// finding is what a text lacks.
type finding struct{ Tag, Language, Says string }

// tries says what a dry run found, on the page.
func (p pages) tries(q *frame.Request, c *checkPage, out wire.Outcome) error {
	names, err := view.NamesOfPlaces(p.Places, q)
	if err != nil {
		return err
	}
	t := &tried{Audience: view.AudienceOf(q, out.Addressed, names), Warnings: q.Sentences(out.Warnings), Effect: out.Effect}
	t.Audience.Unanswered, t.Audience.Unlocated = len(out.Unanswered), out.Unlocated
	if out.Reachable != nil {
		t.Audience.Dark, t.Audience.DarkKnown = out.Addressed.Total-min(*out.Reachable, out.Addressed.Total), true
	}
	if out.Added != nil {
		t.Added = view.AudienceOf(q, *out.Added, names)
	}
	if out.Ended != nil {
		t.Ended = view.AudienceOf(q, *out.Ended, names)
	}
	if a := out.Approvals; a != nil {
		t.Waits = a.Needed - len(a.Given)
		t.Why = view.DemandOf(q, p.Scenarios, a.Why)
	}
	t.Noise = view.NoiseOf(q, out, names)
	for _, w := range out.Words {
		t.Words = append(t.Words, finding{w.Language, view.LanguageName(w.Language), q.Lang.T("compose.rule."+string(w.Rule), w.Word)})
	}
	c.Tried, c.Follows = t, view.FollowsOf(q, out)
	return nil
}

// spoken is a text as it is heard, in Headline, and by what.
type spoken struct {
	wire.MessageText
	By string // "" is not known
}

// shown says how devices will present the texts. The order is that of screens.
func (t *tried) shown(q *frame.Request, look *looks.Look, body view.GlassBody) (err error) {
	body = body.Ordered()
	t.Texts, t.Until = body.Texts, q.DayTime(body.Expires)
	if look == nil {
		return nil
	}
	for _, text := range t.Texts { // as channels/speaker puts it together
		drill := ""
		if look.Tier == "drill" {
			drill = words.Pick(text.Language).T("compose.spoken.drill") + " "
		}
		text.Headline = drill + cmp.Or(text.Headline, text.Event) + ". " + text.Instruction
		t.Spoken = append(t.Spoken, spoken{text, ""})
	}
	for i := range t.Spoken { // each answer is of one text, also where two are of one language
		of := slices.IndexFunc(look.Speech, func(s looks.SpokenText) bool { return s.Language == t.Spoken[i].Language && s.By != "" })
		if of >= 0 {
			t.Spoken[i].By = q.Lang.T("spoken." + look.Speech[of].By)
			look.Speech = slices.Delete(slices.Clone(look.Speech), of, of+1)
		}
	}
	t.Tier, t.Sound, t.Person = q.Lang.T("compose.tier."+look.Tier), q.Lang.T("compose.sound."+look.Sound), look.Confirm == "person"
	t.Glass, err = view.Glass(body, *look, q.Now)
	return err
}

// looksOf is the message as devices get it: what the form says. Devices take marks out of texts; these
// are the texts as they were written.
func looksOf(a wire.CAPAlert, sender string, until func(wire.CAPInfo) wire.MessageText) view.GlassBody {
	out := view.GlassBody{Sender: sender}
	for _, i := range a.Info {
		t := until(i)
		out.Texts = append(out.Texts, t)
		if t.Expires.After(out.Expires) {
			out.Expires = t.Expires
		}
	}
	return out
}

// refusal is the sentence of an error that says that it cannot be sent; any other one is an error of the
// page.
func refusal(err error) (*wire.Problem, error) {
	var p *wire.Problem
	if errors.As(err, &p) {
		return p, nil
	}
	return nil, err
}
