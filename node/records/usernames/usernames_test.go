package usernames_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/records/recordstest"
	"almenara/node/records/usernames"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
)

func TestAttack_NobodyIsMistakenForAnother(t *testing.T) {
	log := recordstest.New(t, time.Now)
	put := func(name string) {
		_, err := log.Propose(t.Context(), "root", &command.PutUser{User: storage.User{Name: name, Roles: []string{"viewer"}, TokenHash: make([]byte, 32)}})
		require.NoError(t, err)
		_, err = log.Propose(t.Context(), "root", &command.RevokeUser{Name: name})
		require.NoError(t, err)
	}
	put("gone")
	_, err := log.Propose(t.Context(), "root", &command.PutUser{User: storage.User{Name: "Duty officer", Roles: []string{"viewer"}, TokenHash: append(make([]byte, 31), 1)}})
	require.NoError(t, err)
	for name, reason := range map[string]why.Reason{
		"":                      why.UserNameUnfit,
		" ":                     why.UserNameUnfit,
		"wong ":                 why.UserNameUnfit,
		"wong  kai":             why.UserNameUnfit,
		"wong\u00a0kai":         why.UserNameUnfit,
		"wong\u200b":            why.UserNameUnfit,
		"\u202egnow":            why.UserNameUnfit,
		"wo\u2066ng":            why.UserNameUnfit,
		"wong\x7f":              why.UserNameUnfit,
		"wong\u0085":            why.UserNameUnfit,
		"wong\xff":              why.UserNameUnfit,
		"wong\u3164":            why.UserNameUnfit, // a letter that nobody sees
		"wong\ufe0f":            why.UserNameUnfit,
		"w\u043eng":             why.UserNameUnfit, // an o of Cyrillic
		"\u0301wong":            why.UserNameUnfit,
		"e\u0301ve":             why.UserNameUnfit, // what programs write as one letter
		"duty officer":          why.UserNameAlike,
		"DutyOfficer":           why.UserNameAlike,
		"\uff24uty officer":     why.UserNameAlike, // full width
		"Duty of\ufb01cer":      why.UserNameAlike, // a ligature
		"Duty o\ufb03cer":       why.UserNameAlike,
		"Duty officer":          "", // for the log to refuse
		"Duty officer 2":        "",
		"gone":                  "",
		"Gone":                  "", // nobody's any more
		"陳大文":                   "",
		"Chan Tai Man 陳大文":      "",
		"José O'Neill-Łukasz":   "",
		"hko.gov.hk":            "",
		"оператор 1":            "",
		"relay@north_1 (night)": "",
	} {
		err := usernames.New(log.Store, name)
		if reason == "" {
			require.NoError(t, err, "%q", name)
			continue
		}
		var p *wire.Problem
		require.ErrorAs(t, err, &p, "%q", name)
		require.Equal(t, reason, p.Why.Reason, "%q", name)
	}
}
