package node_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/folder"
	"almenara/node/wire"
)

// large is a bulletin of about 1.7 MB: outlines of 18,000 points, and a spoken text.
func large(name string, e estate) []byte {
	var area strings.Builder
	area.WriteString("<areaDesc>Estate</areaDesc>")
	for i := range 18 {
		area.WriteString("<polygon>")
		for n := range 999 {
			fmt.Fprintf(&area, "%.12f,%.12f ", e.Lat-0.005+float64(n)/1e5, e.Lon-0.006-float64(i)/1e4)
		}
		fmt.Fprintf(&area, "%.12f,%.12f ", e.Lat, e.Lon+0.005)
		fmt.Fprintf(&area, "%.12f,%.12f</polygon>", e.Lat-0.005, e.Lon-0.006-float64(i)/1e4)
	}
	audio := bytes.Repeat([]byte("spoken "), 60_000)
	resource := "<resource><resourceDesc>Spoken</resourceDesc><mimeType>audio/mpeg</mimeType><uri>spoken.mp3</uri><derefUri>" +
		base64.StdEncoding.EncodeToString(audio) + "</derefUri></resource>"
	b := warning(name, area.String())
	return bytes.Replace(b.xml(), []byte("<area>"), []byte(resource+"<area>"), 1)
}

func (d *district) originalOf(i int, alert string) wire.Original {
	d.t.Helper()
	shown, err := d.client(i).ShowAlert(d.ctx(), alert)
	require.NoError(d.t, err)
	require.NotNil(d.t, shown.Messages[0].Original)
	return *shown.Messages[0].Original
}

// file is where node i keeps an original.
func (d *district) file(i int, raw []byte) string {
	sum := sha256.Sum256(raw)
	return filepath.Join(d.opts[i].Dir, "originals", hex.EncodeToString(sum[:]))
}

// haveOriginal waits until all live nodes answer with the message as it was sent.
func (d *district) haveOriginal(alert string, raw []byte) {
	d.t.Helper()
	for _, i := range d.live() {
		d.eventually("the original on its disk", func() bool {
			there, err := os.ReadFile(d.file(i, raw))
			return err == nil && bytes.Equal(there, raw)
		})
		got, err := d.client(i).AlertMessage(d.ctx(), alert)
		require.NoError(d.t, err)
		require.True(d.t, bytes.Equal(raw, got), "node %d", i)
		require.Equal(d.t, wire.CopyHere, d.originalOf(i, alert).Copy)
	}
}

func TestLarge_IsShownEverywhereAndKeptByEveryNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	e := d.estate("large")
	f := d.fleet(d.enrol("screen", e.Block, 3)...)
	raw := large("flood", e)
	require.Greater(t, len(raw), 1_600_000)
	origin := d.follower()

	preview, err := d.client(origin).PreviewCAP(d.ctx(), raw, "")
	require.NoError(t, err)
	require.Contains(t, strings.Join(preview.Warnings.Texts(), "\n"), "attachment")
	require.NoFileExists(t, d.file(origin, raw), "a try leaves nothing")

	out, err := d.client(origin).TakeCAP(d.ctx(), raw, "", "")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, out.State)
	require.EqualValues(t, 3, out.Addressed.Total)
	require.Contains(t, strings.Join(out.Warnings.Texts(), "\n"), "attachment")
	require.FileExists(t, d.file(origin, raw), "before the answer")
	f.proven(revisionOf(out), 3)
	d.haveOriginal(out.Alert, raw)

	again, err := d.client(d.leader()).TakeCAP(d.ctx(), raw, "", "")
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	other := bytes.Replace(raw, []byte("c3Bva2Vu"), []byte("U3Bva2Vu"), 1)
	_, err = d.client(d.leader()).TakeCAP(d.ctx(), other, "", "")
	requireKind(t, wire.KindConflict, err, "what only the original has counts for its identity")

	d.add(agreed(d, func() (wire.Invited, error) { return d.client(0).Invite(d.ctx(), wire.Invite{}) }).Token)
	d.haveOriginal(out.Alert, raw)

	// A damaged file is found when it is asked for, and fetched from the others.
	require.NoError(t, os.WriteFile(d.file(origin, raw), raw[:len(raw)-1], 0o600))
	got, err := d.client(origin).AlertMessage(d.ctx(), out.Alert)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw, got))
}

