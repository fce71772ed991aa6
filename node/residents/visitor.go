package residents

import (
	"context"
	"slices"
	"time"

	"almenara/channels"
	"almenara/node/residents/refusals"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
)

// Visitor is a phone whose own visits say that it was at a place which an alert recalls visitors of: who calls has
// compared them. Whoever says so is believed, as a code that hangs in public can be read by anybody.
type Visitor struct {
	Alert         alert.ID
	Place         string // of the alert's parameter
	Pass, Address string // as of Visit
}

// recallAsks is what a recall asks for: that somebody is well is "seen", and that somebody has symptoms is "help".
var recallAsks = []string{"seen", "help"}

// OpenVisitor gives what a visitor is shown. How often is bounded by who calls. Errors are *refusals.Refused.
func (r *Residents) OpenVisitor(v Visitor) (View, error) { return r.visitor(v, r.o.Clock()) }

// AnswerVisitor takes what a visitor answers, as Answer does. It is counted at the place.
func (r *Residents) AnswerVisitor(ctx context.Context, v Visitor, in Answer) (Taken, error) {
	now := r.o.Clock()
	view, err := r.visitor(v, now)
	if err != nil {
		return Taken{}, err
	}
	return r.answer(ctx, view, from{v.Address, "visited " + string(v.Alert) + " " + v.Place}, in, now)
}

func (r *Residents) visitor(v Visitor, now time.Time) (View, error) {
	keys, err := r.o.Keys()
	if err != nil {
		return View{}, refusals.Refuse(refusals.NotReady)
	}
	it, err := r.inForce(v.Alert, now)
	if err != nil {
		return View{}, err
	}
	place := placeOf(v.Place)
	secret, _ := readPass(v.Pass, keys, v.Alert, place)
	if secret == nil {
		secret = newSecret()
	}
	out := View{
		Alert: v.Alert, Block: v.Place, Asked: recallAsks, Pass: passOf(r.o.Signer, v.Alert, place, secret), phone: phoneOf(v.Alert, secret),
	}
	texts := channels.Texts(it.Message)
	var infos []alert.Info
	for n, info := range it.Message.Infos {
		recalls := slices.ContainsFunc(visited.In([]alert.Info{info}), func(of visited.Visit) bool { return of.Place == v.Place })
		if recalls && n < len(texts) {
			infos, out.Texts = append(infos, info), append(out.Texts, texts[n])
		}
	}
	if len(infos) == 0 {
		return View{}, refusals.Refuse(refusals.Elsewhere)
	}
	out.show(it, infos)
	r.answered(&out)
	return out, nil
}
