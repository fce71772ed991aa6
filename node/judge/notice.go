package judge

import (
	"regexp"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// NoticeName is how the identifiers of alerts begin that are planned notices; the id of the notice and the number
// of its version follow.
const NoticeName = "notice-"

var noticeName = regexp.MustCompile("^" + NoticeName + "[a-z0-9]{12}-[0-9]{1,4}$")

// NamedAsNotice refuses the identifier of a planned notice, for a message that is none: of two with one name the
// first one stands, so the notice could not go out.
func NamedAsNotice(identifier string) error {
	if !noticeName.MatchString(identifier) {
		return nil
	}
	return wire.Problemf(wire.KindRefused, "nothing was sent: %s is the identifier of a planned notice, and this is none; leave the identifier to the node", identifier).Because(why.NoticesName)
}
