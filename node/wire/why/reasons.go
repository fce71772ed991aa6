package why

// A comment says what fills a text in. Where it says "the node's sentence", that is an error, which is
// shown behind the text, in English.

// Reasons about devices and letting them in.
const (
	EmergencyNow       Reason = "emergency-now"
	NoDeviceAt         Reason = "no-device-at" // the places
	TestsRun           Reason = "tests-run"
	NoDevice           Reason = "no-device"            // its id
	TestsManyRun       Reason = "tests-many-run"       // how many
	DeviceNodeSilent   Reason = "device-node-silent"   // its id
	DeviceNotSeen      Reason = "device-not-seen"      // its id, the nodes that did not answer
	DeviceNotConnected Reason = "device-not-connected" // its id
	DeviceNameMissing  Reason = "device-name-missing"
	DeviceTwice        Reason = "device-twice"         // its id
	DevicesEnrolled    Reason = "devices-enrolled"     // how many
	NoMemberForDevice  Reason = "no-member-for-device" // the device, the member
	DeviceUnfit        Reason = "device-unfit"         // its id; the node's sentence
	LineColumns        Reason = "line-columns"         // the beginning of the line, how many
	EnrolMany          Reason = "enrol-many"           // the most, how many
	EnrolCodeWrong     Reason = "enrol-code-wrong"
	EnrolDecided       Reason = "enrol-decided"
	EnrolGone          Reason = "enrol-gone"
	SheetCodes         Reason = "sheet-codes" // the most, how many
	CodesOpen          Reason = "codes-open"  // how many, the most
)

// Reasons about forms, lists and what a browser asks for.
const (
	TextLong    Reason = "text-long"  // characters
	BytesLong   Reason = "bytes-long" // bytes
	FormWrong   Reason = "form-wrong"
	FormLarge   Reason = "form-large" // bytes
	InWords     Reason = "in-words"   // the sentence, in the reader's language
	PageGone    Reason = "page-gone"
	NoSuchID    Reason = "no-such-id" // what was typed
	IDsMany     Reason = "ids-many"   // what was typed
	OtherSite   Reason = "other-site"
	HostUnknown Reason = "host-unknown" // the name
	ForPeople   Reason = "for-people"
)

// Reasons about approving by a code that is read out.
const (
	NumberWrong Reason = "number-wrong" // what was typed
	OwnCode     Reason = "own-code"
	CodeMissing Reason = "code-missing"
)

// Reasons about people, signing in and licences.
const (
	PersonsOnly       Reason = "persons-only" // who
	NoRole            Reason = "no-role"
	RoleUnknown       Reason = "role-unknown" // what was given
	RoleUnfit         Reason = "role-unfit"   // the role
	UserIncomplete    Reason = "user-incomplete"
	UserNameUnfit     Reason = "user-name-unfit"
	UserNameAlike     Reason = "user-name-alike" // the name of the other one
	UserChanged       Reason = "user-changed"    // meanwhile, by somebody else; the name
	NoUser            Reason = "no-user"         // the name
	SenderOwn         Reason = "sender-own"      // the CAP sender
	SenderUnfit       Reason = "sender-unfit"    // what was given
	SystemSenders     Reason = "system-senders"
	SystemRole        Reason = "system-role" // the role
	HasPassword       Reason = "has-password"
	FactorCodeWrong   Reason = "factor-code-wrong"
	SessionsMany      Reason = "sessions-many"
	SignInsMany       Reason = "sign-ins-many"
	SignInTries       Reason = "sign-in-tries"
	SignInCodes       Reason = "sign-in-codes"
	PasswordUnfit     Reason = "password-unfit"
	SignInWrong       Reason = "sign-in-wrong"
	RecoveryAlone     Reason = "recovery-alone"
	TokenUnknown      Reason = "token-unknown"
	NobodyYet         Reason = "nobody-yet"
	SessionEnded      Reason = "session-ended"
	SignedOutHere     Reason = "signed-out-here"
	LicenceIncomplete Reason = "licence-incomplete"
	DaysWrong         Reason = "days-wrong" // what was typed
)

// Reasons about sending and changing alerts.
const (
	NotForSender     Reason = "not-for-sender" // the CAP sender
	LeaveIdentifier  Reason = "leave-identifier"
	UnknownToLimited Reason = "unknown-to-limited" // the caller, or to what the caller is limited
	NotInPlaces      Reason = "not-in-places"      // the caller's places
	NotAtPlaces      Reason = "not-at-places"      // what is elsewhere, the caller's places
	NameYourPlace    Reason = "name-your-place"    // the caller's places
	SelectInPlaces   Reason = "select-in-places"   // a place of the caller
	NoBlanks         Reason = "no-blanks"
	EndsBoth         Reason = "ends-both"
	MessageLarge     Reason = "message-large"
	SelectionMissing Reason = "selection-missing"
	NotCAP           Reason = "not-cap"   // the node's sentence
	NotValid         Reason = "not-valid" // what is wrong is its points
	SaysNothing      Reason = "says-nothing"
	TextTaken        Reason = "text-taken"
	EndPast          Reason = "end-past"
	AreasMissing     Reason = "areas-missing"    // the language
	LanguageMissing  Reason = "language-missing" // those that it has
	IncidentUnfit    Reason = "incident-unfit"   // the most characters
	OthersChange     Reason = "others-change"
	OthersSend       Reason = "others-send"
	ClockBehind      Reason = "clock-behind" // seconds
	LaterStands      Reason = "later-stands"
	OriginalsMany    Reason = "originals-many" // the author, MiB, until when
	AlertsWait       Reason = "alerts-wait"
	TimesMissing     Reason = "times-missing"
	PictureUnfit     Reason = "picture-unfit"     // KiB
	BudgetReferences Reason = "budget-references" // how many, the most
	BudgetMessages   Reason = "budget-messages"   // how many
	BudgetUnseen     Reason = "budget-unseen"     // how many
	BudgetOwn        Reason = "budget-own"        // who, how many, until when
	BudgetDistrict   Reason = "budget-district"   // how many, until when
	BudgetSender     Reason = "budget-sender"     // who, how many, where, until when
	BudgetPlace      Reason = "budget-place"      // where, how many, until when
	BudgetMemory     Reason = "budget-memory"     // the most, until when
	BudgetPace       Reason = "budget-pace"       // who, how many, seconds
	CornerWrong      Reason = "corner-wrong"      // what was typed
	CornersFew       Reason = "corners-few"       // how many
	CircleWrong      Reason = "circle-wrong"      // what was typed
	RadiusWrong      Reason = "radius-wrong"      // what was typed, the most metres
)

