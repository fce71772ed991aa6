package outcome

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/internode"
	"almenara/cluster/raftlog"
)

// What a node answers for another is what that one's caller gets: nothing that happened or
// may have happened comes back as "nothing happened", and the other way round.
func TestOfAnswer_IsWhatWasWritten(t *testing.T) {
	nothing := []error{ErrNoLeader, ErrBusy, ErrStopped, ErrRefused, ErrNotUpgraded, ErrNotMember, ErrQuarantined, ErrTryAgain, raftlog.ErrDiskFull, internode.ErrTooLarge}
	comesBack := map[error]error{ // as what another node may do
		ErrStopped: ErrTryAgain, ErrNoLeader: ErrTryAgain, ErrQuarantined: ErrTryAgain, ErrNotUpgraded: ErrUnknownOutcome,
	}
	for _, err := range append(nothing, ErrUnknownOutcome, errors.New("anything else")) {
		w := httptest.NewRecorder()
		Write(w, fmt.Errorf("on the leader: %w", err))
		got := OfAnswer(&internode.CallError{Peer: "n2", Status: w.Code, Text: w.Body.String()})
		want, other := comesBack[err]
		if !other {
			want = err
		}
		if err.Error() == "anything else" {
			want = ErrUnknownOutcome
		}
		require.ErrorIs(t, got, want, "%v", err)
	}

	w := httptest.NewRecorder()
	Write(w, &NotUpgradedError{Version: 7, Nodes: []string{"a", "b"}})
	var old *NotUpgradedError
	require.ErrorAs(t, OfAnswer(&internode.CallError{Status: w.Code, Text: w.Body.String()}), &old)
	require.Equal(t, NotUpgradedError{7, []string{"a", "b"}}, *old)

	w = httptest.NewRecorder()
	Write(w, &CommandError{Text: "the place is not known"})
	var command *CommandError
	require.ErrorAs(t, OfAnswer(&internode.CallError{Status: w.Code, Text: w.Body.String()}), &command)
	require.Equal(t, "the place is not known", command.Text)
}

func TestOfRaft_SaysNothingHappenedOnlyWhereThatIsCertain(t *testing.T) {
	require.ErrorIs(t, OfRaft(raft.ErrNotLeader), ErrTryAgain)
	require.ErrorIs(t, OfRaft(raft.ErrLeadershipTransferInProgress), ErrTryAgain)
	require.ErrorIs(t, OfRaft(raft.ErrEnqueueTimeout), ErrBusy)
	for _, err := range []error{raft.ErrLeadershipLost, raft.ErrRaftShutdown, raft.ErrAbortedByRestore, errors.New("a new error")} {
		require.ErrorIs(t, OfRaft(err), ErrUnknownOutcome)
	}
}
