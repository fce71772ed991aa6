// Package notices applies the command about planned notices. What it does follows from the records, the
// command and its time alone. It may import nothing of ours but command and storage.
package notices

import (
	"bytes"
	"fmt"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/notice"
)

// states are the states in the audit.
var states = map[notice.State]string{
	notice.Waiting: "waits", notice.SentBack: "sent back", notice.Locked: "locked", notice.Sent: "sent", notice.Withdrawn: "withdrawn", notice.Failed: "could not go out",
}

// deeds are what was done, in the audit.
var deeds = map[notice.Deed]string{
	notice.Wrote: "wrote a version", notice.Comment: "commented", notice.Pass: "passed it on", notice.SendBack: "sent it back",
	notice.Withdraw: "withdrew it", notice.GoOut: "it went out", notice.Fail: "it could not go out",
}

// Put applies the command, which is the entry at index, at a time in ms since 1970. sweep deletes what was over long
// before. The summary is for the audit. An error is one of the store.
func Put(t *storage.Txn, index uint64, at int64, sweep bool, p *command.PutNotice) (command.Result, string, error) {
	open, err := notice.OpenIDs.Value(t)
	if err != nil {
		return command.Result{}, "", err
	}
	old, _, err := notice.Notices.Get(t, p.Notice.ID)
	if err != nil {
		return command.Result{}, "", err
	}
	if r := refused(old, p, len(open)); r.Kind != command.KindNone {
		return r, "", nil
	}
	n := p.Notice
	n.Index = index
	if err := notice.Save(t, n, open); err != nil {
		return command.Result{}, "", err
	}
	if p.Version != nil {
		if err := notice.Versions.Put(t, *p.Version); err != nil {
			return command.Result{}, "", err
		}
	}
	if sweep { // later software removes what is old by commands of their own
		if _, _, err := notice.Sweep(t, notice.Kept(at)+1); err != nil {
			return command.Result{}, "", err
		}
	}
	return command.OK(nil), summary(n), nil
}

// refused says why the command changes nothing; its kind is KindNone where it changes something.
func refused(old notice.Notice, p *command.PutNotice, open int) command.Result {
	n := p.Notice
	switch {
	case old.Index != p.Was:
		return command.Refuse(command.KindConflict, "notice-meanwhile", "the notice %s was changed meanwhile; read it again", n.ID)
	case old.Index == 0 && p.Version == nil:
		return command.Refuse(command.KindInvalid, "notice-begins", "a notice begins with a version")
	case old.Index == 0 && open >= notice.MaxOpen:
		return command.Refuse(command.KindConflict, "notices-many", "%d notices are open, and no more may be; withdraw those that are not wanted any more", open)
	case old.Index == 0:
		return command.Result{}
	case old.State.Over():
		return command.Refuse(command.KindConflict, "notice-is-over", "the notice %s is over", n.ID)
	case n.Author != old.Author || n.Versions < old.Versions || (n.Versions > old.Versions) != (p.Version != nil):
		return command.Refuse(command.KindInvalid, "notice-keeps", "a notice keeps its author and its versions")
	case len(n.Acts) < len(old.Acts):
		return command.Refuse(command.KindInvalid, "notice-acts", "what was done about a notice stays on record")
	case old.State == notice.Locked && (p.Version != nil || !bytes.Equal(n.Digest, old.Digest) || n.State == notice.Waiting || n.State == notice.SentBack):
		return command.Refuse(command.KindConflict, "notice-locked", "the notice %s is locked: every level has passed it, and nobody changes it any more", n.ID)
	}
	return command.Result{}
}

// summary is the audit's line: what was done last, and what became of the notice. Who ticked what is on
// record by name.
func summary(n notice.Notice) string {
	text := fmt.Sprintf("%s, version %d, %s at level %d of %d", n.ID, n.Versions, states[n.State], min(int(n.Level)+1, len(n.Levels)), len(n.Levels))
	if len(n.Acts) > 0 {
		last := n.Acts[len(n.Acts)-1]
		text += fmt.Sprintf(": %s %s", last.By, deeds[last.Do])
		if len(last.Ticked)+len(last.Words) > 0 {
			text += fmt.Sprintf(", ticked %q %q", last.Ticked, last.Words)
		}
		if last.Text != "" {
			text += fmt.Sprintf(": %q", last.Text)
		}
	}
	if n.State == notice.Locked {
		text += fmt.Sprintf(", content %x", n.Digest)
	}
	if n.Alert != "" {
		text += ", alert " + n.Alert
	}
	return text
}
