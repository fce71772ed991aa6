package contents

import (
	"testing"

	"almenara/node/web/console/pagetest"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(), func() map[string]any { return map[string]any{"contents": &contentsPage{}} })
}
