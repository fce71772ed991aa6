package notices_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/wire"
	body "almenara/node/wire/notices"
	"almenara/storage"
	"almenara/storage/notice"
)

// Whoever comments until nothing more fits keeps nobody from passing a notice on, from withdrawing it, or from
// having on record that it went out.
func TestAttack_CommentsKeepNoNoticeFromItsEnd(t *testing.T) {
	for name, text := range map[string]string{"many": "x", "long": strings.Repeat("𠮷", 500)} {
		for end, do := range map[string]func(*office, string){
			"sent": func(o *office, id string) {
				o.must(ben, id, allTicked)
				o.must(chief, id, passOn)
				require.NoError(t, o.Release(t.Context()))
			},
			"withdrawn": func(o *office, id string) { o.must(ben, id, body.ActOnNotice{Do: body.DoWithdraw, Text: text}) },
		} {
			o := newOffice(t, levels())
			n := o.draft(free("The water is contaminated"))
			for i := 0; ; i++ {
				_, err := o.act(ben, n, body.ActOnNotice{Do: body.DoComment, Text: text})
				if err != nil {
					problem(t, err, wire.KindRefused, "as much was done")
					break
				}
				require.Less(t, i, notice.MaxActs)
			}
			do(o, n.ID)
			require.Equal(t, end, string(o.show(n.ID).Standing), name)
		}
	}
}

// However often a notice is sent back and written anew, it can be withdrawn.
func TestAttack_ANoticeThatIsFullCanBeWithdrawn(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("0"))
	text := strings.Repeat("𠮷", 500)
	for i := range notice.MaxActs {
		if _, err := o.act(ben, o.show(n.ID), body.ActOnNotice{Do: body.DoBack, Text: text}); err != nil {
			problem(t, err, wire.KindRefused, "as much was done")
			break
		}
		in := free(fmt.Sprint(i + 1))
		in.Why, in.Version = text, o.show(n.ID).Version
		if _, err := o.ReviseNotice(t.Context(), amy, n.ID, in); err != nil {
			problem(t, err, wire.KindRefused, "")
			break
		}
	}
	require.Equal(t, body.Withdrawn, o.must(amy, n.ID, body.ActOnNotice{Do: body.DoWithdraw, Text: text}).Standing)
}

// Who is limited to other places says nothing about a notice, as they pass none on.
func TestAttack_WhoIsLimitedElsewhereCommentsNothing(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("No water"))
	_, err := o.act(there1, n, body.ActOnNotice{Do: body.DoComment, Text: "?"})
	problem(t, err, wire.KindForbidden, "outside d/there")
	o.must(amy, n.ID, body.ActOnNotice{Do: body.DoComment, Text: "mine"})
}

// One author fills their own share: the notices of others have room.
func TestAttack_OneAuthorTakesNoRoomOfOthers(t *testing.T) {
	o := newOffice(t, levels())
	n := 0
	for ; n < notice.MaxOpen; n++ {
		if _, err := o.DraftNotice(t.Context(), amy, free(fmt.Sprint(n))); err != nil {
			problem(t, err, wire.KindOverBudget, "notices of amy are open")
			break
		}
	}
	require.Less(t, n, notice.MaxOpen/2)
	other, err := o.DraftNotice(t.Context(), ben, free("mine"))
	require.NoError(t, err)
	o.must(amy, other.ID, body.ActOnNotice{Do: body.DoWithdraw})
	first := o.open()[0]
	o.must(amy, first, body.ActOnNotice{Do: body.DoWithdraw})
	_, err = o.DraftNotice(t.Context(), amy, free("another one"))
	require.NoError(t, err, "one was withdrawn")
}

func (o *office) open() (ids []string) {
	all, err := o.ListNotices(o.t.Context(), false)
	require.NoError(o.t, err)
	for _, n := range all {
		ids = append(ids, n.ID)
	}
	return ids
}

// A notice that is on record as withdrawn went out to nobody: whoever withdraws it while it goes out is told so.
func TestAttack_NothingIsWithdrawnThatGoesOut(t *testing.T) {
	o := newOffice(t, levels())
	n := o.locked(free("No water"))
	withdraw := func() error {
		_, err := o.act(chief, o.show(n.ID), body.ActOnNotice{Do: body.DoWithdraw, Text: "no"})
		return err
	}
	o.sending = func() { problem(t, withdraw(), wire.KindConflict, "goes out at this moment, as the alert") }
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, []any{body.Sent, 1}, []any{o.show(n.ID).Standing, len(o.sent)})

	n, o.sending = o.locked(free("No gas")), nil
	o.before = func() { require.NoError(t, withdraw()) } // before it is on record that it goes out
	require.Error(t, o.Release(t.Context()))
	require.Equal(t, []any{body.Withdrawn, 1}, []any{o.show(n.ID).Standing, len(o.sent)}, "it was sent by nobody")

	n = o.locked(free("No power"))
	o.sending = func() { o.refuse = wire.Problemf(wire.KindOverBudget, "wait") }
	o.late = func() error { return o.refuse }
	require.Error(t, o.Release(t.Context()))
	require.Empty(t, o.show(n.ID).Alert, "it is no alert")
	require.NoError(t, withdraw(), "what could not be sent just now can be withdrawn")
	o.late, o.refuse, o.sending = nil, nil, nil
	o.now = o.now.Add(time.Hour)
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, body.Withdrawn, o.show(n.ID).Standing)
}

