package node_test

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

// namesNothing tries what a message does by its own key to what this node has not heard of:
// somebody's fire, under the sender of the district or under one that nobody was granted.
func namesNothing(d *district, small *client.Client, here, _ estate) {
	mine := "place under " + here.Path
	own, err := small.SendAlert(d.ctx(), byJSON("own block", mine), "")
	require.NoError(d.t, err)
	district := strings.Split(own.Key, ",")[0]
	for _, sender := range []string{"", district, "civil@example.hk"} {
		for _, kind := range []string{"Cancel", "Update"} {
			form, body := byJSON("hush", mine), map[string]any{}
			require.NoError(d.t, json.Unmarshal(form.Alert, &body))
			body["msgType"], body["identifier"], body["sent"] = kind, "7c1f0a", capTime(time.Now().In(hongKong))
			if sender != "" {
				body["sender"] = sender
			}
			body["references"] = own.Key
			form.Alert, err = json.Marshal(body)
			require.NoError(d.t, err)
			p := d.forbidden(small.SendAlert(d.ctx(), form, ""))
			require.Contains(d.t, p.Sentence, "leaves the identifier of an Update or a Cancel to the node", "%s of %s", kind, sender)
			d.forbidden(small.PreviewAlert(d.ctx(), form))
		}
	}
	form, body := byJSON("hush", mine), map[string]any{} // what is not known is still not theirs
	require.NoError(d.t, json.Unmarshal(form.Alert, &body))
	body["msgType"], body["references"] = "Update", strings.Replace(own.Key, ",", ",unseen", 1)
	form.Alert, err = json.Marshal(body)
	require.NoError(d.t, err)
	require.Contains(d.t, d.forbidden(small.SendAlert(d.ctx(), form, "")).Sentence, "is not known here")
	require.Equal(d.t, wire.StateInForce, d.show(0, own.Alert).State)
	d.cancelled(own)
}

// reachesNobodyLater sends to what is all inside now, and then others join.
func reachesNobodyLater(d *district, small *client.Client, here, there estate) {
	later := "tuen-mun/joins-later/block-1"
	selection := "place under " + here.Path + " or place under " + later
	admin := d.client(0)
	sent, err := small.SendAlert(d.ctx(), byJSON("for mine", selection), "")
	require.NoError(d.t, err)
	require.EqualValues(d.t, 1, sent.Addressed.Total)
	text := "for mine, again"
	corrected, err := small.CorrectAlert(d.ctx(), sent.Alert, wire.CorrectAlert{Texts: []wire.CorrectText{{Headline: &text}}}, "")
	require.NoError(d.t, err)
	everybody, err := admin.SendAlert(d.ctx(), byJSON("for both", selection), "")
	require.NoError(d.t, err)

	fleet := d.fleet(d.enrol("screen", later, 1)...)
	fleet.proven(revisionOf(everybody), 1)
	require.Equal(d.t, []int{0}, fleet.starts(revisionOf(sent)))
	require.Equal(d.t, []int{0}, fleet.starts(revisionOf(corrected)))
	shown := d.show(0, sent.Alert)
	require.EqualValues(d.t, 1, shown.Addressed.Total)
	require.Equal(d.t, 1, strings.Count(shown.Select, " and place under"), shown.Select)
	d.cancelled(sent)
	d.cancelled(everybody)
}
