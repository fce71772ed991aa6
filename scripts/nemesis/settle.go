//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"almenara/node/wire"
)

// quiet is how long no receipt may come before the counts are read.
const quiet = 3 * time.Second

// await waits until every device is connected to some node.
func (c *crowd) await(ctx context.Context) error {
	for {
		now, all := c.connected()
		if now == all {
			return nil
		}
		if wait(ctx, 100*time.Millisecond) != nil {
			return fmt.Errorf("only %d of %d devices are connected: %w", now, all, context.Cause(ctx))
		}
	}
}

// settle waits for the district to be whole again and judges it, again and again
// until nothing is wrong or its time is over. The last verdict stands.
func (g *rig) settle(ctx context.Context, people *crowd) (map[string]Verdict, error) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, healTime)
	defer cancel()
	for _, n := range g.now() {
		if err := g.await(ctx, n, func(s wire.Status) bool { return s.Ready && s.Quorum && s.PendingFacts == 0 }); err != nil {
			return g.last(fmt.Errorf("the district did not heal: %w", err))
		}
	}
	if err := people.await(ctx); err != nil {
		return g.last(err)
	}
	g.say("all nodes are ready and all devices connected %.1f s after healing", time.Since(begun).Seconds())
	for {
		if wait(ctx, quiet-min(quiet, time.Since(g.book.lastTold()))) != nil {
			return g.last(fmt.Errorf("receipts never stopped coming: %w", context.Cause(ctx)))
		}
		views, err := g.look(ctx)
		if err != nil {
			return g.last(err)
		}
		verdicts := judge(Evidence{History: g.book.copy(), Views: views})
		verdicts[healed] = Verdict{Judged: 1}
		if !settling(verdicts) || ctx.Err() != nil || time.Since(begun) > healTime-30*time.Second {
			g.say("judged %.1f s after healing", time.Since(begun).Seconds())
			return verdicts, nil
		}
		_ = wait(ctx, 2*time.Second)
	}
}

// last judges what can be read when the district did not heal, and says so.
func (g *rig) last(why error) (map[string]Verdict, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	views, err := g.look(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; and then: %w", why, err)
	}
	verdicts := judge(Evidence{History: g.book.copy(), Views: views})
	verdicts[healed] = Verdict{Judged: 1, Breaches: []string{why.Error()}}
	return verdicts, nil
}

// healed is the check that only a district which did not heal has failed.
const healed = "the district is whole within two minutes of healing"

// shownBreaches is how many breaches of one check are printed.
const shownBreaches = 12

// report prints the verdict on every check, and how many failed. One that had nothing to
// judge has not passed.
func report(w io.Writer, verdicts map[string]Verdict) (failed int) {
	passed, unjudged := 0, 0
	for _, name := range append([]string{healed}, names()...) {
		v, ran := verdicts[name]
		if !ran {
			v.breach("it could not be judged")
		}
		mark := "ok  "
		switch {
		case len(v.Breaches) > 0:
			mark = "FAIL"
			failed++
		case v.Judged == 0:
			mark = "none"
			unjudged++
		default:
			passed++
		}
		fmt.Fprintf(w, "%s  %s (%d judged", mark, name, v.Judged)
		if v.Excused > 0 {
			fmt.Fprintf(w, ", %d excused", v.Excused)
		}
		fmt.Fprintln(w, ")")
		for _, b := range v.Breaches[:min(len(v.Breaches), shownBreaches)] {
			fmt.Fprintf(w, "        %s\n", b)
		}
		if more := len(v.Breaches) - shownBreaches; more > 0 {
			fmt.Fprintf(w, "        and %d more\n", more)
		}
	}
	fmt.Fprintf(w, "%d checks passed, %d failed, %d had nothing to judge\n", passed, failed, unjudged)
	return failed
}

func names() (out []string) {
	for _, c := range checks {
		out = append(out, c.Name)
	}
	return out
}
