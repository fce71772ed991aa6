package node_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/node/wire"
)

// The record of what was shown to whom stays as it was: who is enrolled after the end was
// never addressed, an Update after the Cancel changes nothing, and who told that it stopped
// is counted.
func TestHistory_IsTheRecordOfWhatWasShown(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("record")
	kiosk := d.enrol("kiosk", here.Block, 1)[0]
	storm := warning("storm", polygon(here.Area))
	sent := d.post(0, storm, "", "committed")
	p := d.plainDevice(kiosk, 0)
	p.tell(presented(revisionOf(sent), 1))
	d.everywhere(sent.Alert, "presented", func(a wire.Alert) bool { return a.Rungs.Presented == 1 })
	joined := d.enrol("screen", here.Block, 1)
	d.everywhere(sent.Alert, "joined while it was in force", func(a wire.Alert) bool { return a.Joined == 1 })

	worse := d.post(0, storm.update("worse"), "", "committed")
	p.tell(presented(revisionOf(worse), 2))
	before := d.show(0, sent.Alert)
	d.post(0, storm.cancel(), "", "committed")
	p.tell(contract.Receipt{Alert: sent.Alert, Revision: worse.Revision, Rung: contract.RungCancelled, At: time.Now().UTC(), Seq: 3})
	d.everywhere(sent.Alert, "stopped", func(a wire.Alert) bool { return a.Rungs.Cancelled == 1 && a.Rungs.Presented == 1 })

	late := storm.update("never shown")
	late.Sent = late.Sent.Add(2 * time.Second)
	d.post(0, late, "", "committed")
	d.enrol("phone", here.Block, 3)
	d.everywhere(sent.Alert, "the end freezes the record", func(a wire.Alert) bool {
		return a.State == wire.StateCancelled && a.Joined == before.Joined && a.Addressed.Total == before.Addressed.Total &&
			a.Headline == before.Headline && a.Revision == before.Revision
	})
	a := d.show(0, sent.Alert)
	require.Len(t, a.Messages, 4)
	require.EqualValues(t, 1, a.Messages[0].Rungs.Presented, "what the first message reached stays")
	require.EqualValues(t, 1, a.Messages[0].Addressed)
	require.Contains(t, a.Messages[1].Headline, "worse")
	require.EqualValues(t, 1, a.Messages[1].Rungs.Presented)
	require.Zero(t, a.Messages[2].Rungs.Presented)
	require.NotEmpty(t, joined)
}

// Lists and receipts come in pages that say where the next one begins, and each missing
// member has a reason.
func TestHistory_ComesInPages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("pages")
	screens := d.enrol("screen", here.Block, 5)
	var ids []string
	for i := range 7 {
		ids = append(ids, d.post(0, warning(fmt.Sprint("page", i), polygon(here.Area)), "", "committed").Alert)
	}
	c := d.client(0)
	var listed []string
	for after := ""; ; {
		page, next, err := c.ListAlerts(d.ctx(), wire.AlertQuery{After: after, Limit: 3})
		require.NoError(t, err)
		for _, a := range page {
			listed = append(listed, a.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	require.Len(t, listed, len(ids))
	for i := range ids {
		require.Equal(t, ids[len(ids)-1-i], listed[i], "newest first, each once")
	}
	_, _, err := c.ListAlerts(d.ctx(), wire.AlertQuery{After: "l.x", Limit: 3})
	require.Equal(t, wire.KindMalformed, problemOf(d, nil, err).Kind)

	p := d.plainDevice(screens[0], 0)
	p.tell(presented(device.Revision{Alert: ids[0], Revision: d.show(0, ids[0]).Revision}, 1))
	d.everywhere(ids[0], "presented", func(a wire.Alert) bool { return a.Rungs.Presented == 1 })
	p.Disconnect(100)
	q := wire.ReceiptQuery{Rung: "presented", Missing: true, Limit: 3}
	first, err := c.AlertReceipts(d.ctx(), ids[0], q)
	require.NoError(t, err)
	require.Len(t, first.Rows, 3)
	q.After = first.Next
	last, err := c.AlertReceipts(d.ctx(), ids[0], q)
	require.NoError(t, err)
	require.Len(t, last.Rows, 1)
	require.Empty(t, last.Next)
	for _, row := range append(first.Rows, last.Rows...) {
		require.Equal(t, wire.ReasonNotSeen, row.Reason)
	}
	reached, err := c.AlertReceipts(d.ctx(), ids[0], wire.ReceiptQuery{Rung: "presented"})
	require.NoError(t, err)
	require.Len(t, reached.Rows, 1)
	require.False(t, reached.Rows[0].At.IsZero())
	d.eventually("it is known to be dark", func() bool {
		dark, err := c.AlertReceipts(d.ctx(), ids[1], wire.ReceiptQuery{Missing: true})
		return err == nil && dark.Rows[0].Reason == wire.ReasonDark && !dark.Rows[0].Since.IsZero()
	})
	require.Len(t, d.receiptsCSV(0, ids[0]), 6, "a head and five members")
}

func (d *district) receiptsCSV(i int, id string) [][]string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), "GET", d.nodes[i].API()+"/api/v1/alerts/"+id+"/receipts?rung=queued", nil)
	require.NoError(d.t, err)
	req.Header.Set("Accept", "text/csv")
	req.Header.Set("Authorization", "Bearer "+d.token)
	response, err := http.DefaultClient.Do(req)
	require.NoError(d.t, err)
	defer response.Body.Close()
	var raw bytes.Buffer
	_, err = raw.ReadFrom(response.Body)
	require.NoError(d.t, err)
	rows, err := csv.NewReader(&raw).ReadAll()
	require.NoError(d.t, err)
	return rows
}
