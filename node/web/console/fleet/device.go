package fleet

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

type devicePage struct {
	frame.Page
	Device row
	Live   bool // it is not revoked
	Change bool
	Done   string
	Wrong  string      // why nothing was done, in the person's language
	Try    bool        // the person may have it tested
	Proved string      // what a test has proven
	Why    frame.Point // what the device says of a test that it did not pass
	Word   string      // to revoke
	Rotate string      // the word for a new secret
}

// find reads one device. They are listed by id, so it begins shortly before.
func (p pages) find(q *frame.Request) (wire.Device, error) {
	id := q.R.PathValue("device")
	_, size := utf8.DecodeLastRuneInString(id)
	for after := id[:len(id)-size]; ; {
		page, next, err := p.s.Connected.ListDevices(q.R.Context(), after, 100)
		if err != nil {
			return wire.Device{}, err
		}
		if at := slices.IndexFunc(page, func(d wire.Device) bool { return d.ID == id }); at >= 0 {
			return page[at], nil
		}
		if after = next; next == "" || next > id {
			return wire.Device{}, wire.Problemf(wire.KindNotFound, "there is no device %.100q", id).Because(why.NoDevice, id)
		}
	}
}

func (p pages) pageOf(q *frame.Request) (devicePage, error) {
	d, err := p.find(q)
	if err != nil {
		return devicePage{}, err
	}
	n, err := p.naming(q)
	out := devicePage{
		Page: q.Page("device"), Device: n.row(d), Live: !d.Revoked, Change: q.May(authority.ChangeDevices), Word: q.Lang.T("people.word"), Rotate: q.Lang.T("device.rotate.word"),
		Try: q.May(authority.TestDevices) && !d.Revoked,
	}
	out.Title, out.Path = q.Lang.T("device.heading", d.ID), q.Inside(pathOf(d.ID))
	return out, err
}

func (p pages) device(q *frame.Request) error {
	out, err := p.pageOf(q)
	if err != nil {
		return err
	}
	if q.Done() == "revoked" {
		out.Done = q.Lang.T("device.revoke.done")
	}
	return q.Show("device", out)
}

// refuse shows the device again, with the word that is missing.
func (p pages) refuse(q *frame.Request, word string) error {
	out, err := p.pageOf(q)
	if err != nil {
		return err
	}
	out.Wrong = q.Lang.T("people.word.wrong", word)
	return q.ShowAs(wire.HTTPStatus(wire.KindRefused), "device", out)
}

// revoke ends the device's connection at once.
func (p pages) revoke(q *frame.Request) error {
	if !view.Typed(q.Form("word"), "people.word") {
		return p.refuse(q, q.Lang.T("people.word"))
	}
	if err := p.s.Devices.RevokeDevice(q.R.Context(), q.By(), q.R.PathValue("device")); err != nil {
		return err
	}
	return q.To(pathOf(q.R.PathValue("device")) + "?done=revoked")
}

// rotate gives the device a new secret, which is told only here. A device that was revoked is enrolled
// again that way.
func (p pages) rotate(q *frame.Request) error {
	if !view.Typed(q.Form("word"), "device.rotate.word") {
		return p.refuse(q, q.Lang.T("device.rotate.word"))
	}
	d, err := p.find(q)
	if err != nil {
		return err
	}
	return p.enrol(q, []wire.Enrol{{ID: d.ID, Member: d.Member, Rotate: true}})
}

// enrol enrols and shows what the devices must be given, once. All that may fail is asked before: the
// secrets would be lost with it.
func (p pages) enrol(q *frame.Request, in []wire.Enrol) error {
	n, err := p.naming(q)
	if err != nil {
		return err
	}
	answers, err := p.s.Devices.EnrolDevices(q.R.Context(), q.By(), in)
	if err != nil {
		return err
	}
	devices, _, _ := p.all(q) // for their places; without those the sheet lacks only them
	places := map[string]string{}
	for _, d := range devices {
		places[d.ID] = d.Place
	}
	for i := range answers {
		answers[i].Place = cmp.Or(answers[i].Place, places[answers[i].ID])
	}
	return showSheet(q, n, answers)
}

type sheetPage struct {
	frame.Page
	Devices []sheet
	Servers []string
	Root    string
	All     template.URL // the file for all of them
}

// sheet is what one device must be given.
type sheet struct {
	ID, Kind, Place, Secret string
	Link                    string       // of the page of a screen, with all that it needs
	File                    template.URL // what device run --enrolment takes
}

func showSheet(q *frame.Request, n naming, answers []wire.Enrolled) error {
	out := sheetPage{Page: q.Page("sheet"), All: fileOf(answers)}
	for _, d := range answers {
		out.Devices = append(out.Devices, sheet{
			ID: d.ID, Kind: q.Lang.Or("kind.", d.Kind), Place: n.places.Of(d.Place), Secret: d.Secret, Link: linkOf(q, d), File: fileOf(d),
		})
		out.Servers, out.Root = d.Servers, d.RootKey
	}
	return q.Show("sheet", out)
}

// fileOf is a link to a file with what was answered.
func fileOf(answer any) template.URL {
	raw, _ := json.MarshalIndent(answer, "", " ") // texts alone, which can be written
	return template.URL("data:application/json;charset=utf-8," + url.PathEscape(string(raw)))
}

// linkOf is the page of a screen with what it must be given, behind #, which no browser sends.
func linkOf(q *frame.Request, d wire.Enrolled) string {
	scheme := "http://"
	if q.R.TLS != nil {
		scheme = "https://"
	}
	given := url.Values{"id": {d.ID}, "secret": {d.Secret}, "root": {d.RootKey}, "servers": {strings.Join(d.Servers, ",")}}
	return scheme + q.R.Host + "/screen/#" + given.Encode()
}
