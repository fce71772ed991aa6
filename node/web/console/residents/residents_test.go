package residents

import (
	"testing"

	"almenara/node/web/console/pagetest"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, nil), func() map[string]any { return map[string]any{"residents": &residentsPage{}} })
}
