// Package outcome says what can become of a command or a question to the district: the errors
// that callers may rely on, and their way over the network and back when a node forwards a
// request. It does nothing itself, and imports what carries calls between nodes but nothing
// that makes them.
package outcome

import (
	"errors"
	"fmt"
	"strings"
)

// What can become of a command or a question. Only ErrUnknownOutcome leaves open
// whether something happened.
var (
	// ErrNoLeader: no leader was found before the context ended. Nothing happened.
	ErrNoLeader = errors.New("district has no leader")
	// ErrBusy: too many commands are in flight, or the leader's disk is stalled.
	// Nothing happened; try again later.
	ErrBusy = errors.New("leader is busy")
	// ErrUnknownOutcome: the command was handed over, and then leadership or the
	// link was lost or time ran out. It may be committed, now or later: repeat it
	// with the same request id, never report it as failed.
	ErrUnknownOutcome = errors.New("outcome is unknown")
	// ErrStopped: the node is stopping or was removed. Nothing happened.
	ErrStopped = errors.New("node is stopped")
	// ErrRefused: the district refused to admit the node, for the reason in the text:
	// a token that is unknown, used or expired.
	ErrRefused = errors.New("refused")
	// ErrNotUpgraded: a member of the district is not known to understand the command's
	// version, or this node does not. Nothing happened. See NotUpgradedError.
	ErrNotUpgraded = errors.New("every node of the district must be upgraded first")
	// ErrNotMember: no node with this server id is in the raft configuration.
	ErrNotMember = errors.New("not a member of the district")
)

// ErrQuarantined is the answer to whatever needs the district's agreement on a node
// that has met a newer incarnation of it, or has found that its disk does not hold what it
// wrote. Nothing happened, and nothing will until the node joins anew.
var ErrQuarantined = errors.New("this node takes no part in the district's agreement any more")

// CommandError is the state machine's own error for a committed command. On a
// follower only its text has crossed the network; on the leader Unwrap gives the
// original.
type CommandError struct {
	Text  string
	cause error
}

// Error is the state machine's text.
func (e *CommandError) Error() string { return e.Text }

// Unwrap is the state machine's error where it is known.
func (e *CommandError) Unwrap() error { return e.cause }

// ErrRemoved is returned by Start for a node that learnt that it was removed from
// the district. Its box may join again, with a new data directory.
var ErrRemoved = errors.New("this node was removed from the district")

// ErrTryAgain says that nothing happened and another node, or this one a little
// later, may do it.
var ErrTryAgain = errors.New("not done here")

// NotUpgradedError names the members that are not known to understand a command. It
// is ErrNotUpgraded.
type NotUpgradedError struct {
	Version uint64   // of the command
	Nodes   []string // server ids, sorted
}

// Error says what is needed of whom.
func (e *NotUpgradedError) Error() string {
	verb := "is"
	if len(e.Nodes) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("%v to version %d; %s %s not", ErrNotUpgraded, e.Version, strings.Join(e.Nodes, ", "), verb)
}

// Is makes it ErrNotUpgraded.
func (e *NotUpgradedError) Is(target error) bool { return target == ErrNotUpgraded }
