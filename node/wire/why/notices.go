package why

// Reasons about planned notices and their levels.
const (
	NeedsLevels      Reason = "needs-levels"
	NoNotice         Reason = "no-notice"      // its id
	NoticeChanged    Reason = "notice-changed" // since it was read, or it waits elsewhere
	NoticeOver       Reason = "notice-over"    // how it stands
	NoticeFull       Reason = "notice-full"
	NoticeGoesOut    Reason = "notice-goes-out"
	NoticeMayBeOut   Reason = "notice-may-be-out" // the id of the alert
	NoticesName      Reason = "notices-name"
	NoticesOpen      Reason = "notices-open"    // the most of one author
	NoticeOthers     Reason = "notice-others"   // who wrote it
	NoticeSame       Reason = "notice-same"     // the version that says the same
	NoticeVersions   Reason = "notice-versions" // the most
	NoticeText       Reason = "notice-text"     // characters
	NoticeTime       Reason = "notice-time"     // days
	NoLevels         Reason = "no-levels"
	NotPlanned       Reason = "not-planned"
	NoticeIncomplete Reason = "notice-incomplete"
	NoticeUnfit      Reason = "notice-unfit" // the node's sentence
	NoticeLarge      Reason = "notice-large" // KiB
	NoticeEnds       Reason = "notice-ends"
	TooFewPeople     Reason = "too-few-people"     // the level
	NoNoticeLanguage Reason = "no-notice-language" // the language
	NoticesWait      Reason = "notices-wait"
	NotAtLevel       Reason = "not-at-level" // the level
	OwnNotice        Reason = "own-notice"
	PassedBefore     Reason = "passed-before"   // the level
	LinesUnticked    Reason = "lines-unticked"  // the first of them
	LevelWrong       Reason = "level-wrong"     // its number; the node's sentence
	LevelsMany       Reason = "levels-many"     // the most
	CareWordUnfit    Reason = "care-word-unfit" // characters
	CareWordsMany    Reason = "care-words-many" // the most
)
