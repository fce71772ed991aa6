package apply

// Change is a set of kinds of records.
type Change uint32

// The kinds of records.
const (
	ChangedMembers Change = 1 << iota
	ChangedPlaces
	ChangedDevices
	ChangedUsers
	ChangedNodes
	ChangedTokens
	ChangedKeys
	ChangedDistrict
	ChangedAlerts
	ChangedReceipts
	ChangedImports
	ChangedAuthority // scenarios, licences, policy
	ChangedSessions  // and passwords
	ChangedNotices
	ChangedPersonal        // persons were erased, or what is old was removed
	ChangedAll      Change = 1<<32 - 1
)
