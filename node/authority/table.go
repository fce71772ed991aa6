package authority

import "slices"

// Action is something that a caller may want to do.
type Action string

// The actions. Every route of the API is one of them; Update, Correct and Cancel are told
// apart from Send by the message.
const (
	Send    Action = "send"
	Update  Action = "update"
	Correct Action = "correct"
	Cancel  Action = "cancel"
	Approve Action = "approve"

	TypeApproval Action = "type in an approval"
	FollowUp     Action = "follow up"
	Moderate     Action = "moderate reports"

	WriteNotice  Action = "write planned notices"
	ReviewNotice Action = "review planned notices"

	ReadAlerts   Action = "read alerts"
	ReadAudience Action = "read audience"
	ReadPersons  Action = "read persons"
	ReadReports  Action = "read reports"
	ReadDevices  Action = "read devices"
	ReadDistrict Action = "read district"
	ReadUsers    Action = "read users"
	ReadAudit    Action = "read audit"
	ReadErasures Action = "read erasures"

	TestDevices Action = "test devices"

	ChangeScenarios Action = "change scenarios"
	ChangeLicences  Action = "change licences"
	ChangePolicy    Action = "change policy"
	ChangeAudience  Action = "change audience"
	ChangeDevices   Action = "change devices"
	ChangeUsers     Action = "change users"
	ChangeNodes     Action = "change nodes"
	ChangeRetention Action = "change retention"
	ErasePersons    Action = "erase persons"
	Backup          Action = "back up"
)

// Alone says what becomes of an action on a node without a majority.
type Alone string

// The values of Alone.
const (
	AsEver      Alone = "as ever"
	Licensed    Alone = "with a reason and a licence, or with the approvals that the policy asks for while it is not older than 72 hours; systems as ever"
	FreshPolicy Alone = "while the policy is not older than 72 hours"
	Majority    Alone = "no"
)

// Line is one line of the table: what must hold for an action.
type Line struct {
	Action Action
	Does   string   // in words
	Roles  []string // one of them is needed; administrators have all

	Speaks bool // the message's CAP sender must be the caller's, or granted to nobody
	Inside bool // nobody outside of the caller's places is addressed
	There  bool // the devices, members and places that it is about are at the caller's places (inplaces)
	Others bool // authority over every alert that it ends, changes or joins
	Policy bool // the policy may ask for the approval of further persons, but not of a system
	People bool // systems may not
	Alone  Alone
}

// Warns reports whether the action is a message to the people of the district: such
// requests have a share of their own of what the node can do.
func (l Line) Warns() bool { return l.Speaks || l.Action == Approve || l.Action == TypeApproval }

// Table is who may do what: the only place that says it.
func Table() []Line {
	any, compose, correct := Roles(), []string{RoleComposer}, []string{RoleComposer, RoleCorrector}
	return []Line{
		{Action: Send, Does: "send a new alert", Roles: compose, Speaks: true, Inside: true, Others: true, Policy: true, Alone: Licensed},
		{Action: Update, Does: "send an Update", Roles: compose, Speaks: true, Inside: true, Others: true, Policy: true, Alone: Licensed},
		{
			Action: Correct, Roles: correct, Speaks: true, Inside: true, Others: true, Alone: AsEver,
			Does: "send an Update of one alert in force by the author of its message, by whom its CAP sender is granted to, or by a corrector with authority over its whole audience, that keeps sender and status and is neither wider nor louder for anybody",
		},
		{Action: Cancel, Does: "cancel an alert", Roles: []string{RoleComposer, RoleApprover}, Speaks: true, Others: true, Alone: AsEver},
		{Action: Approve, Does: "approve an alert of somebody else", Roles: ApproverRoles(), Inside: true, People: true, Alone: FreshPolicy},
		{Action: TypeApproval, Does: "type in the code with which somebody else, who may approve the alert, has approved it by voice", Roles: []string{RoleComposer, RoleApprover}, People: true, Alone: FreshPolicy},
		{Action: FollowUp, Does: "say that members were told by a person, and have devices present an alert again that nobody has confirmed", Roles: []string{RoleComposer, RoleApprover}, Inside: true, Alone: AsEver},
		{Action: Moderate, Does: "say what was made of a person's report: seen, hidden or forwarded", Roles: []string{RoleComposer, RoleApprover}, Inside: true, Alone: AsEver},
		{Action: WriteNotice, Does: "write a planned notice that goes through levels, and new versions of one's own", Roles: compose, People: true, Alone: Majority},
		{Action: ReviewNotice, Does: "comment on a planned notice of anybody and withdraw it, and pass it on or send it back at a level that asks for the caller, who did not write it", Roles: NoticeRoles(), Inside: true, People: true, Alone: Majority},

		{Action: ReadAlerts, Does: "read alerts, planned notices, what was shown where, events, splits, scenarios, licences and the policy", Roles: any, Alone: AsEver},
		{Action: ReadAudience, Does: "count a selection and read ids, kinds and places of its members, and by tags or languages counts in fives of at least five; read the places", Roles: any, Alone: AsEver},
		{Action: ReadPersons, Does: "read names, tags, languages, positions, addresses and telephone numbers", Roles: []string{RoleAudienceManager}, Alone: AsEver},
		{Action: ReadReports, Does: "read what people report, with photos and positions; their names only with the right to read persons", Roles: []string{RoleComposer, RoleApprover, RoleCorrector, RoleAudienceManager}, Alone: AsEver},
		{Action: ReadDevices, Does: "read the devices and where they are connected", Roles: any, Alone: AsEver},
		{Action: TestDevices, Does: "have devices test themselves silently, and one identify itself", Roles: []string{RoleComposer, RoleApprover, RoleDeviceManager}, There: true, Alone: AsEver},
		{Action: ReadDistrict, Does: "read how the nodes are", Roles: any, Alone: AsEver},
		{Action: ReadUsers, Does: "read the users", Alone: AsEver},
		{Action: ReadAudit, Does: "export the audit", Roles: []string{RoleAuditor}, Alone: AsEver},
		{Action: ReadErasures, Does: "read which pseudonyms stand for persons who were erased, and how long what is known of people is kept", Roles: []string{RoleAuditor}, Alone: AsEver},

		{Action: ChangeScenarios, Does: "change the scenarios", Alone: Majority},
		{Action: ChangeLicences, Does: "grant and revoke licences", Alone: Majority},
		{Action: ChangePolicy, Does: "change the policy", Alone: Majority},
		{Action: ChangeAudience, Does: "import members, change places", Roles: []string{RoleAudienceManager}, There: true, Alone: Majority},
		{Action: ChangeDevices, Does: "enrol and revoke devices, give them new secrets", Roles: []string{RoleDeviceManager}, There: true, Alone: Majority},
		{Action: ChangeUsers, Does: "add, change and revoke users", Alone: Majority},
		{Action: ChangeNodes, Does: "invite and remove nodes", Alone: Majority},
		{Action: ChangeRetention, Does: "set how long what is known of people is kept", Alone: Majority},
		{Action: ErasePersons, Does: "erase a person for good, and read what that would take away", People: true, Alone: Majority},
		{Action: Backup, Does: "take a backup, which holds the district's keys", Alone: AsEver},
	}
}

var table = Table()

// LineOf is the line of an action in the table; one that is not there is allowed to administrators only.
func LineOf(action Action) Line {
	i := slices.IndexFunc(table, func(l Line) bool { return l.Action == action })
	if i < 0 {
		return Line{Action: action, Alone: Majority}
	}
	return table[i]
}
