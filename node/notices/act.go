package notices

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"almenara/node/authority"
	"almenara/node/levels"
	"almenara/node/scenario"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/notice"
)

const (
	mostText  = 500 // characters of a comment or a reason
	mostTitle = 80  // characters of a title in lists
)

// ActOnNotice implements service.Notices: a comment, passing on, sending back, withdrawing.
func (s *Notices) ActOnNotice(ctx context.Context, by authority.Caller, id string, in notices.ActOnNotice) (notices.Notice, error) {
	if err := authority.Door(by, authority.ReviewNotice); err != nil {
		return notices.Notice{}, err
	}
	do := map[string]func(*Notices, authority.Caller, *notice.Notice, []notice.Version, notices.ActOnNotice) error{
		notices.DoComment: (*Notices).comment, notices.DoPass: (*Notices).pass, notices.DoBack: (*Notices).back, notices.DoWithdraw: (*Notices).withdraw,
	}[in.Do]
	if do == nil {
		return notices.Notice{}, wire.Problemf(wire.KindMalformed, "nothing was done: do is comment, pass, back or withdraw").Because(why.FormWrong)
	}
	needed := in.Do == notices.DoComment || in.Do == notices.DoBack
	if bad := scenario.BadText(in.Text, mostText); bad != nil && (needed || in.Text != "") {
		return notices.Notice{}, wire.Problemf(wire.KindMalformed, "nothing was done: the text %s", bad).Because(why.NoticeText, mostText)
	}
	return s.change(ctx, by, id, func(n *notice.Notice, said []notice.Version) (*notice.Version, error) {
		if n.State.Over() {
			return nil, wire.Problemf(wire.KindRefused, "nothing was done: the notice is over; it was %s", stateOf(n.State)).Because(why.NoticeOver, inWords(n.State))
		}
		return nil, do(s, by, n, said, in)
	})
}

// act puts on record what the caller does.
func (s *Notices) act(n *notice.Notice, by authority.Caller, do notice.Deed, in notices.ActOnNotice) *notice.Act {
	n.Acts = append(n.Acts, notice.Act{Do: do, By: by.Name, At: s.o.Clock().UnixMilli(), Version: n.Versions, Level: n.Level, Text: in.Text})
	return &n.Acts[len(n.Acts)-1]
}

// stand moves the notice to a state.
func (s *Notices) stand(n *notice.Notice, state notice.State) {
	n.State, n.Since = state, s.o.Clock().UnixMilli()
}

func (s *Notices) comment(by authority.Caller, n *notice.Notice, said []notice.Version, in notices.ActOnNotice) error {
	if err := s.inside(by, said[len(said)-1]); err != nil && by.Name != n.Author {
		return err
	}
	if in.Language != "" {
		a, err := s.read(said[len(said)-1])
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(a.Infos, func(i alert.Info) bool { return languageOf(i) == in.Language }) {
			return wire.Problemf(wire.KindMalformed, "nothing was done: the notice has no text in %.40q", in.Language).Because(why.NoNoticeLanguage, in.Language)
		}
	}
	s.act(n, by, notice.Comment, in).Language = in.Language
	return nil
}

func (s *Notices) withdraw(by authority.Caller, n *notice.Notice, said []notice.Version, in notices.ActOnNotice) error {
	if err := s.inside(by, said[len(said)-1]); err != nil && by.Name != n.Author {
		return err
	}
	if n.State == notice.Locked && n.Alert != "" {
		return wire.Problemf(wire.KindConflict, "nothing was withdrawn: the notice %s goes out at this moment, as the alert %s; cancel that alert", n.ID, n.Alert).Because(why.NoticeGoesOut)
	}
	if n.State == notice.Failed && n.Alert != "" {
		if out, err := s.o.Known(n.Alert); err != nil || out {
			return cmp.Or(err, error(wire.Problemf(wire.KindConflict, "nothing was withdrawn: the notice %s went out, as the alert %s; cancel that alert", n.ID, n.Alert).Because(why.NoticeGoesOut)))
		}
	}
	s.act(n, by, notice.Withdraw, in)
	s.stand(n, notice.Withdrawn)
	return nil
}

func (s *Notices) back(by authority.Caller, n *notice.Notice, said []notice.Version, in notices.ActOnNotice) error {
	if err := s.atLevel(by, n, said, in); err != nil {
		return err
	}
	s.act(n, by, notice.SendBack, in)
	s.stand(n, notice.SentBack)
	return nil
}

