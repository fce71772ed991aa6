package command

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
	"almenara/storage/member"
	"almenara/storage/noderecord"
	"almenara/storage/notice"
	"almenara/storage/personal"
	"almenara/storage/rights"
	"almenara/storage/signin"
)

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func chain() *rights.Chain {
	return &rights.Chain{
		Levels: []rights.Level{{Title: "Office", Role: "approver", People: []string{"ben"}, Count: 1, Hours: 4, Checklist: []string{"look"}}},
		Words:  []rights.Word{{Word: "panic", Why: "it frightens", Tick: true}},
	}
}

// samples has every payload type with every field set.
func samples() []Payload {
	m := audience.Member{ID: "m1", Kind: "screen", Place: "tm"}
	return []Payload{
		&AdoptFacts{Facts: []fact.Signed{{Canonical: []byte("c"), KeyID: "k", Signature: []byte("s")}}},
		&PutMembers{Members: [][]byte{audience.EncodeMember(&m)}},
		&RemoveMembers{IDs: []string{"m1"}},
		&StageMembers{Import: "imp", Chunk: 3, Members: [][]byte{audience.EncodeMember(&m)}},
		&ActivateImport{Import: "imp", Chunks: 4, Replace: true},
		&FoldImport{Import: "imp", Chunk: 3},
		&DropImport{Import: "imp"},
		&PutPlaces{Places: []audience.Place{{Path: "tm/on-ting", Names: []audience.Text{{Language: "en", Text: "On Ting"}},
			Geocodes: []alert.Named{{Name: "HK-DC", Value: "L"}}, Location: &geometry.Point{Lat: 1, Lon: -2},
			Shape: []geometry.Polygon{{{Lat: 1}, {Lat: 2}, {Lon: 3}}}}}},
		&RemovePlaces{Paths: []audience.Path{"tm"}},
		&PutDevices{Devices: []storage.Device{{ID: "d", Kind: "screen", Member: "m1", SecretHash: hash("s")}}},
		&RevokeDevice{ID: "d"},
		&PutUser{User: storage.User{Name: "Amy Chan", Roles: []string{"viewer"}, TokenHash: hash("t")}, Change: true},
		&PutUser{User: storage.User{Name: "Amy Chan", Roles: []string{"composer"}, TokenHash: hash("t"), PasswordHash: "$argon2id$", Senders: []string{"hko"}, Places: []string{"tm"}}},
		&RevokeUser{Name: "Amy Chan"},
		&PutNode{Node: noderecord.Node{ID: "n", Name: "a", Internode: "h:1", API: "h:2", MQTT: []string{"h:3"}, KeyID: "k", PublicKey: hash("p")}},
		&RemoveNode{ID: "n"},
		&PutJoinToken{Hash: hash("j"), Expires: 12},
		&UseJoinToken{Hash: hash("j"), NodeID: "n"},
		&PutKeyRing{KeyRing: noderecord.KeyRing{Signed: "a.b.c", Keys: []noderecord.PublicKey{{ID: "k", Node: "n", Key: hash("p"), NotBefore: 1, NotAfter: 2}}}},
		&PutDistrict{District: noderecord.District{ID: "tm", Name: "Tuen Mun", RootPublicKey: hash("r"), CACert: "PEM", Incarnation: 2}},
		&PutScenario{Scenario: rights.Scenario{ID: "flood", Title: "Flood", Alert: []byte("{}"), Select: "all", Approvals: 1, Lifetime: 5, UsualMin: 1, UsualMax: 2, Removed: true,
			Details: rights.Details{Blanks: []rights.Blank{{Name: "where", For: "the block", Values: []string{"1"}, Max: 3}}, Checklist: []string{"look"}, Sensitive: []string{"panic"}, Choose: true}}},
		&RemoveScenario{ID: "flood"},
		&PutLicence{Licence: rights.Licence{ID: "l1", Operator: "Amy Chan", Scenarios: []string{"flood", "*"}, Place: "tm", Until: 9, GrantedBy: "b", GrantedAt: 1, Revoked: true}},
		&RevokeLicence{ID: "l1"},
		&PutPolicy{Policy: rights.Policy{Approvers: []string{"approver"}, Rules: []rights.PolicyRule{{Severity: "Extreme", Urgency: "Immediate", Members: 5, District: true, Scenario: "flood", Approvals: 2}}}},
		&PutCredential{Credential: signin.Credential{User: "Amy Chan", Token: hash("t"), Password: "$argon2id$", TOTP: []byte("s"), LastStep: 4, Recovery: [][]byte{hash("r")}, Index: 3, SetAt: 9}, Was: 2},
		&BeginSession{Session: signin.Session{Hash: hash("c"), User: "Amy Chan", BegunAt: 1, Until: 9}, Was: 3, Step: 5, Recovery: hash("r")},
		&PutCredential{Credential: signin.Credential{User: "Amy Chan", Token: hash("t"), Password: "$argon2id$", SetAt: 9, Passkeys: []signin.Passkey{{ID: []byte("i"), Key: []byte("k"), Host: "h", Name: "phone", AddedAt: 1, Count: 2, Asked: 3, UsedAt: 4, Flags: 5}}}},
		&BeginSession{Session: signin.Session{Hash: hash("c"), User: "Amy Chan", BegunAt: 1, Until: 9}, Was: 3, Passkey: &UsedPasskey{ID: []byte("i"), Asked: 3, Count: 4}},
		&EndSession{Hash: hash("c")},
		&EndSessions{User: "Amy Chan"},
		&PutNotice{Was: 3, Version: &notice.Version{Notice: "n1", N: 2, Alert: []byte("{}"), Select: "all", Reason: "r", Lifetime: 5, Within: "all", Approvals: 1, Blanks: map[string]string{"where": "x"}, Remind: 5, Answers: 2, Minutes: 3, Groups: []string{"all"}}, Notice: notice.Notice{
			ID: "n1", Scenario: "flood", Author: "Amy Chan", Title: "No water", State: notice.Locked, Versions: 2, Level: 1, Since: 4, At: 5, Levels: chain().Levels, Words: chain().Words,
			Acts: []notice.Act{{Do: notice.Pass, By: "ben", At: 3, Version: 1, Level: 1, Language: "en", Text: "t", Ticked: []string{"a"}, Words: []string{"b"}}}, Digest: hash("d"), Alert: "a", Index: 3,
		}},
		&ChangePlace{Path: "tm/a", Was: hash("w")[:member.PlaceStateBytes], Place: &audience.Place{Path: "tm/b", Names: []audience.Text{{Language: "en", Text: "B"}}}},
		&PutPolicy{Policy: rights.Policy{Chain: chain()}},
		&PutScenario{Scenario: rights.Scenario{ID: "outage", Title: "Outage", Alert: []byte("{}"), Lifetime: 5, Chain: chain()}},
		&ErasePerson{Member: "m1", Pseudonym: "erased-abcdefghijklmnop", Word: "a letter of 3 May"},
		&EraseTraces{Pseudonym: "erased-abcdefghijklmnop", Step: 3},
		&EraseTraces{Pseudonym: "erased-abcdefghijklmnop", Step: 3, Answers: true},
		&PutRetention{Retention: personal.Retention{PositionDays: 7, ReportMonths: 13, NoteMonths: 14, By: "amy", At: 2}},
		&RemoveOld{What: personal.OldReports, Before: 5},
		&Pad{Zeros: make([]byte, 5)},
	}
}

