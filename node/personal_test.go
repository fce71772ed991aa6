package node_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/client"
	"almenara/node/folder"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage/audit"
)

// A person is gone from every node: from answers, exports, backups and memory, also of a node that was
// away; what others reported stays.
func TestErase_APersonIsGoneFromEveryNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	phones := d.enrol("phone", "tuen-mun/block-1", 2)
	his, hers := phones[0], phones[1]
	tell := func(i int, phone int, id, text string) {
		raw, err := reportText(contract.Report{ID: id, Kind: contract.ReportHazard, At: time.Now(), Text: text, Photo: somePhoto(t)})
		require.NoError(t, err)
		d.reports(i, phones[phone], raw)
	}
	tell(0, 0, "0123456789abcdef", "Chan of flat 12B has broken his knee")
	tell(1, 1, "1123456789abcdef", "the stairs are dark")
	for i := range 3 {
		d.eventually("every node lists both", func() bool { return len(d.reported(i)) == 2 })
	}
	for _, r := range d.reported(0) {
		if r.Device == his.ID {
			_, err := d.client(1).ModerateReport(d.ctx(), r.ID, reported.Moderate{Handling: reported.Seen, Note: "Chan is in ward 7"}, string(wire.WaitCommitted))
			require.NoError(t, err)
		}
	}
	d.kill(2)
	member := his.ID // enrol makes a member of the same id
	p, err := d.client(0).ShowPerson(d.ctx(), member)
	require.NoError(t, err)
	require.Equal(t, []any{[]string{his.ID}, uint64(1)}, []any{p.Devices, p.Reports})
	x, err := d.client(0).ErasePerson(d.ctx(), member, "his letter")
	require.NoError(t, err)
	require.True(t, x.Agreed, "the answer comes when it is done, if it is little")
	d.start(2)

	words := []string{"broken his knee", "ward 7", his.ID}
	for i := range 3 {
		d.eventually("every node has forgotten it", func() bool { all := d.reported(i); return len(all) == 1 && all[0].Device == hers.ID })
		var export, backup bytes.Buffer
		require.NoError(t, d.client(i).ExportAudit(d.ctx(), &export, 0, 0))
		require.Contains(t, export.String(), x.Pseudonym)
		require.NoError(t, d.client(i).Backup(d.ctx(), func(int64) (io.Writer, error) { return &backup, nil }))
		for _, w := range words {
			require.NotContains(t, export.String(), w)
			require.NotContains(t, backup.String(), w)
		}
	}
}

// What was written down after the erasure brings nobody back, and what was written down before says so: who was in
// it is erased again.
func TestErase_ABackupOfAfterwardsBringsNobodyBack(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	his := d.enrol("phone", "tuen-mun/block-1", 1)[0]
	raw, err := reportText(contract.Report{ID: "0123456789abcdef", Kind: contract.ReportHazard, At: time.Now(), Text: "Chan of flat 12B has broken his knee", Photo: somePhoto(t)})
	require.NoError(t, err)
	d.reports(0, his, raw)
	d.eventually("it is listed", func() bool { return len(d.reported(0)) == 1 })
	before := d.backUp(0)
	x, err := d.client(0).ErasePerson(d.ctx(), his.ID, "his letter")
	require.NoError(t, err)
	require.True(t, x.Agreed)
	d.eventually("the photo is gone", func() bool { return len(d.reported(0)) == 0 })
	after := d.backUp(0)

	restored := d.restored(d.options(), folder.RestoreOptions{File: openBackup(t, after), Isolated: true})
	require.Empty(t, d.reported(restored))
	all, err := d.client(restored).ListErasures(d.ctx())
	require.NoError(t, err)
	require.Len(t, all.Erasures, 1)
	_, err = d.client(restored).ShowPerson(d.ctx(), his.ID)
	require.Error(t, err)
	d.stop(restored)
	require.NotContains(t, everyFile(t, d.opts[restored].Dir), "broken his knee")

	older := d.restored(d.options(), folder.RestoreOptions{File: openBackup(t, before), Isolated: true})
	require.Len(t, d.reported(older), 1, "nothing in it can know")
	x, err = d.client(older).ErasePerson(d.ctx(), his.ID, "his letter, again")
	require.NoError(t, err)
	require.True(t, x.Agreed)
	d.eventually("it is gone again", func() bool { return len(d.reported(older)) == 0 })
	var export bytes.Buffer
	require.NoError(t, d.client(older).ExportAudit(d.ctx(), &export, 0, 0))
	verified, err := audit.Verify(bytes.NewReader(export.Bytes()))
	require.NoError(t, err)
	require.True(t, verified.OK(), verified.Problem)
	require.NotContains(t, export.String(), his.ID)
}

// everyFile is all that the files below a folder hold.
func everyFile(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		out.Write(raw)
		return err
	}))
	return out.String()
}

// Whoever may import members has nothing taken out of the audit by a name or an address that stands for something else.
func TestAttack_ErasingAPersonTakesNothingOutOfWhatOthersDid(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("evidence")
	require.NoError(t, d.client(0).PutScenario(d.ctx(), prepared("evacuate-now", "place under "+here.Path)))
	d.user(wire.AddUser{Name: "centre", Roles: []string{"composer"}, Senders: []string{"centre@example.org"}, System: true})
	put := func(name, address string) {
		csv := fmt.Sprintf("id,name,kind,place,endpoints\nr-chan,%s,phone,%s,sms:%s\n", name, here.Block, address)
		in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
		require.NoError(t, err)
		require.True(t, in.Applied, "%v", in.Faults)
	}
	put("Chan Tai Man", "85291234567")
	out, err := d.client(0).SendAlert(d.ctx(), byJSON("false alarm", "place under "+here.Path), "committed")
	require.NoError(t, err)
	for _, word := range []string{out.Alert, "by centre", here.Path, "evacuate-now", "centre@example.org", strings.ToUpper(here.Block)} {
		put("Chan Tai Man", word)
		_, err := d.client(0).ErasePerson(d.ctx(), "r-chan", "his letter")
		require.ErrorContains(t, err, "would be taken out of what others did", word)
	}
	put(out.Alert, "85291234567")
	_, err = d.client(0).ErasePerson(d.ctx(), "r-chan", "his letter")
	require.ErrorContains(t, err, "would be taken out of what others did")
	put("Chan Tai Man", "85291234567")
	_, err = d.client(0).ErasePerson(d.ctx(), "r-chan", "his letter")
	require.NoError(t, err)
	var export bytes.Buffer
	require.NoError(t, d.client(0).ExportAudit(d.ctx(), &export, 0, 0))
	require.Contains(t, export.String(), out.Alert)
}
