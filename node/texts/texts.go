// Package texts is what a message says, text by text, as devices get it and the API gives it. It never imports another
// part of node but wire.
package texts

import (
	"almenara/channels"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// Of are the texts of a message, in the order of its blocks; none of a Cancel without any.
func Of(a *alert.Alert) (out []wire.MessageText) {
	for i, t := range channels.Texts(a) {
		out = append(out, wire.MessageText{
			Language: t.Language, Event: t.Event, Headline: t.Headline, Description: t.Description, Instruction: t.Instruction,
			SenderName: t.From, Web: t.Web, Contact: t.Contact, Areas: t.Areas, Urgency: t.Urgency, Severity: t.Severity, Certainty: t.Certainty,
			Category: a.Infos[i].Categories, Onset: t.Onset, Expires: t.Expires,
		})
	}
	return out
}
