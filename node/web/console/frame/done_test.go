package frame

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A link from elsewhere makes no page say that something was done.
func TestAttack_ALinkFromElsewhereSaysNothingIsDone(t *testing.T) {
	for from, want := range map[string]string{"": "revoked", "same-origin": "revoked", "same-site": "", "cross-site": "", "none": ""} {
		q := &Request{R: httptest.NewRequest("GET", "/console/licences?done=revoked", nil)}
		if from != "" {
			q.R.Header.Set("Sec-Fetch-Site", from)
		}
		require.Equal(t, want, q.Done(), from)
	}
}
