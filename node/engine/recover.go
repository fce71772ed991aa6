package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"almenara/cluster/internode"
	"almenara/node/cli/inprocess"
	"almenara/node/folder"
	"almenara/node/folder/voters"
)

// quiet logs only what a person must see while an offline command runs.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func recoverNode(ctx context.Context, o inprocess.RecoverOptions, confirm func(inprocess.RecoverSurvey) error, progress func(string)) (inprocess.RecoverResult, error) {
	r, err := folder.OpenRecovery(ctx, o.Data, quiet())
	if err != nil {
		return inprocess.RecoverResult{}, err
	}
	if err := confirm(survey(r.RecoverySurvey)); err != nil {
		return inprocess.RecoverResult{}, errors.Join(err, r.Close())
	}
	made, err := r.Recover(o.Force, progress)
	if errors.Is(err, folder.ErrQuorumLives) || errors.Is(err, folder.ErrNewerLives) {
		return inprocess.RecoverResult{}, fmt.Errorf("%w; nothing was changed (--force does it all the same)", err)
	}
	if err != nil {
		return inprocess.RecoverResult{}, err
	}
	return inprocess.RecoverResult{
		Node: made.Node, District: r.District, Incarnation: made.Incarnation, Applied: made.Applied, Taken: made.Taken,
		Already: made.Already, Data: o.Data,
	}, nil
}

func survey(s folder.RecoverySurvey) inprocess.RecoverSurvey {
	out := inprocess.RecoverSurvey{
		Node: s.Node, Name: s.Name, District: s.District, Incarnation: s.Incarnation, Applied: s.Applied, LogEnd: s.LogEnd,
		LastAt: s.LastAt, LastAction: s.LastAction, NewID: s.NewID, Quarantined: s.Quarantined, Done: s.Done, Others: voterLines(s.Voters),
	}
	if s.Newer != nil {
		out.Newer = voterLines([]voters.Voter{*s.Newer})[0]
	}
	return out
}

// voterLines say of each node whether it answers, and how it stands to the district.
func voterLines(list []voters.Voter) []string {
	out := []string{}
	for _, v := range list {
		how := "does not answer"
		switch {
		case v.Answers:
			how = "answers"
		case v.Other > 0:
			how = fmt.Sprintf("answers, and belongs to incarnation %d", v.Other)
		}
		if of, ok := standings[v.Standing]; ok && (v.Answers || v.Other > 0) {
			how += ", and " + of
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s (%s, at %s)", v.Name, how, v.ID, v.Address)))
	}
	return out
}

// standings are what a node says of itself.
var standings = map[internode.Standing]string{
	internode.StandingAgrees:      "agrees with a majority",
	internode.StandingAlone:       "has no majority",
	internode.StandingQuarantined: "is quarantined",
}

func rejoin(ctx context.Context, o inprocess.RejoinOptions, progress func(string)) (inprocess.RejoinResult, error) {
	out, err := folder.Rejoin(ctx, folder.RejoinOptions{Dir: o.Data, Token: o.Token, Lossy: o.Lossy, Logger: quiet(), Progress: progress})
	if errors.Is(err, folder.ErrLeftBehind) {
		return inprocess.RejoinResult{}, fmt.Errorf("%w (--lossy goes on all the same)", err)
	}
	if err != nil {
		return inprocess.RejoinResult{}, err
	}
	return inprocess.RejoinResult{
		Node: out.Node, Old: out.Old, Sent: out.Sent, Gaps: out.Gaps, Changes: out.Changes, Report: out.Report,
		Unread: out.Unread, Data: o.Data,
	}, nil
}