func TestEncode_EveryTypeComesBackEqual(t *testing.T) {
	seen := map[Type]bool{}
	for _, p := range samples() {
		in := Command{RequestID: "r1", Actor: "amy", At: 1_760_000_000_123, Payload: p, Version: VersionOf(p)}
		raw, err := in.Encode()
		require.NoError(t, err)
		out, err := Decode(raw)
		require.NoError(t, err, p.Type())
		require.Equal(t, in, out)
		again, err := out.Encode()
		require.NoError(t, err)
		require.Equal(t, raw, again)
		seen[p.Type()] = true
	}
	require.Len(t, seen, len(types), "every type has a sample")
	for kind := range types {
		require.True(t, seen[kind], kind.String())
		require.Equal(t, kind, types[kind].make().Type())
	}
}

// mangled writes an envelope with arbitrary fields.
func mangled(t testing.TB, fields map[int]any) []byte {
	raw, err := encoding.Marshal(fields)
	require.NoError(t, err)
	return raw
}

func TestDecode_NewerSoftwareIsNeverReadAsIfItWereKnown(t *testing.T) {
	for name, fields := range map[string]map[int]any{
		"version":           {1: Newest + 1, 2: 11, 5: 1, 6: map[int]any{1: "d"}},
		"version, new form": {1: Newest + 1, 2: "eleven"},
		"type":              {1: 1, 2: 999, 4: "", 5: 1, 6: map[int]any{}},
		"type beyond":       {1: 1, 2: 1 << 20, 4: "", 5: 1, 6: map[int]any{}},
		"envelope field":    {1: 1, 2: 11, 4: "", 5: 1, 6: map[int]any{1: "d"}, 7: "new"},
		"payload field":     {1: 1, 2: 11, 4: "", 5: 1, 6: map[int]any{1: "d", 2: "new"}},
	} {
		_, err := Decode(mangled(t, fields))
		if name == "version, new form" {
			require.Error(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrUnknownVersion, name)
	}
}

func TestDecode_WhatCannotBeReadIsMalformed(t *testing.T) {
	good, err := Command{Actor: "amy", Payload: &RevokeDevice{ID: "d"}}.Encode()
	require.NoError(t, err)
	for n := range len(good) {
		_, err := Decode(good[:n])
		require.ErrorIs(t, err, ErrMalformed, "cut to %d", n)
	}
	for name, raw := range map[string][]byte{
		"after the end": append(bytes.Clone(good), 0),
		"no version":    mangled(t, map[int]any{2: 11}),
		"no type":       mangled(t, map[int]any{1: 1}),
		"wrong kind":    mangled(t, map[int]any{1: 1, 2: 11, 4: 5, 5: 1, 6: map[int]any{1: "d"}}),
		"text":          []byte("hello"),
		"empty id":      mangled(t, map[int]any{1: 1, 2: 11, 4: "", 5: 1, 6: map[int]any{1: ""}}),
		"space in id":   mangled(t, map[int]any{1: 1, 2: 11, 4: "", 5: 1, 6: map[int]any{1: "a b"}}),
		"NUL in id":     mangled(t, map[int]any{1: 1, 2: 11, 4: "", 5: 1, 6: map[int]any{1: "a\x00b"}}),
		"short hash":    mangled(t, map[int]any{1: 1, 2: 16, 4: "", 5: 1, 6: map[int]any{1: []byte("x"), 2: 5}}),
		"before 1970":   mangled(t, map[int]any{1: 1, 2: 11, 4: "", 5: -1, 6: map[int]any{1: "d"}}),
		"long request":  mangled(t, map[int]any{1: 1, 2: 11, 3: strings.Repeat("r", 65), 4: "", 5: 1, 6: map[int]any{1: "d"}}),
	} {
		_, err := Decode(raw)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestLimits_HoldForEncodeAndDecode(t *testing.T) {
	_, err := Decode(make([]byte, MaxBytes+1))
	require.ErrorIs(t, err, ErrTooLarge)
	big := make([][]byte, 3)
	for i := range big {
		big[i] = make([]byte, 100<<10)
	}
	for name, p := range map[string]Payload{
		"bytes":   &PutMembers{Members: big},
		"members": &PutMembers{Members: make([][]byte, MaxMembers+1)},
		"staged":  &StageMembers{Import: "i", Members: make([][]byte, MaxMembers+1)},
		"ids":     &RemoveMembers{IDs: make([]string, MaxMembers+1)},
		"facts":   &AdoptFacts{Facts: make([]fact.Signed, MaxFacts+1)},
		"places":  &PutPlaces{Places: make([]audience.Place, MaxPlaces+1)},
		"paths":   &RemovePlaces{Paths: make([]audience.Path, MaxPlaces+1)},
		"devices": &PutDevices{Devices: make([]storage.Device, MaxMembers+1)},
		"role":    &PutUser{User: storage.User{Name: "a", Roles: []string{strings.Repeat("r", MaxText+1)}}},
	} {
		_, err := Command{Payload: p}.Encode()
		require.ErrorIs(t, err, ErrTooLarge, name)
	}
	raw := mangled(t, map[int]any{1: 1, 2: int(TypeRemoveMembers), 4: "", 5: 1, 6: map[int]any{1: make([]string, MaxMembers+1)}})
	_, err = Decode(raw)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = Command{}.Encode()
	require.ErrorIs(t, err, ErrMalformed)
}

func TestResult_TravelsAsTheSameError(t *testing.T) {
	for kind, sentinel := range sentinels {
		raw, err := Refuse(kind, "member", "member %q", "m1").Encode()
		require.NoError(t, err)
		r, err := DecodeResult(raw)
		require.NoError(t, err)
		require.ErrorIs(t, r.Error(), sentinel)
		require.ErrorContains(t, r.Error(), `member "m1"`)
	}
	raw, err := OK(CountResult{Count: 7}).Encode()
	require.NoError(t, err)
	r, err := DecodeResult(raw)
	require.NoError(t, err)
	require.NoError(t, r.Error())
	count, err := DecodeData[CountResult](r)
	require.NoError(t, err)
	require.EqualValues(t, 7, count.Count)
	_, err = DecodeResult([]byte{0xFF})
	require.Error(t, err)
	require.Error(t, Result{Kind: "of a newer node", Err: "x"}.Error())
}

func TestType_NamesAreUnique(t *testing.T) {
	names := map[string]bool{}
	for kind := range types {
		require.False(t, names[kind.String()], kind.String())
		names[kind.String()] = true
	}
	require.Equal(t, "type 999", Type(999).String())
}

func FuzzDecode(f *testing.F) {
	for _, p := range samples() {
		raw, err := Command{RequestID: "r", Actor: "a", At: 5, Payload: p}.Encode()
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Decode(raw)
		again, err2 := Decode(raw)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(err2), "the same everywhere")
		if err != nil {
			return
		}
		require.True(t, reflect.DeepEqual(c, again))
		if encoded, err := c.Encode(); err == nil {
			back, err := Decode(encoded)
			require.NoError(t, err)
			require.Equal(t, c.Payload.Type(), back.Payload.Type())
		}
	})
}
