// Package contradictions finds alerts in force by which two senders tell the same people contrary things:
// one says to leave, the other to stay. What CAP has as words of a list decides (category, responseType,
// urgency, severity), never a text. It names them; who is right people settle.
//
// It has no clock and never imports another part of node.
package contradictions

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

// Alert is what is compared of an alert in force.
type Alert struct {
	ID        alert.ID
	Sender    string          // CAP sender
	Incidents []string        // that it belongs to
	Members   *roaring.Bitmap // whom it addresses
	Infos     []alert.Info
}

// Why says in what two alerts are contrary.
type Why string

// The reasons, the gravest first.
const (
	Response Why = "response" // what people are to do
	Severity Why = "severity"
	Urgency  Why = "urgency"
)

// Pair is two alerts that are contrary, by their places in what Find was given.
type Pair struct {
	A, B int
	Why  Why
}

// most bounds the pairs: of so many, nobody reads the last.
const most = 20

// Find lists the pairs, in the order of what it is given, 20 at most. It compares what is about one category or
// one incident, and whom it is for only where what is said is contrary.
func Find(all []Alert) (out []Pair) {
	pairs := indexOf(all).pairs()
	for _, p := range pairs[:min(len(pairs), most)] {
		out = append(out, Pair{p[0], p[1], between(&all[p[0]], &all[p[1]])})
	}
	return out
}

// between is in what two alerts are contrary; "" where they are not, or are about different things,
// different people, or by one sender, whose later word may be meant to differ.
func between(a, b *Alert) Why {
	if a.Sender == b.Sender || !a.Members.Intersects(b.Members) {
		return ""
	}
	incident := slices.ContainsFunc(a.Incidents, func(i string) bool { return slices.Contains(b.Incidents, i) })
	var found []Why
	for i := range a.Infos {
		for j := range b.Infos {
			if incident || shares(a.Infos[i].Categories, b.Infos[j].Categories) {
				found = append(found, infos(&a.Infos[i], &b.Infos[j]))
			}
		}
	}
	for _, why := range []Why{Response, Severity, Urgency} {
		if slices.Contains(found, why) {
			return why
		}
	}
	return ""
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// infos compares two blocks about the same.
func infos(a, b *alert.Info) Why {
	switch {
	case contraryResponses(a.ResponseTypes, b.ResponseTypes):
		return Response
	case either(a.Severity, b.Severity, []string{"Extreme", "Severe"}, "Minor"):
		return Severity
	case either(a.Urgency, b.Urgency, []string{"Immediate"}, "Past"):
		return Urgency
	}
	return ""
}

// contrary are response types (CAP 1.2 §3.2.2) that nobody can follow at once. None is none of them: who
// writes it leaves to the text what to do.
var contrary = [][2]string{
	{"Evacuate", "Shelter"},
	{"Evacuate", "AllClear"}, {"Shelter", "AllClear"}, {"Avoid", "AllClear"}, {"Execute", "AllClear"}, {"Prepare", "AllClear"},
}

// contraryResponses reports whether one block wants what the other one does not let people do. Where a
// block has both words, it leaves the choice to people, and does not contradict another.
func contraryResponses(a, b []string) bool {
	for _, pair := range contrary {
		for _, p := range [][2]string{pair, {pair[1], pair[0]}} {
			if slices.Contains(a, p[0]) && !slices.Contains(a, p[1]) && slices.Contains(b, p[1]) && !slices.Contains(b, p[0]) {
				return true
			}
		}
	}
	return false
}

// either reports whether one word is of high and the other one is low.
func either(a, b string, high []string, low string) bool {
	return slices.Contains(high, a) && b == low || slices.Contains(high, b) && a == low
}
