package command

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/notice"
	"almenara/storage/rights"
)

// Software of version 9 stops at what it does not know, so levels wait until every node is upgraded.
func TestVersionOf_LevelsAreOfVersion10(t *testing.T) {
	require.EqualValues(t, 10, VersionOf(&PutNotice{}))
	require.EqualValues(t, 10, VersionOf(&PutScenario{Scenario: rights.Scenario{Chain: chain()}}))
	require.EqualValues(t, 10, VersionOf(&PutPolicy{Policy: rights.Policy{Chain: chain()}}))
	require.EqualValues(t, 2, VersionOf(&PutPolicy{}))
}

// Nothing over the limits is ever written.
func TestPutNotice_IsBounded(t *testing.T) {
	for name, change := range map[string]func(*PutNotice){
		"no id":             func(p *PutNotice) { p.Notice.ID = "" },
		"no author":         func(p *PutNotice) { p.Notice.Author = "" },
		"no state":          func(p *PutNotice) { p.Notice.State = 0 },
		"a state of later":  func(p *PutNotice) { p.Notice.State = notice.Failed + 1 },
		"no version":        func(p *PutNotice) { p.Notice.Versions = 0 },
		"too many versions": func(p *PutNotice) { p.Notice.Versions, p.Version.N = notice.MaxVersions+1, notice.MaxVersions+1 },
		"another's version": func(p *PutNotice) { p.Version.Notice = "n2" },
		"an older version":  func(p *PutNotice) { p.Version.N = 1 },
		"too large":         func(p *PutNotice) { p.Version.Alert = make([]byte, notice.MaxContent+1) },
		"an endless text":   func(p *PutNotice) { p.Notice.Acts[0].Text = strings.Repeat("x", notice.MaxText+1) },
		"too many acts":     func(p *PutNotice) { p.Notice.Acts = make([]notice.Act, notice.MaxActs+1) },
		"acts too large":    func(p *PutNotice) { p.Notice.Acts[0].Ticked = []string{strings.Repeat("x", notice.MaxBytes)} },
		"nothing done":      func(p *PutNotice) { p.Notice.Acts = nil },
		"beyond its levels": func(p *PutNotice) { p.Notice.Level = uint32(len(p.Notice.Levels)) },
		"locked beyond":     func(p *PutNotice) { p.Notice.State, p.Notice.Level = notice.Locked, uint32(len(p.Notice.Levels)+1) },
		"no level":          func(p *PutNotice) { p.Notice.Levels = nil },
		"a level of nobody": func(p *PutNotice) { p.Notice.Levels = []rights.Level{{Count: 1}} },
		"nobody at a level": func(p *PutNotice) { p.Notice.Levels = []rights.Level{{Role: "approver"}} },
		"a line of 601":     func(p *PutNotice) { p.Notice.Levels[0].Checklist = []string{strings.Repeat("x", MaxLine+1)} },
		"endless words":     func(p *PutNotice) { p.Notice.Words = make([]rights.Word, MaxWords+1) },
	} {
		p := &PutNotice{
			Version: &notice.Version{Notice: "n1", N: 2, Alert: []byte("{}")},
			Notice:  notice.Notice{ID: "n1", Author: "amy", State: notice.Waiting, Versions: 2, Levels: chain().Levels, Acts: []notice.Act{{Do: notice.Wrote, By: "amy"}}},
		}
		_, err := (Command{Payload: p}).Encode()
		require.NoError(t, err, name)
		change(p)
		_, err = (Command{Payload: p}).Encode()
		require.Error(t, err, name)
	}
}