func TestLarge_TheOthersWarnWithoutTheOriginal(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	e := d.estate("orphan")
	raw := large("flood", e)
	origin := d.follower()
	out, err := d.client(origin).TakeCAP(d.ctx(), raw, "", "committed")
	require.NoError(t, err)
	require.Equal(t, wire.ReplicationCommitted, out.Replication)
	others := d.live()
	others = append(others[:origin:origin], others[origin+1:]...)
	d.haveOriginal(out.Alert, raw)
	d.stop(origin)
	for _, i := range others { // as if the origin had died before it gave the original away
		require.NoError(t, os.Remove(d.file(i, raw)))
		d.stop(i)
	}
	for _, i := range others {
		d.start(i)
	}
	for _, i := range others {
		d.awaitOn(i, func(s wire.Status) bool { return s.Ready })
		shown, err := d.client(i).ShowAlert(d.ctx(), out.Alert)
		require.NoError(t, err)
		require.Equal(t, wire.StateInForce, shown.State)
		require.Equal(t, "flood（中文）", shown.Headline)
		require.Equal(t, wire.Original{SHA256: filepath.Base(d.file(i, raw)), Bytes: int64(len(raw)), Copy: wire.CopyMissing},
			d.originalOf(i, out.Alert))
		_, err = d.client(i).AlertMessage(d.ctx(), out.Alert)
		requireKind(t, wire.KindNotReady, err, "the original is missing")
		require.ErrorContains(t, err, "is not on this node yet")
	}
	f := d.fleet(d.enrol("screen", e.Block, 2)...)
	f.proven(revisionOf(out), 2)
	d.start(origin)
	d.haveOriginal(out.Alert, raw)
}

// What is too large for devices alone, and not for the nodes, is named as well.
func TestLarge_SaysWhatDevicesHaveNoRoomFor(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("spoken")
	f := d.fleet(d.enrol("screen", e.Block, 1)...)
	audio := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("spoken "), 11_000)) // a message of 100 kB
	raw := bytes.Replace(warning("spoken", polygon(e.Area)).xml(), []byte("<area>"), []byte("<contact>Mrs Lee, 2345 6789</contact>"+
		"<resource><resourceDesc>Spoken warning</resourceDesc><mimeType>audio/mpeg</mimeType><uri>https://example.org/a.mp3</uri><derefUri>"+audio+"</derefUri></resource><area>"), 1)
	preview, err := d.client(0).PreviewCAP(d.ctx(), raw, "")
	require.NoError(t, err)
	out, err := d.client(0).TakeCAP(d.ctx(), raw, "", "")
	require.NoError(t, err)
	for _, warnings := range [][]string{preview.Warnings.Texts(), out.Warnings.Texts()} {
		require.Contains(t, strings.Join(warnings, "\n"), `the attachment "Spoken warning" is too large to be passed on to devices`)
		require.Equal(t, 1, strings.Count(strings.Join(warnings, "\n"), "attachment"), "once: %v", warnings)
	}
	f.proven(revisionOf(out), 1)
	shown, err := d.client(0).ShowAlert(d.ctx(), out.Alert)
	require.NoError(t, err)
	require.Equal(t, "Mrs Lee, 2345 6789", shown.Messages[0].Texts[0].Contact)
}

