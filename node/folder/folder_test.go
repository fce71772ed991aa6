package folder

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/recovery"
	"almenara/node/access"
	"almenara/node/folder/voters"
	"almenara/node/reachable"
	"almenara/node/secret"
	"almenara/storage"
)

var here = reachable.Addresses{Name: "box", Internode: "127.0.0.1:7480", API: "http://127.0.0.1:8480"}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestCreate_MakesAFolderOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	token, err := Create(dir, here, "tuen-mun")
	require.NoError(t, err)
	s, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, here, s.Addresses)
	require.True(t, secret.Is(token, s.Genesis.TokenHash))
	id, err := identity.Load(IdentityDir(dir))
	require.NoError(t, err)
	told, err := access.Read(dir)
	require.NoError(t, err)
	require.Equal(t, access.Access{Token: token, URL: here.API, Authority: access.PEM(id.District.CA.Raw)}, told)
	_, err = Create(dir, here, "tuen-mun")
	require.ErrorIs(t, err, ErrNotEmpty)
	for name, a := range map[string]reachable.Addresses{
		"tokens in the clear": {API: "http://0.0.0.0:8480"}, "no port": {MQTT: "127.0.0.1"},
	} {
		_, err := Create(filepath.Join(t.TempDir(), "data"), a, "tuen-mun")
		require.ErrorIs(t, err, reachable.ErrOptions, name)
	}
	_, err = Create("", here, "tuen-mun")
	require.ErrorIs(t, err, reachable.ErrOptions)
}

func TestSettings_WhatIsSaidNowWins(t *testing.T) {
	s := Settings{Addresses: here, Replaces: []string{"old"}}
	require.Equal(t, s, s.With(reachable.Addresses{}))
	require.False(t, s.Said(here))
	now := s.With(reachable.Addresses{API: "https://0.0.0.0:1"})
	require.Equal(t, "https://0.0.0.0:1", now.API)
	require.Equal(t, here.Name, now.Name)
	require.True(t, s.Said(reachable.Addresses{API: "https://0.0.0.0:1"}))
	require.ErrorIs(t, now.CheckReached(), reachable.ErrOptions, "nobody can be told 0.0.0.0")
	guessed, address := now.Guessed()
	require.NoError(t, guessed.CheckReached())
	require.NotEmpty(t, address)
}

func TestCheckMarks_NamesTheCommandThatWasInterrupted(t *testing.T) {
	for file, command := range map[string]string{recoveringFile: "recover", rejoiningFile: "rejoin", restoringFile: "restore"} {
		dir := t.TempDir()
		require.NoError(t, CheckMarks(dir))
		require.NoError(t, leaveMark(dir, file, "x"))
		err := CheckMarks(dir)
		require.ErrorIs(t, err, ErrRecovering)
		require.ErrorContains(t, err, "almenara "+command)
		require.NoError(t, endMark(dir, file))
		require.NoError(t, CheckMarks(dir))
	}
}

// An identity that has taken part and lost its log could vote twice.
func TestCheckBegun_RefusesAnIdentityWithoutItsLog(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, CheckBegun(dir, "n"))
	require.NoError(t, MarkBegun(dir, "n"), "there is nothing to mark yet")
	require.NoError(t, os.MkdirAll(IdentityDir(dir), 0o700))
	require.NoError(t, leaveMark(IdentityDir(dir), begunFile, "n\n"))
	err := CheckBegun(dir, "n")
	require.ErrorIs(t, err, marks.ErrAmnesia)
	require.ErrorContains(t, ComeBack(err), "almenara rejoin")
}

func TestDamaged_MarksTheFolderAndSaysWhatToDo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, err := Create(dir, here, "tuen-mun")
	require.NoError(t, err)
	id, err := identity.Load(IdentityDir(dir))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(RaftDir(dir), 0o700))
	err = Damaged(dir, id.District, time.Now(), storage.ErrDamaged, quiet())
	require.ErrorIs(t, err, storage.ErrDamaged)
	require.ErrorContains(t, err, "almenara rejoin")
	q, err := marks.LoadQuarantine(RaftDir(dir), id.District)
	require.NoError(t, err)
	require.Equal(t, marks.CauseState, q.Cause)
}

func TestOpenRecovery_NeedsAState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, err := OpenRecovery(t.Context(), dir, quiet())
	require.ErrorContains(t, err, "run init or join first")
	_, err = Create(dir, here, "tuen-mun")
	require.NoError(t, err)
	_, err = OpenRecovery(t.Context(), dir, quiet())
	require.ErrorIs(t, err, recovery.ErrNothing)
	_, _, err = BackupFolder(dir, "test", quiet())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestQuorumLives_CountsWhoCouldAgreeWithoutUs(t *testing.T) {
	answers, silent := voters.Voter{Answers: true}, voters.Voter{}
	ill := voters.Voter{Answers: true, Standing: internode.StandingQuarantined}
	agrees := voters.Voter{Standing: internode.StandingAgrees}
	for _, row := range []struct {
		name   string
		voters []voters.Voter
		lives  bool
	}{
		{"no others", nil, false}, {"one of two others answers", []voters.Voter{answers, silent}, true}, {"none answers", []voters.Voter{silent, silent}, false},
		{"who answers is quarantined", []voters.Voter{ill, silent}, false}, {"one agrees with somebody", []voters.Voter{agrees, silent, silent, silent}, true},
	} {
		require.Equal(t, row.lives, voters.QuorumLives(row.voters, 1), row.name)
	}
}

func TestJoin_NeedsAnAddressThatOthersReach(t *testing.T) {
	a := here
	a.Internode = "127.0.0.1:0"
	require.Error(t, Join(context.Background(), filepath.Join(t.TempDir(), "data"), a, "no token", 3))
}

// The names are on the disks of all nodes.
func TestDirs_AreWhereTheyWere(t *testing.T) {
	require.Equal(t, []string{"d/state", "d/journal", "d/raft", "d/identity"}, []string{StateDir("d"), JournalDir("d"), RaftDir("d"), IdentityDir("d")})
}
