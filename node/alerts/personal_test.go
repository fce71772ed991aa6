package alerts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/factbody"
)

func TestPersonal_IsWhatTagsLanguagesAndAddressesChoose(t *testing.T) {
	for name, c := range map[string]struct {
		targets []audience.Target
		want    bool
	}{
		"an area":           {[]audience.Target{{Area: true}}, false},
		"kinds and places":  {[]audience.Target{{Select: "kind = person and place under a"}}, false},
		"one of two":        {[]audience.Target{{Area: true}, {Select: "has care"}}, true},
		"a language":        {[]audience.Target{{Select: "language = en"}}, true},
		"addresses":         {[]audience.Target{{Select: "all", Addresses: []string{"85291234567"}}}, true},
		"what is no such":   {[]audience.Target{{Select: "("}}, true},
		"nobody in earnest": {nil, false},
	} {
		require.Equal(t, c.want, (&Message{Issue: factbody.Issue{Targets: c.targets}}).Personal(), name)
	}
}
