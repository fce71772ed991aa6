package policy_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/policy"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/node/wire/caution"
	"almenara/storage"
	"almenara/storage/audience"
)

var (
	noon  = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	chief = authority.Caller{Name: "chief"}
)

func clock() time.Time { return noon }

func refused(t *testing.T, err error, kind, sentence string) {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, kind, p.Kind, p.Sentence)
	require.Contains(t, p.Sentence, sentence)
}

func TestPolicy_IsShownAsItWasPut(t *testing.T) {
	log := recordstest.New(t, clock)
	p := policy.NewPolicy(log.State, log)
	in := wire.Policy{Rules: []wire.PolicyRule{{Severity: "Extreme", Approvals: 1}, {Share: 50, Approvals: 2}}, Approvers: []string{authority.RoleComposer}}
	require.NoError(t, p.PutPolicy(t.Context(), chief, in))
	out, err := p.ShowPolicy(t.Context())
	require.NoError(t, err)
	require.Equal(t, in.Rules, out.Rules)
	require.Equal(t, in.Approvers, out.Approvers)
	require.EqualValues(t, 1, out.Version)
	require.NoError(t, p.PutPolicy(t.Context(), chief, out), "its version is passed over")
}

func TestPolicy_RefusesRulesThatSayNothing(t *testing.T) {
	log := recordstest.New(t, clock)
	p := policy.NewPolicy(log.State, log)
	for sentence, in := range map[string]wire.Policy{
		"rule 1 asks for 0 approvals":     {Rules: []wire.PolicyRule{{}}},
		"rule 2: severity is one of":      {Rules: []wire.PolicyRule{{Approvals: 1}, {Approvals: 1, Severity: "Loud"}}},
		"rule 1: urgency is one of":       {Rules: []wire.PolicyRule{{Approvals: 1, Urgency: "Now"}}},
		"rule 1: share is a percentage":   {Rules: []wire.PolicyRule{{Approvals: 1, Share: 101}}},
		`"auditor" cannot be let approve`: {Approvers: []string{"auditor"}},
	} {
		refused(t, p.PutPolicy(t.Context(), chief, in), wire.KindRefused, sentence)
	}
	require.Zero(t, log.Index())
}

func TestLicences_AreMeantByTheirBeginning(t *testing.T) {
	log := recordstest.New(t, clock)
	_, err := log.Propose(t.Context(), "chief", &command.PutUser{User: storage.User{Name: "duty", Roles: []string{"composer"}, TokenHash: bytes.Repeat([]byte{1}, 32)}})
	require.NoError(t, err)
	l := policy.NewLicences(log.State, log, clock)
	good := wire.Licence{Operator: "duty", Scenarios: []string{"*"}, Place: "d/here", Until: noon.Add(time.Hour)}
	granted, err := l.GrantLicence(t.Context(), chief, good)
	require.NoError(t, err)
	require.Equal(t, "chief", granted.GrantedBy)
	all, err := l.ListLicences(t.Context())
	require.NoError(t, err)
	require.Equal(t, []wire.Licence{granted}, all)

	require.NoError(t, l.RevokeLicence(t.Context(), chief, granted.ID[:6]))
	all, err = l.ListLicences(t.Context())
	require.NoError(t, err)
	require.True(t, all[0].Revoked)
	require.ErrorIs(t, l.RevokeLicence(t.Context(), chief, "unheard"), command.ErrNotFound)

	said := granted
	_, err = l.GrantLicence(t.Context(), chief, said)
	refused(t, err, wire.KindMalformed, "set by the node")
	nowhere := good
	nowhere.Place = ""
	_, err = l.GrantLicence(t.Context(), chief, nowhere)
	refused(t, err, wire.KindRefused, "is not a place")
	for _, change := range []func(*wire.Licence){
		func(l *wire.Licence) { l.Operator = "" }, func(l *wire.Licence) { l.Scenarios = nil },
		func(l *wire.Licence) { l.Until = time.Time{} },
	} {
		lacking := good
		change(&lacking)
		_, err = l.GrantLicence(t.Context(), chief, lacking)
		refused(t, err, wire.KindMalformed, "a licence needs")
	}
}

