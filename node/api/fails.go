package api

import (
	"almenara/node/api/openapi"
	"almenara/node/wire"
)

// What kinds of routes may fail with, beside what all of their kind may fail with.
var (
	// agreedOn is of changes that the district agrees on.
	agreedOn = openapi.Fails{
		wire.KindRefused:        "a rule of the district is against it, or some nodes are not upgraded; nothing happened",
		wire.KindNoQuorum:       "a majority of the district's nodes is needed, and none can be reached",
		wire.KindNotReady:       "the node is stopping",
		wire.KindBusy:           "the district is busy, or the disk of this node or of the leading one is full",
		wire.KindUnknownOutcome: "no answer came in time: it may or may not have happened",
	}
	// placesPut is of places that are put together.
	placesPut = openapi.Fails{
		wire.KindConflict:       "a code is one of another place, or is taken away while something cites it",
		wire.KindRefused:        "a place or a code cannot be as it is written, or some nodes are not upgraded; nothing happened",
		wire.KindNoQuorum:       agreedOn[wire.KindNoQuorum],
		wire.KindNotReady:       agreedOn[wire.KindNotReady],
		wire.KindBusy:           agreedOn[wire.KindBusy],
		wire.KindUnknownOutcome: agreedOn[wire.KindUnknownOutcome],
	}
	// warned is of messages to the people of the district.
	warned = openapi.Fails{
		wire.KindForbidden:      "the caller may not speak under its CAP sender, or not for everybody whom it reaches or changes",
		wire.KindMalformed:      "a selection cannot be read, or fields that belong together do not stand together",
		wire.KindTooLarge:       "the message, its areas and its reason are more than the nodes pass on",
		wire.KindOverBudget:     "the sender, a block or the district has as many as it may have, or the caller has asked for too many dry runs",
		wire.KindNoQuorum:       "it takes every node's word that it is upgraded, and none leads",
		wire.KindNotReady:       "the node is stopping",
		wire.KindBusy:           "too many alerts wait for a majority, or others change the same alert at this moment",
		wire.KindUnknownOutcome: "it was cut off: it may or may not have happened",
	}
	// followed is of what people do about an alert that was sent.
	followed = openapi.Fails{
		wire.KindForbidden: "some of those whom it is about are outside of the caller's places",
		wire.KindRefused:   "no device shows the alert now, or some nodes are not upgraded; nothing was recorded",
		wire.KindNoQuorum:  "it takes every node's word that it is upgraded, and none leads",
		wire.KindNotReady:  "the node is stopping",
		wire.KindBusy:      "too much waits for a majority",
	}
	// oneAlert is of routes about one alert.
	oneAlert = openapi.Fails{
		wire.KindMalformed: "the id is none, or fewer than 4 characters of one",
		wire.KindNotFound:  "no alert of this id is known here",
		wire.KindConflict:  "more than one alert begins so",
	}
)