// A leader that is lost while it sends is followed by one that sends the same, and until then nobody withdraws it.
func TestRelease_GoesOnWhereALeaderWasLost(t *testing.T) {
	o := newOffice(t, levels())
	n := o.locked(free("No water"))
	o.sending = func() { o.log.Refuse = wire.Problemf(wire.KindNoQuorum, "lost") }
	require.Error(t, o.Release(t.Context()))
	o.log.Refuse, o.sending = nil, nil
	_, err := o.act(chief, o.show(n.ID), body.ActOnNotice{Do: body.DoWithdraw, Text: "no"})
	problem(t, err, wire.KindConflict, "cancel that alert")
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, string(o.sent[0].Alert), string(o.sent[1].Alert))
	require.Equal(t, body.Sent, o.show(n.ID).Standing)
}

// begun is a notice of a leader that was lost once it was sent, and the id of the alert that it is to be.
func (o *office) begun(headline string) (n body.Notice, id string) {
	o.t.Helper()
	n = o.locked(free(headline))
	o.sending = func() { o.log.Refuse = wire.Problemf(wire.KindNoQuorum, "lost") }
	require.Error(o.t, o.Release(o.t.Context()))
	o.log.Refuse, o.sending = nil, nil
	rec, _, _, err := o.log.State.Notice(n.ID)
	require.NoError(o.t, err)
	require.NotEmpty(o.t, rec.Alert)
	return n, rec.Alert
}

func (o *office) revoke(name string) {
	o.t.Helper()
	_, err := o.log.Propose(o.t.Context(), "root", &command.RevokeUser{Name: name})
	require.NoError(o.t, err)
}

// What is out is on record as sent, also where its author was revoked before the next leader looked.
func TestAttack_WhatIsOutIsRecordedAsOut(t *testing.T) {
	o := newOffice(t, levels())
	n, id := o.begun("No water")
	o.known[id] = true
	o.revoke("amy")
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, []any{body.Sent, id, 1}, []any{o.show(n.ID).Standing, o.show(n.ID).Alert, len(o.sent)})
	require.Contains(t, o.approved[0], "ben "+id, "those who passed it on stand by it")
}

// What the lost leader had sent may come to be known late: the record follows.
func TestAttack_WhatTurnsOutToBeOutIsRecordedAsOut(t *testing.T) {
	o := newOffice(t, levels())
	n, id := o.begun("No water")
	o.revoke("amy")
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, []any{body.Failed, id}, []any{o.show(n.ID).Standing, o.show(n.ID).Alert})
	require.NoError(t, o.Release(t.Context()))
	in := free("No water, again")
	in.Why, in.Version = "again", 1
	_, err := o.ReviseNotice(t.Context(), amy, n.ID, in)
	problem(t, err, wire.KindRefused, "may have sent the notice, as the alert "+id)
	o.known[id] = true
	_, err = o.act(chief, o.show(n.ID), body.ActOnNotice{Do: body.DoWithdraw, Text: "no"})
	problem(t, err, wire.KindConflict, "cancel that alert")
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, []any{body.Sent, id, 1}, []any{o.show(n.ID).Standing, o.show(n.ID).Alert, len(o.sent)})
}

// A notice that was begun under one CAP sender does not go out under another one besides.
func TestAttack_ANoticeIsNotTwoAlerts(t *testing.T) {
	o := newOffice(t, levels())
	n, id := o.begun("No water")
	o.revoke("amy")
	_, err := o.log.Propose(t.Context(), "root", &command.PutUser{User: storage.User{Name: "amy", Roles: amy.Roles, Senders: []string{"amy@example.hk"}, TokenHash: bytes.Repeat([]byte{77}, 32)}})
	require.NoError(t, err)
	require.NoError(t, o.Release(t.Context()))
	require.Len(t, o.sent, 1)
	require.Equal(t, []any{body.Failed, id}, []any{o.show(n.ID).Standing, o.show(n.ID).Alert})
	_, err = o.act(chief, o.show(n.ID), body.ActOnNotice{Do: body.DoWithdraw, Text: "no"})
	require.NoError(t, err, "nobody knows of it")
}

// Two persons are two names: whoever wrote a version passes it on at no level, whatever roles they have.
func TestAttack_NoOneStandsTwiceByANotice(t *testing.T) {
	o := newOffice(t, levels())
	both := authority.Caller{Name: "root", Roles: []string{authority.RoleComposer, authority.RoleApprover, authority.RoleAdministrator}}
	n, err := o.DraftNotice(t.Context(), both, free("No water"))
	require.NoError(t, err)
	_, err = o.act(both, n, allTicked)
	problem(t, err, wire.KindForbidden, "root wrote this notice")
	n = o.must(ben, n.ID, allTicked)
	_, err = o.act(both, n, passOn)
	problem(t, err, wire.KindForbidden, "root wrote this notice")
	require.Equal(t, body.Locked, o.must(chief, n.ID, passOn).Standing)
}