func put(t *testing.T, s *policy.Scenarios, in wire.Scenario) error {
	t.Helper()
	_, err := s.PutScenario(t.Context(), chief, in, false)
	return err
}

// What a licence or a scenario names and the district cannot have is refused before the night.
func TestLicencesAndScenarios_NameWhatTheDistrictMayHave(t *testing.T) {
	log := recordstest.New(t, clock)
	for _, payload := range []command.Payload{
		&command.PutUser{User: storage.User{Name: "duty", Roles: []string{"composer"}, TokenHash: bytes.Repeat([]byte{1}, 32)}},
		&command.PutPlaces{Places: []audience.Place{{Path: "d"}}},
	} {
		_, err := log.Propose(t.Context(), "chief", payload)
		require.NoError(t, err)
	}
	scenarios, licences := policy.NewScenarios(log.State, log, own, clock), policy.NewLicences(log.State, log, clock)
	fire := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Minutes: 60, Select: "place under d/not-yet"}
	require.NoError(t, put(t, scenarios, fire), "what is in the district may still come")
	for says, selection := range map[string]string{"the place e/there is not in the district": "kind = screen and place = e/there", "the kind sreen is none": "not kind = sreen"} {
		fire.Select = selection
		refused(t, put(t, scenarios, fire), wire.KindRefused, says)
	}
	good := wire.Licence{Operator: "duty", Scenarios: []string{"fire"}, Place: "d/here", Until: noon.Add(time.Hour)}
	_, err := licences.GrantLicence(t.Context(), chief, good)
	require.NoError(t, err)
	good.Scenarios = []string{"fire", "fier"}
	_, err = licences.GrantLicence(t.Context(), chief, good)
	refused(t, err, wire.KindRefused, "there is no scenario fier; put it first, or license one of *, fire")
	good.Scenarios, good.Place = []string{"*"}, "e/here"
	_, err = licences.GrantLicence(t.Context(), chief, good)
	refused(t, err, wire.KindRefused, "the place e/here is not in the district")
}

const form = `{"info":[{"language":"en","category":["Fire"],"event":"Fire","urgency":"Immediate","severity":"Severe","certainty":"Observed",
	"headline":"Fire in {{where}}","area":[{"areaDesc":"here"}]}]}`

func TestScenarios_AreTriedBeforeTheyAreAgreedOn(t *testing.T) {
	log := recordstest.New(t, clock)
	s := policy.NewScenarios(log.State, log, own, clock)
	good := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Select: "place under d", Minutes: 60}
	require.NoError(t, put(t, s, good))
	all, err := s.ListScenarios(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []string{"where"}, all[0].Blanks)
	require.Equal(t, 60, all[0].Minutes)

	before := log.Index()
	for sentence, change := range map[string]func(*wire.Scenario){
		"how long it holds":     func(s *wire.Scenario) { s.Minutes = 0 },
		"approvals":             func(s *wire.Scenario) { s.Approvals = -1 },
		"cannot be read":        func(s *wire.Scenario) { s.Select = "place under" },
		"minutes at most":       func(s *wire.Scenario) { s.Minutes = 40 * 24 * 60 },
		"that is no blank":      func(s *wire.Scenario) { s.Alert = []byte(`{"info":[{"headline":"{{a b}}"}]}`) },
		"cannot be sent as it ": func(s *wire.Scenario) { s.Alert = bytes.ReplaceAll(s.Alert, []byte("Fire in {{where}}"), []byte(" ")) },
		"with at least one":     func(s *wire.Scenario) { s.Alert = []byte(`{"info":[]}`) },
	} {
		bad := good
		change(&bad)
		var p *wire.Problem
		require.ErrorAs(t, put(t, s, bad), &p, sentence)
		require.Contains(t, p.Sentence, sentence)
	}
	require.Equal(t, before, log.Index(), "nothing was agreed on")
	require.NoError(t, s.RemoveScenario(t.Context(), chief, "fire", ""))
	all, err = s.ListScenarios(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
}

