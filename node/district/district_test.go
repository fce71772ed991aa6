package district_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/node/authority"
	"almenara/node/district"
	"almenara/node/folder"
	"almenara/node/records/recordstest"
	"almenara/storage"
)

func newDistrict(t *testing.T, name string, genesis *folder.Genesis) (*district.District, *recordstest.Log, *identity.Identity) {
	t.Helper()
	own, err := identity.NewDistrict(name)
	require.NoError(t, err)
	id, err := identity.New(own, []string{"127.0.0.1:8470"})
	require.NoError(t, err)
	log := recordstest.New(t, time.Now)
	return district.New(district.Options{
		Identity: id, Name: "n1", Genesis: genesis, Store: log.Store, Proposer: log, Logger: slog.New(slog.DiscardHandler),
	}), log, id
}

func TestBegin_IsOnceInTheDistrictsLife(t *testing.T) {
	d, log, id := newDistrict(t, "Tuen Mun, West", &folder.Genesis{Place: "tuen-mun", TokenHash: make([]byte, 32)})
	require.Empty(t, d.Record().ID)
	require.Equal(t, "Tuen Mun, West", d.Record().Name, "its name is known before its record")
	require.NoError(t, d.Begin(t.Context()))
	require.Equal(t, id.District.ID, d.Record().ID)
	places, users := 0, 0
	require.NoError(t, log.Store.View(func(txn *storage.Txn) error {
		all, err := storage.Users.All(txn)
		users = len(all)
		places = log.State.Index().Len()
		return err
	}))
	require.Equal(t, 1, users)
	require.Zero(t, places)
	done := log.Index()
	require.NoError(t, d.Begin(t.Context()))
	require.Equal(t, done, log.Index())

	later, log, _ := newDistrict(t, "elsewhere", nil)
	require.NoError(t, later.Begin(t.Context()))
	require.Zero(t, log.Index(), "another node began it")
}

func TestBegin_RecordsAnIncarnation(t *testing.T) {
	d, _, id := newDistrict(t, "tuen-mun", &folder.Genesis{Place: "tuen-mun", TokenHash: make([]byte, 32)})
	require.NoError(t, d.Begin(t.Context()))
	require.EqualValues(t, 1, d.Record().Incarnation)
	id.Incarnation = &identity.Incarnation{Number: 3, Why: identity.WhyRecover, By: "n1"}
	require.NoError(t, d.Begin(t.Context()))
	require.EqualValues(t, 3, d.Record().Incarnation)
}

func TestIsolated_IsTheRecordOfAnother(t *testing.T) {
	d, _, id := newDistrict(t, "tuen-mun", &folder.Genesis{Place: "tuen-mun", TokenHash: make([]byte, 32)})
	require.False(t, d.Isolated(), "nothing is on record")
	require.NoError(t, d.Begin(t.Context()))
	require.False(t, d.Isolated())
	require.Empty(t, d.Drill().Text)
	id.District.ID = "copied"
	require.True(t, d.Isolated())
	require.Contains(t, d.Drill().Text, "DRILL COPY")
}

func TestSender_IsOneWord(t *testing.T) {
	d, _, _ := newDistrict(t, "Tuen Mun, West", nil)
	require.Equal(t, "almenara.tuen-mun-west", d.Sender())
	require.Equal(t, "hko@example.org", d.SenderOf(authority.Caller{Senders: []string{"hko@example.org", "b"}}))
	require.Equal(t, d.Sender(), d.SenderOf(authority.Caller{}))
}