func (s *Notices) pass(by authority.Caller, n *notice.Notice, said []notice.Version, in notices.ActOnNotice) error {
	if err := s.atLevel(by, n, said, in); err != nil {
		return err
	}
	level := n.Levels[n.Level]
	for _, line := range level.Checklist {
		if !slices.Contains(in.Ticked, line) {
			return wire.Problemf(wire.KindRefused, "nothing was passed on: level %d has the line %q, which must be ticked", n.Level+1, line).Because(why.LinesUnticked, line)
		}
	}
	found, err := s.found(n, said[len(said)-1])
	if err != nil {
		return err
	}
	var words []string
	for _, f := range found {
		if !f.Tick || f.Ticked != "" || slices.Contains(words, f.Word) {
			continue
		}
		if !slices.Contains(in.Words, f.Word) {
			return wire.Problemf(wire.KindRefused, "nothing was passed on: a text holds %q, which is a sensitive word here; tick that it may stand there, or send the notice back", f.Word).Because(why.LinesUnticked, f.Word)
		}
		words = append(words, f.Word)
	}
	act := s.act(n, by, notice.Pass, in)
	act.Ticked, act.Words = level.Checklist, words
	if len(n.Passed(n.Level)) < int(level.Count) {
		return nil
	}
	n.Level++
	s.stand(n, notice.Waiting)
	if int(n.Level) == len(n.Levels) {
		s.stand(n, notice.Locked)
		n.Digest = said[len(said)-1].Digest(n.At)
	}
	return nil
}

// atLevel refuses whoever may not pass the notice on, or send it back, where it waits: what was read must
// be what it says, at the level where it waits.
func (s *Notices) atLevel(by authority.Caller, n *notice.Notice, said []notice.Version, in notices.ActOnNotice) error {
	switch {
	case n.State != notice.Waiting:
		return wire.Problemf(wire.KindConflict, "nothing was done: the notice waits at no level; it is %s", stateOf(n.State)).Because(why.NoticeChanged)
	case in.Version != int(n.Versions) || in.Level != int(n.Level)+1:
		return wire.Problemf(wire.KindConflict, "nothing was done: version %d of the notice waits at level %d, and you have read version %d at level %d; read it again",
			n.Versions, n.Level+1, in.Version, in.Level).Because(why.NoticeChanged)
	case n.Author == by.Name:
		return wire.Problemf(wire.KindForbidden, "nothing was done: %s wrote this notice; somebody else must pass it on", by.Name).Because(why.OwnNotice)
	}
	for level := range n.Level + 1 {
		if slices.ContainsFunc(n.Passed(level), func(a notice.Act) bool { return a.By == by.Name }) {
			return wire.Problemf(wire.KindForbidden, "nothing was done: %s has passed this version on at level %d, and each person passes one level only", by.Name, level+1).Because(why.PassedBefore, level+1)
		}
	}
	if level := n.Levels[n.Level]; !levels.Asks(level, by) {
		return wire.Problemf(wire.KindForbidden, "nothing was done: level %d asks for %s, and %s is not meant", n.Level+1, whom(level), by.Name).Because(why.NotAtLevel, int(n.Level+1))
	}
	return s.inside(by, said[len(said)-1])
}

// inside refuses who is limited to places where the version addresses others, too.
func (s *Notices) inside(by authority.Caller, v notice.Version) error {
	return s.within(by, s.about(v))
}

// about is a version as the rules are asked about it, once or for many persons: it is read once.
func (s *Notices) about(v notice.Version) authority.About {
	out := authority.About{Message: authority.Message{Targets: sync.OnceValues(func() ([]audience.Target, error) { return s.targets(v) })}}
	if a, err := s.read(v); err == nil { // else targets says so
		out.Message.Infos = a.Infos
	}
	return out
}

// within is inside for many persons.
func (s *Notices) within(by authority.Caller, about authority.About) error {
	_, err := s.o.Rules.Check(by, authority.ReviewNotice, about)
	return err
}

// turn is who is asked, after how many times in vain.
type turn struct {
	name   string
	missed int
	level  uint32
}

// Chase tells readers when somebody else is asked for a notice, because who was asked before has let the
// time pass. It is called again and again, by one goroutine, at every node: each node tells its own.
func (s *Notices) Chase(context.Context) error {
	open, err := s.unfinished()
	if err != nil || len(open) == 0 {
		return err
	}
	people, err := s.people()
	if err != nil {
		return err
	}
	asked, tell := map[string]turn{}, false
	for _, n := range open {
		one, err := s.standing(n, nil, people)
		if err != nil {
			return err
		}
		if one.Next == "" {
			continue
		}
		is := turn{one.Next, one.Missed, n.Level}
		asked[n.ID] = is
		before, known := s.asked[n.ID]
		tell = tell || known && before != is || !known && one.Missed > 0
	}
	if s.asked = asked; tell {
		s.o.Tell()
	}
	return nil
}

// hoursOf is how long a level waits before it is overdue, and each person of it is asked.
func hoursOf(hours uint32) time.Duration {
	if hours == 0 {
		hours = 24
	}
	return time.Duration(hours) * time.Hour
}
