package contract

// The names of State.Health that nodes understand. Each may be left out; other names are for the
// console's eyes and for tests. Values are texts of at most MaxStateText bytes; times are RFC 3339.
const (
	HealthLevel     = "level"     // A to D: what a page would survive, see CONTRACT.md §4.8
	HealthEngine    = "engine"    // what draws: the browser and its version
	HealthSound     = "sound"     // one of SoundsThatAreHeard, or why nothing is heard
	HealthVoice     = "voice"     // languages that it can speak, with spaces between
	HealthLacks     = "lacks"     // languages whose letters it cannot draw, with spaces between
	HealthDisplay   = "display"   // DisplayPainted, DisplayNothing, or why what is in force cannot be seen
	HealthStore     = "store"     // what keeps its memory: indexeddb, localstorage, file or StoreNone
	HealthPersisted = "persisted" // yes or no: whether the browser has promised not to throw it away
	HealthAwake     = "awake"     // yes or no: whether something keeps it from going to sleep
	HealthKeys      = "keys"      // time of the key ring that it believes
	HealthDrawn     = "drawn"     // ALERT/REVISION that it presented last
	HealthDrawnAt   = "drawn-at"  // when, by the corrected clock
	HealthQueued    = "queued"    // receipts that waited when the connection came
	HealthReloads   = "reloads"   // how often it began anew since it was enrolled
	HealthMemory    = "memory"    // MB that it uses, in steps of 16
	HealthRefused   = "refused"   // what it refused last, and why
	HealthPicture   = "picture"   // PictureVisible, PictureUnknown, or what a picture of the screen shows in the place of the page
	HealthPower     = "power"     // of the screen: on, standby or PowerUnknown
)

// Values that have a meaning.
const (
	DisplayPainted = "painted"
	DisplayNothing = "nothing in force"
	StoreNone      = "none"
	PictureVisible = "visible"
	PictureUnknown = "unknown"
	PowerUnknown   = "unknown"
)

// SoundsThatAreHeard are the values of HealthSound of a device that can be heard, as far as it
// knows: it may sound, or has sounded.
var SoundsThatAreHeard = []string{"armed", "played", "sent"}

// ExercisedBy is what a test of a device of this kind exercises.
func ExercisedBy(kind string) string {
	if kind == "speaker" {
		return ExercisedSound
	}
	return ExercisedDisplay
}
