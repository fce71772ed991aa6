package node_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/wire"
)

// TestStatus_SaysInTimeThatALicenceEnds, and nothing before.
func TestStatus_SaysInTimeThatALicenceEnds(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	agreed(d, func() (wire.User, error) {
		return d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "duty", Roles: []string{"composer"}})
	})
	agreed(d, func() (wire.Licence, error) {
		return d.client(0).GrantLicence(d.ctx(), wire.Licence{Operator: "duty", Scenarios: []string{"*"}, Place: "tuen-mun", Until: time.Now().Add(80 * 24 * time.Hour)})
	})
	warned := func() string {
		s, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
		require.NoError(t, err)
		return strings.Join(s.Warnings.Texts(), "\n")
	}
	require.NotContains(t, warned(), "licence")
	d.stop(0)
	ahead.Store(int64(51 * 24 * time.Hour))
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	require.Contains(t, warned(), "of duty ends on ")
}