// What a scenario says of its blanks is held against what fits, when it is put and when it is sent.
func TestScenarios_SayWhatMayFillTheirBlanks(t *testing.T) {
	log := recordstest.New(t, clock)
	s := policy.NewScenarios(log.State, log, own, clock)
	good := wire.Scenario{
		ID: "fire", Title: "Fire", Alert: []byte(form), Select: "place under d", Minutes: 60, Tier: "emergency", Sound: "siren", Confirm: "person",
		BlankRules: []wire.BlankRule{{Name: "where", For: "the block", MaxLength: 20}}, Checklist: []string{"Call 999."}, Sensitive: []string{"panic"},
	}
	out, err := s.PutScenario(t.Context(), chief, good, true)
	require.NoError(t, err)
	require.True(t, out.DryRun)
	require.NotNil(t, out.Look, "how loud it would be")
	require.Zero(t, out.Addressed)
	require.Len(t, out.Words, 3, "who warns, what to do and when are not said")
	require.Equal(t, []caution.WordRule{caution.WordSource, caution.WordAction, caution.WordTime}, []caution.WordRule{out.Words[0].Rule, out.Words[1].Rule, out.Words[2].Rule})
	require.Zero(t, log.Index(), "a dry run changes nothing")
	require.NoError(t, put(t, s, good))
	all, err := s.ListScenarios(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	good.Blanks, good.Revision = []string{"where"}, all[0].Revision
	require.Equal(t, []wire.Scenario{good}, all, "it is shown as it was put")
	good.Blanks, good.Revision = nil, ""

	before := log.Index()
	for sentence, change := range map[string]func(*wire.Scenario){
		`the scenario says sound "chime", and devices would present it with sound "siren"`: func(s *wire.Scenario) { s.Sound = "chime" },
		`says tier "drill"`:       func(s *wire.Scenario) { s.Tier = "drill" },
		`says confirm "none"`:     func(s *wire.Scenario) { s.Confirm = "none" },
		"which is in none of its": func(s *wire.Scenario) { s.BlankRules = []wire.BlankRule{{Name: "wher"}} },
		"two rules for the blank": func(s *wire.Scenario) { s.BlankRules = []wire.BlankRule{{Name: "where"}, {Name: "where"}} },
		"1 to 500 characters":     func(s *wire.Scenario) { s.BlankRules[0].MaxLength = 501 },
		"one of them is expected": func(s *wire.Scenario) { s.BlankRules[0].Values = []string{"A"} },
		`a value of the blank`:    func(s *wire.Scenario) { s.BlankRules = []wire.BlankRule{{Name: "where", Values: []string{" "}}} },
		"leaves its severity open": func(s *wire.Scenario) {
			s.Tier, s.Sound, s.Confirm = "", "", ""
			s.Alert = bytes.ReplaceAll(s.Alert, []byte("Severe"), []byte("{{where}}"))
		},
		"line of the checklist": func(s *wire.Scenario) { s.Checklist = []string{"\a"} },
		"a sensitive word":      func(s *wire.Scenario) { s.Sensitive = []string{""} },
		"selection-needed":      func(s *wire.Scenario) { s.Select = "" },
		"give its blanks a max_length": func(s *wire.Scenario) {
			s.BlankRules, s.Alert = nil, bytes.ReplaceAll(s.Alert, []byte(`"event"`), []byte(`"description":"`+strings.Repeat("{{where}}", 50)+`","event"`))
		},
	} {
		bad := good
		bad.BlankRules = slices.Clone(good.BlankRules)
		change(&bad)
		var p *wire.Problem
		require.ErrorAs(t, put(t, s, bad), &p, sentence)
		require.Contains(t, p.Sentence, sentence)
	}
	require.Equal(t, before, log.Index(), "nothing was agreed on")
	free := good
	free.Select, free.Choose = "", true
	require.NoError(t, put(t, s, free), "whom is left to whoever sends it")
}
