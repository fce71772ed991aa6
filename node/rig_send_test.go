package node_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// observatory is the central system of these tests.
const observatory = "hko@example.hk"

// estate is a place of its own for one story: an estate with one block, which lies
// in the middle of Area; no two of them touch.
type estate struct {
	Path, Block string
	Area        string // a CAP polygon
	Lat, Lon    float64
}

// estate lays the next one.
func (d *district) estate(name string) estate {
	d.t.Helper()
	d.spots++
	e := estate{Path: "tuen-mun/" + name, Lat: 22.30 + 0.02*float64(d.spots), Lon: 113.97}
	e.Block, e.Area = e.Path+"/block-1", square(e.Lat, e.Lon, 0.005)
	agreed(d, func() (struct{}, error) {
		return struct{}{}, d.client(d.live()[0]).PutPlaces(d.ctx(), []wire.Place{{Path: e.Block, Lat: &e.Lat, Lon: &e.Lon}})
	})
	return e
}

// square is a CAP polygon around a point, half a side in degrees.
func square(lat, lon, half float64) string {
	corner := func(y, x float64) string { return fmt.Sprintf("%.5f,%.5f", lat+y*half, lon+x*half) }
	return strings.Join([]string{corner(-1, -1), corner(-1, 1), corner(1, 1), corner(1, -1), corner(-1, -1)}, " ")
}

// bulletin is a CAP message in two languages as an observatory writes it.
type bulletin struct {
	Identifier, Sender     string
	Sent                   time.Time
	Status, MsgType, Scope string
	Addresses, Restriction string
	References             []bulletin
	Headline               string
	Effective, Expires     time.Time
	Area                   string // inside of area; "" is no area
	Severity               string // "" is Extreme
}

// warning is an emergency that holds for an hour; area is what stands in area. Its name is its
// identifier and its headline.
func warning(name, area string) bulletin {
	now := time.Now().Truncate(time.Second)
	return bulletin{
		Identifier: name, Sender: observatory, Sent: now, Status: "Actual", MsgType: "Alert", Scope: "Public",
		Headline: name, Expires: now.Add(time.Hour), Area: area,
	}
}

func polygon(points string) string {
	return "<areaDesc>Estate</areaDesc><polygon>" + points + "</polygon>"
}

// update is the next message of the alert, cancel its last.
func (b bulletin) update(headline string) bulletin {
	next := b
	next.Identifier, next.MsgType, next.Headline = b.Identifier+"-update", "Update", headline
	next.Sent, next.References = b.Sent.Add(time.Second), []bulletin{b}
	return next
}

func (b bulletin) cancel() bulletin {
	last := b
	last.Identifier, last.MsgType = b.Identifier+"-cancel", "Cancel"
	last.Sent, last.References = b.Sent.Add(2*time.Second), []bulletin{b}
	return last
}

func capTime(t time.Time) string { return t.Format("2006-01-02T15:04:05") + t.Format("-07:00") }

func (b bulletin) key() string { return b.Sender + "," + b.Identifier + "," + capTime(b.Sent.UTC()) }

// id is the id of the alert that the message begins.
func (b bulletin) id() string {
	return string(alert.Key{Sender: b.Sender, Identifier: b.Identifier, Sent: alert.NewDateTime(b.Sent)}.ID())
}

// xml writes the message without any white space between elements.
func (b bulletin) xml() []byte {
	var out strings.Builder
	put := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&out, "<%s>%s</%s>", name, text, name)
		}
	}
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">`)
	put("identifier", b.Identifier)
	put("sender", b.Sender)
	put("sent", capTime(b.Sent.In(hongKong)))
	put("status", b.Status)
	put("msgType", b.MsgType)
	put("scope", b.Scope)
	put("restriction", b.Restriction)
	put("addresses", b.Addresses)
	put("note", "written for a test")
	var references []string
	for _, r := range b.References {
		references = append(references, r.key())
	}
	put("references", strings.Join(references, " "))
	if b.MsgType != "Cancel" {
		for _, language := range []string{"zh-HK", "en"} {
			b.info(put, &out, language)
		}
	}
	out.WriteString("</alert>")
	return []byte(out.String())
}

func (b bulletin) info(put func(name, text string), out *strings.Builder, language string) {
	out.WriteString("<info>")
	put("language", language)
	put("category", "Met")
	put("event", map[string]string{"zh-HK": "黑色暴雨警告", "en": "Black Rainstorm Warning"}[language])
	put("urgency", "Immediate")
	put("severity", cmp.Or(b.Severity, "Extreme"))
	put("certainty", "Observed")
	if !b.Effective.IsZero() {
		put("effective", capTime(b.Effective.In(hongKong)))
	}
	put("expires", capTime(b.Expires.In(hongKong)))
	put("headline", b.Headline+map[string]string{"zh-HK": "（中文）"}[language])
	put("instruction", map[string]string{"zh-HK": "請留在室內。", "en": "Stay indoors."}[language])
	put("area", b.Area)
	out.WriteString("</info>")
}

