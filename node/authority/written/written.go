// Package written is the table of authority in words: for terminals, and for the pages in the repository.
// It may import only authority of ours.
package written

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"almenara/node/authority"
)

// words are the columns of the table as people read them.
func words(l authority.Line) []string {
	roles := strings.Join(l.Roles, ", ")
	switch len(l.Roles) {
	case 0:
		roles = "administrator"
	case len(authority.Roles()):
		roles = "every role"
	}
	var places, senders []string
	if l.Inside {
		places = append(places, "nobody outside is addressed")
		if l.Action == authority.Approve {
			senders = append(senders, "the message has one of them")
		}
	}
	if l.There {
		places = append(places, "what it is about is there")
	}
	if l.Speaks {
		senders = append(senders, "the message has one of them")
	}
	if l.Others {
		places = append(places, "everybody whom any message of an alert that it ends, changes or joins addressed is inside, or the message is one's own")
		senders = append(senders, "an alert that it ends, changes or joins was begun by one of them or by oneself")
	}
	second := "no"
	if l.Policy {
		second = "as the policy says; not of a system"
	}
	system := "may"
	if l.People {
		system = "may not"
	}
	return []string{string(l.Action), roles, or(strings.Join(places, "; "), "-"), or(strings.Join(senders, "; "), "-"), system, second, string(l.Alone)}
}

var headings = []string{"Action", "Roles", "Limited to places", "Limited to senders", "System", "Second person", "Alone"}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// notes say what holds for every line.
var notes = []string{
	"An administrator has every role; the words of somebody else are corrected without a second person only by whom the role corrector was given to by name. Who is limited to places and to senders needs what holds for both.",
	"Of approvers and composers the policy says who approves; where it says nothing it is approvers.",
	"A CAP sender that is granted to somebody is spoken for by nobody else, also by no administrator; the district's own is written by its nodes alone.",
	"What is referenced and not known here can be ended or changed by whoever is limited to nothing, and by those to whom its CAP sender is granted and who are limited to no places.",
	"Whoever is limited leaves the identifier of an Update or a Cancel to the node, except under a CAP sender under which nobody else sends, as far as is known here: for JSON it must have been granted to them; and what who is limited to places sends reaches nobody outside of them, also nobody who joins later.",
	"The node that takes a message decides, by what it knows; the others take its word.",
}

// Text writes the table for a terminal: a paragraph an action.
func Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, l := range authority.Table() {
		cells := words(l)
		fmt.Fprintf(t, "%s: %s\n", l.Action, l.Does)
		for i, cell := range cells[1:] {
			if cell != "-" {
				fmt.Fprintf(t, "  %s\t%s\n", strings.ToLower(headings[i+1]), cell)
			}
		}
		fmt.Fprintln(t)
	}
	for _, note := range notes {
		fmt.Fprintln(t, note)
	}
	return t.Flush()
}
