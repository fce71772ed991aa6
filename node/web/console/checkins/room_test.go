package checkins

import (
	"testing"

	"almenara/node/web/console/pagetest"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"checkins": &checkinsPage{}, "place-codes": &codesPage{}}
	})
}
