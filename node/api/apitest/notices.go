package apitest

import (
	"context"
	"time"

	"almenara/node/authority"
	"almenara/node/wire/notices"
)

// notes is planned notices.
type notes struct {
	*asked
	Notices []notices.Notice // the first one is what ShowNotice and all that changes one answer
}

// NoticeID is the id of the fake's first notice.
const NoticeID = "3f9a0c5512ab"

// ExampleNotices is a planned notice that waits for the approver of the fake.
func ExampleNotices() []notices.Notice {
	at := time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	text := func(language, headline, more string) notices.NoticeText {
		return notices.NoticeText{Language: language, Event: "Water outage", Headline: headline, Description: more, Areas: "On Lai House"}
	}
	return []notices.Notice{{
		ID: NoticeID, Title: "No water on Tuesday", Scenario: "planned-outage", Author: "duty", Standing: notices.Waiting, Version: 2, Level: 1, Since: at, At: at.Add(24 * time.Hour),
		MayPass: []string{"approver", "zoe"}, Missing: 1, Due: at.Add(4 * time.Hour), Next: "approver", NextUntil: at.Add(4 * time.Hour),
		Levels: []notices.NoticeLevelStands{
			{Level: notices.NoticeLevel{Title: "Estate office", Role: authority.RoleApprover, Count: 1, Checklist: []string{"The dates agree"}}, Passed: []string{}},
			{Level: notices.NoticeLevel{Role: authority.RoleAdministrator, Count: 1}, Passed: []string{}},
		},
		Acts: []notices.NoticeAct{
			{Do: notices.ActWrote, By: "duty", At: at.Add(-2 * time.Hour), Version: 1},
			{Do: notices.DoComment, By: "approver", At: at.Add(-time.Hour), Version: 1, Language: "en", Text: "Which day?"},
			{Do: notices.DoBack, By: "approver", At: at.Add(-time.Hour), Version: 1, Level: 1, Text: "Say which day."},
			{Do: notices.ActWrote, By: "duty", At: at, Version: 2, Text: "The day"},
		},
		Versions: []notices.NoticeVersion{
			{N: 1, By: "duty", At: at.Add(-2 * time.Hour), Alert: []byte(`{}`), Texts: []notices.NoticeText{text("en", "No water", "The water is not contaminated.")}},
			{N: 2, By: "duty", At: at, Why: "The day", Alert: []byte(`{}`), Texts: []notices.NoticeText{text("en", "No water on Tuesday", "The water is not contaminated.")}, Changed: []notices.NoticeChange{{Language: "en", Field: "headline", Was: "No water", Is: "No water on Tuesday"}}},
		},
		Found: []notices.NoticeFound{{Word: "contaminated", Language: "en", Why: "only the water department says so", Tick: true}},
	}}
}

// ListNotices answers Notices.
func (f *notes) ListNotices(_ context.Context, over bool) ([]notices.Notice, error) {
	return f.Notices, f.note(nil, "ListNotices %t", over)
}

// ShowNotice answers the first one.
func (f *notes) ShowNotice(_ context.Context, by authority.Caller, id string) (notices.Notice, error) {
	return f.Notices[0], f.note(&by, "ShowNotice %s", id)
}

// DraftNotice notes the scenario.
func (f *notes) DraftNotice(_ context.Context, by authority.Caller, in notices.DraftNotice) (notices.Notice, error) {
	return f.Notices[0], f.note(&by, "DraftNotice %s", in.Scenario)
}

// ReviseNotice notes the version that was read.
func (f *notes) ReviseNotice(_ context.Context, by authority.Caller, id string, in notices.DraftNotice) (notices.Notice, error) {
	return f.Notices[0], f.note(&by, "ReviseNotice %s %d", id, in.Version)
}

// ActOnNotice notes what is to be done.
func (f *notes) ActOnNotice(_ context.Context, by authority.Caller, id string, in notices.ActOnNotice) (notices.Notice, error) {
	return f.Notices[0], f.note(&by, "ActOnNotice %s %s %d %q", id, in.Do, in.Version, in.Ticked)
}
