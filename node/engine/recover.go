package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"almenara/node"
	"almenara/node/cli"
)

// quiet logs only what a person must see while an offline command runs.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func recoverNode(ctx context.Context, o cli.RecoverOptions, confirm func(cli.RecoverSurvey) error, progress func(string)) (cli.RecoverResult, error) {
	r, err := node.OpenRecovery(ctx, o.Data, quiet())
	if err != nil {
		return cli.RecoverResult{}, err
	}
	if err := confirm(survey(r.RecoverySurvey)); err != nil {
		return cli.RecoverResult{}, errors.Join(err, r.Close())
	}
	made, err := r.Recover(o.Force, progress)
	if errors.Is(err, node.ErrQuorumLives) {
		return cli.RecoverResult{}, fmt.Errorf("%w; nothing was changed (--force does it all the same)", err)
	}
	if err != nil {
		return cli.RecoverResult{}, err
	}
	return cli.RecoverResult{
		Node: made.Node, District: r.District, Incarnation: made.Incarnation, Applied: made.Applied, Taken: made.Taken,
		Already: made.Already, Data: o.Data,
	}, nil
}

func survey(s node.RecoverySurvey) cli.RecoverSurvey {
	out := cli.RecoverSurvey{
		Node: s.Node, Name: s.Name, District: s.District, Incarnation: s.Incarnation, Applied: s.Applied, LogEnd: s.LogEnd,
		LastAt: s.LastAt, LastAction: s.LastAction, NewID: s.NewID, Quarantined: s.Quarantined, Done: s.Done, Others: []string{},
	}
	for _, v := range s.Voters {
		how := "does not answer"
		switch {
		case v.Answers:
			how = "answers"
		case v.Other > 0:
			how = fmt.Sprintf("answers, and belongs to incarnation %d", v.Other)
		}
		out.Others = append(out.Others, fmt.Sprintf("%s %s (%s, at %s)", v.Name, how, v.ID, v.Address))
	}
	return out
}

func rejoin(ctx context.Context, o cli.RejoinOptions, progress func(string)) (cli.RejoinResult, error) {
	out, err := node.Rejoin(ctx, node.RejoinOptions{Dir: o.Data, Token: o.Token, Lossy: o.Lossy, Logger: quiet(), Progress: progress})
	if errors.Is(err, node.ErrLeftBehind) {
		return cli.RejoinResult{}, fmt.Errorf("%w (--lossy goes on all the same)", err)
	}
	if err != nil {
		return cli.RejoinResult{}, err
	}
	return cli.RejoinResult{
		Node: out.Node, Old: out.Old, Sent: out.Sent, Gaps: out.Gaps, Changes: out.Changes, Report: out.Report,
		Unread: out.Unread, Data: o.Data,
	}, nil
}
