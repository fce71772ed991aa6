package channels

import (
	"fmt"
	"strings"

	"almenara/channels/contract"
	"almenara/channels/plain"
	"almenara/storage/alert"
)

// Presentable reports whether info n of the message fits a device's message at all, once
// everything is cut that may be: see fit. ErrTooLarge says that it does not. Its status
// does not matter.
func Presentable(a *alert.Alert, n int) error {
	it := Item{Message: a, Status: a.Status}
	text := textOf(&it, &a.Infos[n])
	text.Description = ellipsis
	cutAreas(&text)
	cutNames(&text)
	size := jsonSize(contract.Body{Sender: a.Sender, Texts: []contract.Text{text}})
	if most := MaxBody * 3 / 4; size+unsigned > most { // base64
		return fmt.Errorf("%w: headline, instruction and names have %d bytes, of %d", ErrTooLarge, size, most-unsigned)
	}
	return nil
}

// unsigned is room for what a body has besides its texts: identities, digest, signature.
const unsigned = 1 << 10

// Taken is what devices do not show of one text as it was written. It can be compared.
type Taken struct {
	Element string      // of CAP
	Text    plain.Taken // zero: it is an address that is not passed on
}

// String is a sentence for the sender.
func (t Taken) String() string {
	if t.Text.Change == "" {
		return t.Element + ": an address that does not begin with http, https, mailto or tel is not passed on"
	}
	return t.Element + ": " + t.Text.String()
}

// TakenOut says what devices will not show of the texts of an info as it was written, and what was read
// as something else; nil for most.
func TakenOut(in *alert.Info) []Taken {
	var all []Taken
	look := func(name, text string) {
		_, taken := plain.Read(text)
		for _, what := range taken {
			all = append(all, Taken{name, what})
		}
	}
	look("event", in.Event)
	look("senderName", in.SenderName)
	look("headline", in.Headline)
	look("description", in.Description)
	look("instruction", in.Instruction)
	look("contact", in.Contact)
	for _, area := range in.Areas {
		look("areaDesc", area.Description)
	}
	address := func(name, text string) {
		if strings.TrimSpace(text) != "" && plain.Link(text) == "" {
			all = append(all, Taken{Element: name})
		}
	}
	address("web", in.Web)
	for _, file := range in.Resources {
		look("resourceDesc", file.Description)
		address("uri", file.URI)
	}
	return all
}
