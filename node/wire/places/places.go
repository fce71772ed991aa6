// Package places has the bodies about one place of the tree and changes of it, and reads outlines as GeoJSON
// has them.
package places

import "almenara/node/wire"

// ShownPlace is one place with what a change of it would concern.
type ShownPlace struct {
	Place   wire.Place `json:"place"`              // as it is
	Version string     `json:"version"`            // of the place, to be given with a change
	Members uint64     `json:"members"`            // at the place and below it
	Devices uint64     `json:"devices"`            // that are enrolled for them
	Below   int        `json:"below"`              // places below it that have details
	NamedBy []Naming   `json:"named_by,omitempty"` // what names it or a place below it by its path: it is neither moved nor removed; by a code: not removed
}

// Naming is something that names a place or one below it.
type Naming struct {
	Kind  string `json:"kind"`            // a By constant
	ID    string `json:"id"`              // of that, or the name of a user
	Title string `json:"title,omitempty"` // of a scenario
	Code  string `json:"code,omitempty"`  // by which an area cites it, such as "HK-DC = L"; absent: by its path
}

// What may name a place.
const (
	ByScenario = "scenario"
	ByUser     = "user"
	ByLicence  = "licence"
	ByNotice   = "notice"
	ByAlert    = "alert"
)

// VersionNone in ChangePlace.Version says that there must be no such place yet; in ShownPlace.Version, that nothing is
// known of the place but that members are in it.
const VersionNone = "none"

// ChangePlace changes one place, adds it or removes it.
type ChangePlace struct {
	Path    string `json:"path"`              // of the place as it is; of a new one as it will be
	Version string `json:"version,omitempty"` // as it was read, or "none"; where it is another by now, nothing is changed; absent is whatever it is
	// Place is all that is known of it from now on. Where it has another path, all that is in the place goes
	// there with it: places and members.
	Place *wire.Place `json:"place,omitempty"`
	// SharedCodes says that a code which is added may be one of another place, too: an area that cites it means both.
	SharedCodes bool `json:"shared_codes,omitempty"`
	Remove      bool `json:"remove,omitempty"`  // instead of place
	DryRun      bool `json:"dry_run,omitempty"` // only say what would change
}

// ChangedPlace says what a change does.
type ChangedPlace struct {
	DryRun  bool         `json:"dry_run,omitempty"` // nothing was changed
	Path    string       `json:"path"`              // where the place is from now on; of a removed one where it was
	Version string       `json:"version,omitempty"` // of the place from now on; absent where it is removed
	Members uint64       `json:"members"`           // at the place and below it; they go with it where its path changes
	Devices uint64       `json:"devices"`           // that are enrolled for those members
	Below   int          `json:"below"`             // places below it that have details; they go with it, too
	Changes []Difference `json:"changes"`           // empty: nothing changes
}

// Difference is one thing that is another one after a change.
type Difference struct {
	What     string `json:"what"`               // a Changes constant
	Language string `json:"language,omitempty"` // of a name
	Before   string `json:"before,omitempty"`   // absent: there was none
	After    string `json:"after,omitempty"`    // absent: there is none
}

// What changes of a place.
const (
	ChangesPath     = "path"
	ChangesName     = "name"
	ChangesPosition = "position"
	ChangesOutline  = "outline" // Before and After are how many corners it has
	ChangesCode     = "code"
)