var hongKong = time.FixedZone("HKT", 8*60*60)

// post gives the message to node i and returns what it said.
func (d *district) post(i int, b bulletin, selection, wait string) wire.Outcome {
	d.t.Helper()
	out, err := d.sender(i).TakeCAP(d.ctx(), b.xml(), selection, wait)
	require.NoError(d.t, err)
	return out
}

// sender calls node i as who posts CAP messages: the observatory where it has a token.
func (d *district) sender(i int) *client.Client {
	d.t.Helper()
	if d.feed != "" {
		return d.clientWith(i, d.feed)
	}
	return d.client(i)
}

// refused posts what must be refused.
func (d *district) refused(i int, b bulletin, selection string) *wire.Problem {
	d.t.Helper()
	out, err := d.sender(i).TakeCAP(d.ctx(), b.xml(), selection, "")
	return problemOf(d, out, err)
}

func problemOf(d *district, out any, err error) *wire.Problem {
	d.t.Helper()
	var p *wire.Problem
	require.True(d.t, errors.As(err, &p), "a problem is expected, got %+v, %v", out, err)
	return p
}

// byJSON is the JSON form of an emergency without shapes, for a selection.
func byJSON(headline, selection string) wire.SendAlert {
	body := map[string]any{"info": []map[string]any{{
		"language": "en", "category": []string{"Met"}, "event": "Rainstorm", "urgency": "Immediate",
		"severity": "Extreme", "certainty": "Observed", "headline": headline, "instruction": "Stay indoors.",
		"expires": capTime(time.Now().Add(time.Hour).In(hongKong)),
		"area":    []map[string]any{{"areaDesc": "Estate"}},
	}}}
	raw, _ := json.Marshal(body) // maps of strings always encode
	return wire.SendAlert{Alert: raw, Select: selection}
}

func revisionOf(o wire.Outcome) device.Revision {
	return device.Revision{Alert: o.Alert, Revision: o.Revision}
}

// fleet is devices and what to expect of them.
type fleet struct {
	*device.Fleet
	d *district
}

func (f *fleet) await(what string, enough func(device.Progress) bool) {
	f.d.t.Helper()
	require.NoError(f.d.t, f.Wait(f.d.ctx(), enough), what)
}

// proven waits until n devices have shown it, and a node knows.
func (f *fleet) proven(r device.Revision, n int) {
	f.d.t.Helper()
	f.await("proven", func(p device.Progress) bool { return p.Alerts[r].Proven == n })
}

func (f *fleet) stopped(r device.Revision, n int) {
	f.d.t.Helper()
	f.await("stopped", func(p device.Progress) bool { return p.Alerts[r].Stopped == n })
}

// starts is how often each device began to show it.
func (f *fleet) starts(r device.Revision) []int {
	var out []int
	for _, d := range f.Devices() {
		out = append(out, d.Tally(r).Starts)
	}
	return out
}

// settle sends another alert to the devices and waits until all have shown it: what
// came before it has had its effect by then.
func (f *fleet) settle() {
	f.d.t.Helper()
	var ids []string
	for _, dev := range f.Devices() {
		ids = append(ids, dev.ID())
	}
	i := f.d.live()[len(f.d.live())-1]
	f.d.awaitOn(i, func(s wire.Status) bool { return s.AloneSince.IsZero() }) // else it takes nothing without a licence
	out, err := f.d.client(i).SendAlert(f.d.ctx(), byJSON("all devices listen", "id in ("+strings.Join(ids, ", ")+")"), "")
	require.NoError(f.d.t, err)
	require.EqualValues(f.d.t, len(ids), out.Addressed.Total)
	f.proven(revisionOf(out), len(ids))
}

// show is what node i knows of the alert.
func (d *district) show(i int, id string) wire.Alert {
	d.t.Helper()
	a, err := d.client(i).ShowAlert(d.ctx(), id)
	require.NoError(d.t, err)
	return a
}

// everywhere waits until every live node says of the alert what is wanted.
func (d *district) everywhere(id, what string, ok func(wire.Alert) bool) {
	d.t.Helper()
	for _, i := range d.live() {
		d.eventually(what, func() bool {
			a, err := d.nodes[i].Services().Reader.ShowAlert(d.t.Context(), id)
			return err == nil && ok(a)
		})
	}
}
