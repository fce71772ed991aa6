package channels

import (
	"errors"
	"fmt"
	"time"

	"almenara/channels/contract"
	"almenara/channels/plain"
	"almenara/storage/alert"
)

// ErrNotDeliverable is returned for items that must never reach a device: status
// System or Draft, messages other than Alert and Update, and parts that name info
// blocks which the message does not have.
var ErrNotDeliverable = errors.New("not deliverable")

// buildBody makes the unsigned body of one part, without Time. Texts are plain.
func buildBody(it *Item, p Part) (contract.Body, error) {
	infos, err := infosOf(it, p)
	if err != nil {
		return contract.Body{}, err
	}
	look := alert.PresentationOf(it.Status, infos)
	b := contract.Body{
		Alert: string(it.Alert), Revision: uint64(it.Revision), Digest: it.Digest, Status: string(it.Status),
		Tier: contract.Tier(look.Tier), Sound: look.Sound, Confirm: look.Confirm,
		Sender: it.Message.Sender, Sent: it.Message.Sent.Time().UTC(),
	}
	for i := range infos {
		text := textOf(it, &infos[i])
		b.Texts = append(b.Texts, text)
		b.Files = addFiles(b.Files, infos[i].Resources)
		if text.Expires.After(b.Expires) {
			b.Expires = text.Expires
		}
	}
	return b, nil
}

// infosOf picks the info blocks of a part. It is the last guard before a device.
func infosOf(it *Item, p Part) ([]alert.Info, error) {
	if err := deliverable(it); err != nil {
		return nil, err
	}
	var infos []alert.Info
	for _, i := range p.Infos {
		if i < 0 || i >= len(it.Message.Infos) {
			return nil, fmt.Errorf("%w: alert %s has no info block %d", ErrNotDeliverable, it.Alert, i)
		}
		infos = append(infos, it.Message.Infos[i])
	}
	if len(infos) == 0 {
		return nil, fmt.Errorf("%w: a part of alert %s has no info block", ErrNotDeliverable, it.Alert)
	}
	return infos, nil
}

// deliverable refuses what must not even be listed. The item's status and its
// message's must agree: a drill that calls itself Actual on the way is a defect.
func deliverable(it *Item) error {
	switch {
	case it.Message == nil:
		return fmt.Errorf("%w: alert %s has no message", ErrNotDeliverable, it.Alert)
	case !alert.Presentable(it.Status) || it.Status != it.Message.Status:
		return fmt.Errorf("%w: alert %s has status %q, its message %q",
			ErrNotDeliverable, it.Alert, it.Status, it.Message.Status)
	case it.Message.MsgType != alert.MsgTypeAlert && it.Message.MsgType != alert.MsgTypeUpdate:
		return fmt.Errorf("%w: alert %s is of type %q", ErrNotDeliverable, it.Alert, it.Message.MsgType)
	}
	return nil
}

// textOf is one info block as devices see it. A block expires by itself, but
// never after the alert.
func textOf(it *Item, in *alert.Info) contract.Text {
	text := contract.Text{
		Language: in.Language, Event: plain.Text(in.Event),
		Urgency: in.Urgency, Severity: in.Severity, Certainty: in.Certainty,
		Headline: plain.Text(in.Headline), Description: plain.Text(in.Description), Instruction: plain.Text(in.Instruction),
		From: plain.Text(in.SenderName), Areas: []string{}, Web: plain.Link(in.Web), Contact: plain.Text(in.Contact),
		Onset: in.Onset.Time().UTC(), Expires: expiry(it, in),
	}
	if text.Language == "" {
		text.Language = "en-US" // CAP 1.2 §3.2.2
	}
	if in.Onset.IsZero() {
		text.Onset = time.Time{}
	}
	for _, area := range in.Areas {
		text.Areas = append(text.Areas, plain.Text(area.Description))
	}
	return text
}

func expiry(it *Item, in *alert.Info) time.Time {
	if e := in.Expires.Time(); !in.Expires.IsZero() && e.Before(it.Expires) {
		return e.UTC()
	}
	return it.Expires.UTC()
}

// addFiles adds resources that are not there yet: every language usually names
// the same files.
func addFiles(files []contract.Resource, resources []alert.Resource) []contract.Resource {
	for _, r := range resources {
		file := contract.Resource{
			Description: plain.Text(r.Description), Type: r.MIMEType, Size: r.Size,
			SHA1: r.Digest, URI: plain.Link(r.URI), Data: r.DerefURI,
		}
		if !containsFile(files, file) {
			files = append(files, file)
		}
	}
	return files
}

func containsFile(files []contract.Resource, file contract.Resource) bool {
	for _, f := range files {
		f.Description = file.Description
		if f == file {
			return true
		}
	}
	return false
}
