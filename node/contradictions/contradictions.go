// Package contradictions finds alerts in force by which two senders tell the same people contrary things:
// one says to leave, the other to stay. What CAP has as words of a list decides (category, responseType,
// urgency, severity), never a text. It names them; who is right people settle.
//
// It has no clock and never imports another part of node.
package contradictions

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

// Alert is what is compared of an alert in force.
type Alert struct {
	ID        alert.ID
	Sender    string // CAP sender
	Sent      time.Time
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

// whys has them in their order.
var whys = []Why{Response, Severity, Urgency}

// Pair is two alerts that are contrary, by their places in what Find was given; A is the newer one.
type Pair struct {
	A, B int
	Why  Why
}

// Found is what Find has found.
type Found struct {
	Pairs   []Pair
	More    int  // how many pairs there are beside those
	Exactly bool // that many; else at least so many
}

const (
	most        = 20   // pairs that are named: of so many, nobody reads the last
	mostCounted = 1000 // pairs, until nobody wants to know how many more there are
)

// Find names the gravest pairs, of those the newest, 20 at most, and counts the others. It compares what is about one
// category or one incident, and whom it is for only where what is said is contrary.
func Find(all []Alert) (out Found) {
	order := make([]int, len(all)) // the newest first
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(all[b].Sent.Compare(all[a].Sent), strings.Compare(string(all[a].ID), string(all[b].ID)))
	})
	about, numbers := make([][]saying, len(all)), topics{}
	for i, n := range order {
		about[i] = numbers.sayings(&all[n])
	}
	found := map[Why][]Pair{}
	counted := 0
	for i, a := range order {
		for j := i + 1; j < len(order) && (counted < mostCounted || len(found[Response]) < most); j++ {
			b := order[j]
			if all[a].Sender == all[b].Sender {
				continue
			}
			why := disagree(about[i], about[j])
			if why == "" || len(found[why]) == most && counted == mostCounted || !all[a].Members.Intersects(all[b].Members) {
				continue
			}
			counted = min(counted+1, mostCounted)
			if len(found[why]) < most {
				found[why] = append(found[why], Pair{a, b, why})
			}
		}
	}
	for _, why := range whys {
		out.Pairs = append(out.Pairs, found[why][:min(len(found[why]), most-len(out.Pairs))]...)
	}
	out.More, out.Exactly = counted-len(out.Pairs), counted < mostCounted
	return out
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
