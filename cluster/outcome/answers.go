package outcome

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/raft"

	"almenara/cluster/internode"
	"almenara/cluster/raftlog"
)

// OfRaft sorts raft's errors into "nothing happened" and "unknown".
func OfRaft(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return fmt.Errorf("%w: %w", ErrTryAgain, err) // refused before it was appended
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", ErrBusy, err) // never entered raft's queue
	default: // leadership lost, shutdown, aborted by restore
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
	}
}

// Response is what the state machine answered to a committed command.
func Response(r any) ([]byte, error) {
	switch r := r.(type) {
	case nil:
		return nil, nil
	case []byte:
		return r, nil
	case error:
		return nil, &CommandError{Text: r.Error(), cause: r}
	default:
		return nil, &CommandError{Text: fmt.Sprintf("state machine answers %T", r)}
	}
}

// Statuses with which a node answers another's forwarded request.
const (
	statusNotLeader = http.StatusMisdirectedRequest  // 421: nothing happened, ask another
	statusFull      = http.StatusInsufficientStorage // 507: nothing happened
	StatusBusy      = http.StatusServiceUnavailable  // 503: nothing happened
	statusCommand   = http.StatusUnprocessableEntity
	statusUnknown   = http.StatusGatewayTimeout // 504: outcome unknown
	statusTooLarge  = http.StatusRequestEntityTooLarge
	statusRefused   = http.StatusForbidden
	statusNoMember  = http.StatusNotFound
	statusOld       = http.StatusUpgradeRequired // 426: nothing happened, a member is too old
)

// OfAnswer is the error that another node answered a forwarded request with. It reads what
// Write wrote.
func OfAnswer(answer *internode.CallError) error {
	switch answer.Status {
	case statusNotLeader, http.StatusGone: // Gone: the leader does not know us yet
		return fmt.Errorf("%w: %w", ErrTryAgain, answer)
	case statusFull:
		return fmt.Errorf("%w: %w", raftlog.ErrDiskFull, answer)
	case StatusBusy:
		return fmt.Errorf("%w: %w", ErrBusy, answer)
	case statusTooLarge:
		return fmt.Errorf("%w: %w", internode.ErrTooLarge, answer)
	case statusCommand:
		return &CommandError{Text: answer.Text}
	case statusRefused:
		return fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(answer.Text, ErrRefused.Error()+": "))
	case statusOld:
		return readOld(answer.Text)
	case statusNoMember:
		return fmt.Errorf("%w: %s", ErrNotMember, answer.Text)
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, answer)
	}
}

// Write answers a forwarded request with err.
func Write(w http.ResponseWriter, err error) {
	status := statusUnknown
	var command *CommandError
	text := err.Error()
	old, isOld := asOld(err)
	switch {
	case isOld:
		status, text = statusOld, old
	case errors.Is(err, ErrRefused): // also for a reason that the state machine gave
		status = statusRefused
	case errors.As(err, &command):
		status, text = statusCommand, command.Error()
	case errors.Is(err, ErrTryAgain), errors.Is(err, ErrStopped), errors.Is(err, ErrNoLeader), errors.Is(err, ErrQuarantined):
		status = statusNotLeader
	case errors.Is(err, raftlog.ErrDiskFull):
		status = statusFull
	case errors.Is(err, ErrBusy):
		status = StatusBusy
	case errors.Is(err, internode.ErrTooLarge):
		status = statusTooLarge
	case errors.Is(err, ErrNotMember):
		status = statusNoMember
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// asOld writes the error for the node that forwarded a command, and readOld reads it.
func asOld(err error) (text string, ok bool) {
	var old *NotUpgradedError
	if !errors.As(err, &old) {
		return "", false
	}
	return strconv.FormatUint(old.Version, 10) + " " + strings.Join(old.Nodes, " "), true
}

func readOld(text string) error {
	parts := strings.Fields(text)
	if len(parts) < 2 {
		return ErrNotUpgraded
	}
	version, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return ErrNotUpgraded
	}
	return &NotUpgradedError{Version: version, Nodes: parts[1:]}
}
