// Package nodes applies the commands about the district's nodes: their records, who may join, the key ring
// and the district's own record. What a command does follows from the records, the command and its time
// alone. It may import nothing of ours but command and storage.
package nodes

import (
	"fmt"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// Entry is where a command stands in the log.
type Entry struct {
	Txn   *storage.Txn
	At    int64 // ms since 1970, of the command
	Actor string
}

// Apply applies the payload if it is one of these commands; else known is false. The summary is for
// the audit. An error is one of the store.
func (e Entry) Apply(payload command.Payload) (r command.Result, summary string, known bool, err error) {
	switch p := payload.(type) {
	case *command.PutNode:
		r, summary, err = e.putNode(p)
	case *command.RemoveNode:
		r, summary, err = e.removeNode(p)
	case *command.PutJoinToken:
		r, summary, err = e.putJoinToken(p)
	case *command.UseJoinToken:
		r, summary, err = e.useJoinToken(p)
	case *command.PutKeyRing:
		r, summary, err = e.putKeyRing(p)
	case *command.PutDistrict:
		r, summary, err = e.putDistrict(p)
	default:
		return r, "", false, nil
	}
	return r, summary, true, err
}

// refuse is the answer to a command that changed nothing.
func refuse(kind command.Kind, code, format string, args ...any) (command.Result, string, error) {
	return command.Refuse(kind, code, format, args...), "", nil
}

// done is the answer to a command that was applied.
func done(format string, args ...any) (command.Result, string, error) {
	return command.OK(nil), fmt.Sprintf(format, args...), nil
}

// failed passes on a storage error.
func failed(err error) (command.Result, string, error) { return command.Result{}, "", err }

func (e Entry) putNode(p *command.PutNode) (command.Result, string, error) {
	old, ok, err := noderecord.Nodes.Get(e.Txn, p.Node.ID)
	if err != nil {
		return failed(err)
	}
	if ok && old.Removed {
		return refuse(command.KindConflict, "node-removed", "node %q was removed and cannot come back under its id", p.Node.ID)
	}
	if err := noderecord.Nodes.Put(e.Txn, p.Node); err != nil {
		return failed(err)
	}
	return done("%s, name %s, key %s", p.Node.ID, p.Node.Name, p.Node.KeyID)
}

func (e Entry) removeNode(p *command.RemoveNode) (command.Result, string, error) {
	n, ok, err := noderecord.Nodes.Get(e.Txn, p.ID)
	if err != nil {
		return failed(err)
	}
	if !ok {
		return refuse(command.KindNotFound, "node-none", "node %q does not exist", p.ID)
	}
	n.Removed = true
	if err := noderecord.Nodes.Put(e.Txn, n); err != nil {
		return failed(err)
	}
	return done("%s", p.ID)
}

func (e Entry) putJoinToken(p *command.PutJoinToken) (command.Result, string, error) {
	_, known, err := noderecord.JoinTokens.Get(e.Txn, p.Hash)
	if err != nil {
		return failed(err)
	}
	if known {
		return refuse(command.KindConflict, "token-there", "the join token exists already")
	}
	err = noderecord.JoinTokens.Put(e.Txn, noderecord.JoinToken{Hash: p.Hash, Expires: p.Expires, By: e.Actor})
	if err != nil {
		return failed(err)
	}
	return done("%x, expires %d", p.Hash[:4], p.Expires)
}

// useJoinToken succeeds for one node only; that node may repeat it.
func (e Entry) useJoinToken(p *command.UseJoinToken) (command.Result, string, error) {
	j, ok, err := noderecord.JoinTokens.Get(e.Txn, p.Hash)
	switch {
	case err != nil:
		return failed(err)
	case !ok:
		return refuse(command.KindNotFound, "token-none", "the join token is not known")
	case j.UsedBy == p.NodeID:
		return done("%x by %s again", p.Hash[:4], p.NodeID)
	case j.UsedBy != "":
		return refuse(command.KindConflict, "token-used", "the join token was used")
	case e.At >= j.Expires:
		return refuse(command.KindExpired, "token-expired", "the join token has expired")
	}
	j.UsedBy, j.UsedAt = p.NodeID, e.At
	if err := noderecord.JoinTokens.Put(e.Txn, j); err != nil {
		return failed(err)
	}
	return done("%x by %s", p.Hash[:4], p.NodeID)
}

func (e Entry) putKeyRing(p *command.PutKeyRing) (command.Result, string, error) {
	if err := noderecord.KeyRingRecord.Put(e.Txn, p.KeyRing); err != nil {
		return failed(err)
	}
	return done("%d keys", len(p.KeyRing.Keys))
}

func (e Entry) putDistrict(p *command.PutDistrict) (command.Result, string, error) {
	old, _, err := noderecord.DistrictRecord.Get(e.Txn)
	if err != nil {
		return failed(err)
	}
	if p.District.Incarnation < old.Incarnation {
		return refuse(command.KindConflict, "incarnation-before", "incarnation %d is before %d", p.District.Incarnation, old.Incarnation)
	}
	if err := noderecord.DistrictRecord.Put(e.Txn, p.District); err != nil {
		return failed(err)
	}
	return done("%s, incarnation %d", p.District.ID, p.District.Incarnation)
}
