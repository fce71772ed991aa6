package node_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"slices"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/node/wire"
	"almenara/node/wire/reported"
)

// reports publishes reports of a device to its node; each must be acknowledged.
func (d *district) reports(i int, of device.Options, payloads ...string) {
	d.t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + d.opts[i].MQTT).SetClientID(of.ID).SetUsername(of.ID).SetPassword(of.Secret).SetProtocolVersion(4)
	c := mqtt.NewClient(o)
	d.eventually("the node knows the device", func() bool { // which was enrolled at another one
		token := c.Connect()
		require.True(d.t, token.WaitTimeout(patience))
		return token.Error() == nil
	})
	defer c.Disconnect(100)
	for _, payload := range payloads {
		sent := c.Publish(contract.TopicReport(of.ID), 1, false, payload)
		require.True(d.t, sent.WaitTimeout(patience), "no PUBACK for %.100s", payload)
		require.NoError(d.t, sent.Error())
	}
}

// somePhoto is a photo of 320 × 240.
func somePhoto(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 320, 240)), nil))
	return b.Bytes()
}

// reported are the reports that node i lists.
func (d *district) reported(i int) []reported.PersonReport {
	d.t.Helper()
	page, err := d.client(i).ListReports(d.ctx(), reported.Query{})
	require.NoError(d.t, err)
	return page.Reports
}

// What one node takes with its photo is on all of them, also after a restart and from a node that was alone.
func TestReports_AreOnEveryNodeWithTheirPhotos(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	phone := d.enrol("phone", "tuen-mun/block-1", 1)[0]
	raw, err := reportText(contract.Report{ID: "0123456789abcdef", Kind: contract.ReportHazard, At: time.Now(), Text: "煙 smoke", Photo: somePhoto(t)})
	require.NoError(t, err)
	d.reports(0, phone, raw, raw)
	var id string
	for i := range 3 {
		d.eventually("every node lists it once", func() bool { return len(d.reported(i)) == 1 })
		one := d.reported(i)[0]
		id = one.ID
		require.Equal(t, []any{"煙 smoke", reported.New, uint32(320)}, []any{one.Text, one.Handling, one.Photo.Width})
		d.eventually("with its photo", func() bool {
			got, err := d.client(i).ReportPhoto(d.ctx(), id)
			return err == nil && bytes.HasPrefix(got, []byte("\xff\xd8\xff"))
		})
	}
	_, err = d.client(1).ModerateReport(d.ctx(), id, reported.Moderate{Handling: reported.Forwarded, Note: "to the wardens"}, string(wire.WaitCommitted))
	require.NoError(t, err)
	d.audited("report taken", "kind hazard")
	d.audited("report moderated", "forwarded", "to the wardens")
	d.kill(2)
	d.start(2)
	d.eventually("it is there after a restart", func() bool {
		all := d.reported(2)
		return len(all) == 1 && all[0].Handling == reported.Forwarded && all[0].By != ""
	})
	_, err = d.client(2).ReportPhoto(d.ctx(), id)
	require.NoError(t, err)

	d.kill(0)
	d.kill(1)
	d.awaitOn(2, func(s wire.Status) bool { return !s.Quorum })
	d.reports(2, phone, `{"id":"alone-0123456789ab","kind":"need_help"}`)
	require.Len(t, d.reported(2), 2, "a node that is alone takes reports")
	d.start(0)
	d.start(1)
	for i := range 3 {
		d.eventually("the others hear of it", func() bool { return len(d.reported(i)) == 2 })
	}
}

// Who is limited to places reads over the API, and hears of by events, what was reported there, and nothing of the
// rest; of two who change one user, the second is told.
func TestReports_OfOtherPlacesAreNotForWhoIsLimited(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	one, two := d.enrol("phone", "tuen-mun/block-1", 1)[0], d.enrol("phone", "tuen-mun/block-2", 1)[0]
	user := agreed(d, func() (wire.User, error) {
		return d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{"tuen-mun/block-2"}})
	})
	warden := d.clientWith(0, user.Token)
	heard := d.hearsAs(user.Token)

	d.reports(0, one, `{"id":"one-0123456789ab","kind":"need_help","text":"elsewhere","alert":"zzzzzzzzzzzzzzzzzzzzzzzzzz"}`)
	for event := told(t, heard); event.Type != reported.Event; event = told(t, heard) {
	}
	d.reports(0, two, `{"id":"two-0123456789ab","kind":"hazard","text":"here","alert":"zzzzzzzzzzzzzzzzzzzzzzzzzz"}`)
	event := told(t, heard)
	for ; event.Type != reported.Event; event = told(t, heard) {
	}
	require.Empty(t, event.Alert)
	all := d.reported(0)
	require.Len(t, all, 2)
	page, err := warden.ListReports(d.ctx(), reported.Query{})
	require.NoError(t, err)
	require.Len(t, page.Reports, 1)
	require.Equal(t, []any{"here", 1, 0}, []any{page.Reports[0].Text, page.New, page.NeedHelp})
	for _, r := range all {
		_, err := warden.ShowReport(d.ctx(), r.ID)
		if r.Text == "here" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "is known here")
		}
	}

	users, err := d.client(0).ListUsers(d.ctx())
	require.NoError(t, err)
	at := slices.IndexFunc(users, func(u wire.User) bool { return u.Name == "warden" })
	require.NoError(t, d.client(0).SetUser(d.ctx(), "warden", wire.SetUser{Version: users[at].Version, Roles: []string{"viewer"}}))
	err = d.client(0).SetUser(d.ctx(), "warden", wire.SetUser{Version: users[at].Version, Places: &[]string{}})
	require.ErrorContains(t, err, "somebody else has changed warden meanwhile")
}

// reportText is a report as a device writes it.
func reportText(r contract.Report) (string, error) {
	raw, err := json.Marshal(r)
	return string(raw), err
}