// A backup holds large messages as they were written: when everything else is gone, what was
// said is not.
func TestLarge_IsInTheBackup(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("kept")
	raw := large("flood", e)
	out, err := d.client(0).TakeCAP(d.ctx(), raw, "", "committed")
	require.NoError(t, err)
	saved := openBackup(t, d.backUp(0))
	require.Equal(t, 1, saved.Messages)
	d.kill(0)
	down, size, err := folder.BackupFolder(d.opts[0].Dir, "", nil)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, down)
	require.NoError(t, err)
	require.Equal(t, size, n)
	require.Greater(t, size, int64(len(raw)))
	require.NoError(t, down.Close())

	o := d.options()
	_, err = folder.Restore(d.ctx(), folder.RestoreOptions{Dir: o.Dir, Addresses: o.Addresses(), File: saved})
	require.NoError(t, err)
	d.opts, d.nodes = append(d.opts, o), append(d.nodes, nil)
	d.start(1)
	t.Cleanup(func() { d.kill(1) })
	d.awaitOn(1, func(s wire.Status) bool { return s.Ready })
	got, err := d.client(1).AlertMessage(d.ctx(), out.Alert)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw, got))
}

func TestLarge_IsTakenWithoutItsOriginalWhereTheDiskIsTight(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("tight")
	raw := large("flood", e)
	dir := filepath.Join(d.opts[0].Dir, "originals")
	require.NoError(t, os.RemoveAll(dir)) // its disk takes nothing there
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	out, err := d.client(0).TakeCAP(d.ctx(), raw, "", "")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, out.State)
	require.Contains(t, strings.Join(out.Warnings.Texts(), "\n"), "is not kept")
	require.Equal(t, wire.CopyNotKept, d.originalOf(0, out.Alert).Copy)
	_, err = d.client(0).AlertMessage(d.ctx(), out.Alert)
	requireKind(t, wire.KindNotFound, err, "there is none")
}

func TestLarge_TextsAreNeverCut(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("texts")
	raw := warning("texts", polygon(e.Area)).xml()
	long := "<description>" + strings.Repeat("long ", 50_000) + "</description><instruction>"
	_, err := d.client(0).TakeCAP(d.ctx(), bytes.Replace(raw, []byte("<instruction>"), []byte(long), 1), "", "")
	requireKind(t, wire.KindTooLarge, err, "texts over the bound of a fact")
}

func requireKind(t *testing.T, kind wire.Kind, err error, why string) {
	t.Helper()
	var p *wire.Problem
	require.True(t, errors.As(err, &p), "%s: %v", why, err)
	require.Equal(t, kind, p.Kind, "%s: %v", why, err)
}

// An Update of what stands is taken whatever its sender has sent before, also one that is no
// emergency: only the message as it was written is not kept.
func TestLarge_UpdatesAreNotRefusedForWhatWasSentBefore(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("often")
	calm := strings.NewReplacer("<urgency>Immediate</urgency>", "<urgency>Future</urgency>")
	first := warning("rain-0", "")
	text := calm.Replace(string(large(first.Identifier, e)))
	require.Contains(t, text, "<urgency>Future</urgency>")
	var out wire.Outcome
	for i := range 41 {
		next := text
		if i > 0 {
			next = strings.Replace(next, "<identifier>rain-0<", fmt.Sprintf("<identifier>rain-%d<", i), 1)
			next = strings.Replace(next, "<msgType>Alert<", "<msgType>Update<", 1)
			next = strings.Replace(next, "</note>", "</note><references>"+first.key()+"</references>", 1)
			_, sent, _ := strings.Cut(text, "<sent>")
			next = strings.Replace(next, sent[:25], capTime(first.Sent.Add(time.Duration(i)*time.Second)), 1)
		} else {
			_, sent, _ := strings.Cut(text, "<sent>")
			at, err := time.Parse(time.RFC3339, sent[:25])
			require.NoError(t, err)
			first.Sent = at
		}
		var err error
		out, err = d.client(0).TakeCAP(d.ctx(), []byte(next), "", "")
		require.NoError(t, err, i)
	}
	require.Contains(t, strings.Join(out.Warnings.Texts(), "\n"), "is not kept")
}
