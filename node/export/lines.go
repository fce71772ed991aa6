package export

import (
	"context"
	"fmt"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audit"
)

// The bounds of one answer: lines that are given, and lines that are looked at. A query that finds
// little goes on where it stopped.
const (
	linesDefault = 100
	linesMost    = 1000
)

// lookedAtMost is some 100 ms of work; tests lower it.
var lookedAtMost = 50_000

// abouts are what actions are about, by the first word of each.
var abouts = map[string]wire.AuditAbout{
	"alert": wire.AboutAlerts, "fan-out": wire.AboutAlerts, "alone": wire.AboutAlerts, "report": wire.AboutAlerts, "receipts": wire.AboutReceipts,
	"notice": wire.AboutAlerts, "scenario": wire.AboutRules, "licence": wire.AboutRules, "policy": wire.AboutRules, "retention": wire.AboutRules,
	"user": wire.AboutPeople, "password": wire.AboutPeople, "session": wire.AboutPeople, "sessions": wire.AboutPeople,
	"members": wire.AboutAudience, "import": wire.AboutAudience, "places": wire.AboutAudience, "place": wire.AboutAudience, "person": wire.AboutAudience,
	"devices": wire.AboutDevices, "device": wire.AboutDevices,
	"node": wire.AboutNodes, "log": wire.AboutNodes, "join": wire.AboutNodes, "key": wire.AboutNodes, "district": wire.AboutNodes,
}

func aboutOf(action string) wire.AuditAbout {
	first, _, _ := strings.Cut(action, " ")
	if about, ok := abouts[first]; ok {
		return about
	}
	return wire.AboutOther
}

// AuditLines implements service.Audit.
func (e *Export) AuditLines(ctx context.Context, q wire.AuditQuery) (page wire.AuditPage, err error) {
	limit := min(q.Limit, linesMost)
	if limit <= 0 {
		limit = linesDefault
	}
	looked := 0
	err = e.o.Store.View(func(t *storage.Txn) error {
		head, err := audit.End(t)
		if err != nil {
			return err
		}
		page.All = head.N
		return audit.EachBack(t, q.Before, func(line audit.Entry) (bool, error) {
			if len(page.Lines) == limit || looked == lookedAtMost {
				page.Next = line.N + 1
				return false, nil
			}
			if looked++; looked%1000 == 0 && ctx.Err() != nil {
				return false, ctx.Err()
			}
			if one := lineOf(line); wants(q, one) {
				page.Lines = append(page.Lines, one)
			}
			return true, nil
		})
	})
	if err != nil {
		return page, fmt.Errorf("reading audit: %w", err)
	}
	return page, nil
}

func lineOf(e audit.Entry) wire.AuditLine {
	return wire.AuditLine{
		N: e.N, At: time.UnixMilli(e.At).UTC(), Actor: e.Actor, Action: e.Action, About: aboutOf(e.Action), Subject: e.Subject, Summary: e.Summary, Refused: e.Refused(),
	}
}

// wants reports whether the query is for the line.
func wants(q wire.AuditQuery, l wire.AuditLine) bool {
	has := func(part string, texts ...string) bool {
		for _, text := range texts {
			if strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
				return true
			}
		}
		return false
	}
	switch {
	case q.About == "" && l.About == wire.AboutReceipts, q.About != "" && q.About != l.About, q.OnlyRefused && !l.Refused:
		return false
	case !q.Since.IsZero() && l.At.Before(q.Since), !q.Until.IsZero() && l.At.After(q.Until):
		return false
	}
	return has(q.Who, l.Actor, l.Subject, l.Summary) && has(q.Holds, l.Action, l.Summary)
}
