package node_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/backup"
	"almenara/node/folder"
	"almenara/node/wire"
)

// backUp saves a backup of node i.
func (d *district) backUp(i int) string {
	d.t.Helper()
	name := filepath.Join(d.t.TempDir(), "district.backup")
	_, _, err := backup.Save(name, func(to func(int64) (io.Writer, error)) error {
		return d.client(i).Backup(d.ctx(), to)
	}, nil)
	require.NoError(d.t, err)
	return name
}

func openBackup(t *testing.T, name string) *backup.File {
	t.Helper()
	raw, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	info, err := raw.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	f, err := backup.Open(raw, info.Size(), nil)
	require.NoError(t, err)
	return f
}

func TestRestore_BeginsTheDistrictAnew(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	f := d.fleet(d.enrol("screen", "tuen-mun/block-1", 2)...)
	before, err := d.client(0).SendAlert(d.ctx(), byJSON("before the backup", "all"), "committed")
	require.NoError(t, err)
	f.proven(revisionOf(before), 2)
	photo, err := reportText(contract.Report{ID: "before-the-backup", Kind: contract.ReportHazard, Photo: somePhoto(t)})
	require.NoError(t, err)
	d.reports(0, d.enrol("phone", "tuen-mun/block-1", 1)[0], photo)
	follower := d.follower()
	d.eventually("the follower has the photo", func() bool {
		all := d.reported(follower)
		if len(all) != 1 {
			return false
		}
		_, err := d.client(follower).ReportPhoto(d.ctx(), all[0].ID)
		return err == nil
	})
	name := d.backUp(follower)
	text, report := d.audit(0)
	_, err = d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "after-the-backup", Roles: []string{"viewer"}})
	require.NoError(t, err)
	d.kill(0)
	d.kill(1)

	o := d.options()
	o.MQTT = d.opts[0].MQTT // the devices know it
	saved := openBackup(t, name)
	require.NotZero(t, saved.Audit)
	require.LessOrEqual(t, saved.Audit, report.To)
	made, err := folder.Restore(d.ctx(), folder.RestoreOptions{Dir: o.Dir, Addresses: o.Addresses(), File: saved})
	require.NoError(t, err)
	require.EqualValues(t, 2, made.Incarnation)
	_, err = folder.Restore(d.ctx(), folder.RestoreOptions{Dir: o.Dir, Addresses: o.Addresses(), File: saved})
	require.ErrorIs(t, err, folder.ErrNotEmpty)

	d.opts, d.nodes = append(d.opts, o), append(d.nodes, nil)
	d.start(2)
	t.Cleanup(func() { d.kill(2) })
	d.awaitOn(2, func(s wire.Status) bool { return s.Ready && s.Incarnation == 2 })
	d.audited("district put", "restore on "+made.Node, "incarnation 2")
	after, _ := d.audit(2)
	require.Contains(t, after, text[len(text)/4:len(text)/3], "the chain goes on")
	require.NotContains(t, after, "after-the-backup")
	_, err = d.client(2).ReportPhoto(d.ctx(), d.reported(2)[0].ID)
	require.NoError(t, err, "the photos of reports are in a backup")
	again, err := d.client(2).SendAlert(d.ctx(), byJSON("after the restore", "all"), "committed")
	require.NoError(t, err)
	f.proven(revisionOf(again), 2) // devices believe the new node's key: the root signed it

	d.start(1) // an old node finds itself out, though the restored one is not on its record
	d.awaitOn(1, func(s wire.Status) bool { return s.Quarantined })
}

func TestBackupFolder_OfANodeThatIsDown(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	_, _, err := folder.BackupFolder(d.opts[0].Dir, "test", slog.New(slog.DiscardHandler))
	require.Error(t, err, "it runs")
	d.stop(0)
	name := filepath.Join(t.TempDir(), "district.backup")
	fill := func(to func(int64) (io.Writer, error)) error {
		r, size, err := folder.BackupFolder(d.opts[0].Dir, "test", slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer r.Close()
		w, err := to(size)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return err
	}
	_, _, err = backup.Save(name, fill, nil)
	require.NoError(t, err)
	require.Equal(t, "tuen-mun", openBackup(t, name).Name)
	_, _, err = backup.Save(name, fill, nil)
	require.ErrorIs(t, err, backup.ErrExists)
}
