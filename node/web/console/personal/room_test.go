package personal

import (
	"testing"

	"almenara/node/web/console/pagetest"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"personal": &personalPage{}, "erase": &erasePage{}}
	})
}
