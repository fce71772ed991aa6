package enrol

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"almenara/node/enrol"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// place is one that may be chosen.
type place struct{ Path, Name string }

// placesOf are the places of the district, in the order of their paths.
func (p pages) placesOf(q *frame.Request) (out []place, err error) {
	all, err := p.places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b wire.Place) int { return strings.Compare(a.Path, b.Path) })
	for _, one := range all {
		out = append(out, place{one.Path, q.Lang.Called(one.Names)})
	}
	return out, nil
}

type listPage struct {
	frame.Page
	Rows   []row
	Done   string // the device that was enrolled just now
	Places []place
	Most   int
}

// row is a device that waits.
type row struct{ Number, Code, Kind, Where, ID, Address, Since string }

func (p pages) list(q *frame.Request) (err error) {
	data := listPage{Page: q.Page("enrol"), Done: q.Done(), Most: enrol.MaxSheet}
	if data.Places, err = p.placesOf(q); err != nil {
		return err
	}
	for _, w := range p.service.Waiting() {
		data.Rows = append(data.Rows, rowOf(q, w))
	}
	return q.Show("enrol", data)
}

func rowOf(q *frame.Request, w enrol.Waiting) row {
	return row{w.Number, w.Code, q.Lang.Or("enrol.kind.", w.Kind), w.Wants.Place, w.Wants.ID, w.Address, q.ClockTime(w.Since)}
}

type codePage struct {
	frame.Page
	Codes []code
	Until string
	Sheet bool
	Local bool // the address is this machine's own: nobody else reaches it
}

// code is a ticket as it is scanned.
type code struct {
	ID, Place, Link string
	Picture         picture
}

// code makes one ticket for a screen that can scan, or a phone.
func (p pages) code(q *frame.Request) error {
	of := enrol.For{
		ID: q.Form("id"), Kind: cmp.Or(q.Form("kind"), "phone"), Place: q.Form("place"), Member: q.Form("member"), Replaces: q.Form("replaces") != "",
	}
	return p.tickets(q, []enrol.For{of}, enrol.TicketLife, false)
}

// sheet makes tickets to print: one line each with the name of the device and its place.
func (p pages) sheet(q *frame.Request) error {
	known, err := p.placesOf(q)
	if err != nil {
		return err
	}
	var of []enrol.For
	for line := range strings.Lines(q.Form("devices")) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 {
			return wire.Problemf(wire.KindRefused, "%s: %.100q", q.Lang.T("enrol.sheet.line"), strings.TrimSpace(line)).Because(why.InWords, q.Lang.T("enrol.sheet.line")+": "+strings.TrimSpace(line))
		}
		if !slices.ContainsFunc(known, func(k place) bool { return k.Path == words[1] }) {
			return wire.Problemf(wire.KindRefused, "%s: %.100q", q.Lang.T("enrol.sheet.place"), words[1]).Because(why.InWords, q.Lang.T("enrol.sheet.place")+": "+words[1])
		}
		of = append(of, enrol.For{ID: words[0], Kind: cmp.Or(q.Form("kind"), "screen"), Place: words[1], Replaces: q.Form("replaces") != ""})
	}
	return p.tickets(q, of, enrol.SheetLife, true)
}

func (p pages) tickets(q *frame.Request, of []enrol.For, life time.Duration, sheet bool) error {
	made, err := p.service.NewTickets(q.By(), of, life)
	if err != nil {
		return err
	}
	data := codePage{Page: q.Page("codes"), Sheet: sheet, Local: local(q.R.Host)}
	for _, t := range made {
		link := addressOf(q, t)
		picture, err := draw(link)
		if err != nil {
			return err
		}
		data.Codes = append(data.Codes, code{t.ID, t.Place, link, picture})
		data.Until = q.ClockTime(t.Until)
	}
	return q.Show("codes", data)
}

// local reports whether an address is that of a machine to itself.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// addressOf is what the device opens. The ticket is behind #, so that no log has it.
func addressOf(q *frame.Request, t enrol.Ticket) string {
	scheme := "http://"
	if q.R.TLS != nil {
		scheme = "https://"
	}
	page := "/screen/"
	if t.Kind == "phone" || t.Kind == "speaker" {
		page = "/" + t.Kind + "/"
	}
	return scheme + q.R.Host + page + "#ticket=" + t.Text
}

type devicePage struct {
	frame.Page
	Row      row
	ID       string // that is proposed
	Kind     string
	Place    string
	Member   string
	Replaces bool
	Places   []place
}

// device asks about one device that waits.
func (p pages) device(q *frame.Request) error {
	for _, w := range p.service.Waiting() {
		if w.Number != q.R.PathValue("number") {
			continue
		}
		places, err := p.placesOf(q)
		if err != nil {
			return err
		}
		return q.Show("enrol-device", devicePage{
			Page: q.Page("enrol-device"), Row: rowOf(q, w), ID: cmp.Or(w.Wants.ID, w.Kind+"-"+strings.ReplaceAll(w.Code, " ", "")), Kind: cmp.Or(w.Wants.Kind, w.Kind),
			Place: w.Wants.Place, Member: w.Wants.Member, Replaces: w.Wants.Replaces, Places: places,
		})
	}
	return wire.Problemf(wire.KindNotFound, "%s", q.Lang.T("enrol.gone")).Because(why.EnrolGone)
}

func (p pages) approve(q *frame.Request) error {
	if q.Form("same") == "" {
		return wire.Problemf(wire.KindRefused, "%s", q.Lang.T("enrol.compare")).Because(why.InWords, q.Lang.T("enrol.compare"))
	}
	done, err := p.service.Approve(q.R.Context(), q.By(), enrol.Approval{
		Number: q.R.PathValue("number"), Code: q.Form("shown"),
		For: enrol.For{ID: q.Form("id"), Kind: q.Form("kind"), Place: q.Form("place"), Member: q.Form("member"), Replaces: q.Form("replaces") != ""},
	})
	if err != nil {
		return err
	}
	return q.To(frame.Below + "enrol?done=" + done.ID)
}

func (p pages) refuse(q *frame.Request) error {
	if err := p.service.Refuse(q.By(), q.R.PathValue("number")); err != nil {
		return err
	}
	return q.To(frame.Below + "enrol")
}