// Reasons about places, members and selections.
const (
	TellsOfFew       Reason = "tells-of-few"    // the role
	FewSelected      Reason = "few-selected"    // the fewest, the role
	NoPlace          Reason = "no-place"        // what was given; the node's sentence
	PlaceUnknown     Reason = "place-unknown"   // the place, its beginning
	KindUnknown      Reason = "kind-unknown"    // the kind, the usual ones
	VisitedOutside   Reason = "visited-outside" // the place, the places of the caller
	NoPlaceHere      Reason = "no-place-here"   // what was given
	NoResidents      Reason = "no-residents"
	SpanUnfit        Reason = "span-unfit"         // the node's sentence
	PlaceUnfit       Reason = "place-unfit"        // the place; the node's sentence
	SelectionWrong   Reason = "selection-wrong"    // the node's sentence
	NoMember         Reason = "no-member"          // its id
	WhoseWord        Reason = "whose-word"         // bytes
	RetentionUnfit   Reason = "retention-unfit"    // the least months of planned notices, the most months, the most days
	NotForMember     Reason = "not-for-member"     // its id
	FileLarge        Reason = "file-large"         // MiB
	FileUnreadable   Reason = "file-unreadable"    // the node's sentence
	FilesWait        Reason = "files-wait"         // how many
	ImportFault      Reason = "import-fault"       // the error
	ImportChange     Reason = "import-change"      // likewise
	MoreFaults       Reason = "more-faults"        // how many
	LacksMembers     Reason = "lacks-members"      // how many devices
	MembersMany      Reason = "members-many"       // the most
	EstateMembers    Reason = "estate-members"     // the estate, the most
	EstateDevices    Reason = "estate-devices"     // the estate, the most
	EstatePlaces     Reason = "estate-places"      // the estate, the most
	MemberHasDevices Reason = "member-has-devices" // the member, how many
	ImportGoesOn     Reason = "import-goes-on"
)

// Reasons about scenarios and the policy.
const (
	NoScenario      Reason = "no-scenario"    // its id
	RuleWrong       Reason = "rule-wrong"     // its number
	ApprovalsMany   Reason = "approvals-many" // the most
	NoBlank         Reason = "no-blank"       // its name
	BlanksMany      Reason = "blanks-many"    // the most
	BlankStray      Reason = "blank-stray"
	BlankDecides    Reason = "blank-decides"    // the CAP element
	BlankRule       Reason = "blank-rule"       // its name
	LineUnfit       Reason = "line-unfit"       // characters
	ScenarioChanged Reason = "scenario-changed" // meanwhile, by somebody else; its id
	ScenarioThere   Reason = "scenario-there"   // its id
	ScenarioUnfit   Reason = "scenario-unfit"   // the node's sentence
	ScenarioLook    Reason = "scenario-look"    // tier, sound or confirm, what it says, what it would be
	ScenarioLong    Reason = "scenario-long"    // minutes
)

// Reasons about what follows an alert.
const (
	NotForPlace   Reason = "not-for-place"
	MarkedMany    Reason = "marked-many"    // the most
	RemindMinutes Reason = "remind-minutes" // the most
	AnswersNeeded Reason = "answers-needed" // the most
	GroupMinutes  Reason = "group-minutes"  // the most
	GroupCount    Reason = "group-count"    // the most after the first
	FirstGroup    Reason = "first-group"    // is missing
	GroupsUnshown Reason = "groups-unshown" // devices show no such message
	NoReport      Reason = "no-report"      // its id
	NoPhoto       Reason = "no-photo"
	PhotoGone     Reason = "photo-gone"
	NoOriginal    Reason = "no-original"
	NotHereYet    Reason = "not-here-yet"
	NoSpeech      Reason = "no-speech"
	SpeechBusy    Reason = "speech-busy"
	NoAuditLine   Reason = "no-audit-line" // its number
)

// Reasons about the node and the district.
const (
	NoNode           Reason = "no-node" // the name
	CopyBeingWritten Reason = "copy-being-written"
	DiskFull         Reason = "disk-full"
	LeaderFull       Reason = "leader-full"
	Behind           Reason = "behind"
	Stopping         Reason = "stopping"
	EntryLarge       Reason = "entry-large"
	Busy             Reason = "busy"
	OpenMany         Reason = "open-many"
	Unknown          Reason = "unknown"
	RecordGone       Reason = "record-gone"    // the node's sentence
	RecordDiffers    Reason = "record-differs" // the node's sentence
	RecordUnfit      Reason = "record-unfit"   // the node's sentence
	NodesOld         Reason = "nodes-old"      // their names
	Quarantined      Reason = "quarantined"
	Fault            Reason = "fault"
)
