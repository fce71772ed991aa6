package status

import (
	"fmt"

	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// stillWarned is true of a quarantined node that has anything of the state left.
const stillWarned = "devices here are still warned"

// quarantined says what a person has to know and to do.
func quarantined(q *marks.Quarantine) string {
	if q.By == nil {
		return fmt.Sprintf("this node is quarantined since %s, because its disk does not hold what it wrote (%s); "+stillWarned+"; "+
			"replace the disk if it is old, and let the node come back under a new id with almenara rejoin", q.At.UTC().Format("2006-01-02 15:04 MST"), q.Reason)
	}
	since := q.By.Time().UTC().Format("2006-01-02 15:04 MST")
	if q.By.Why == identity.WhyRestore {
		return fmt.Sprintf("a backup of the district was restored without this node (incarnation %d, %s); "+stillWarned+"; "+
			"let it join that with almenara rejoin, or, where no such thing was meant, stop the copy, recover one of the old nodes with almenara recover, and rejoin the others",
			q.By.Number, since)
	}
	return fmt.Sprintf("the district was recovered without this node (incarnation %d, %s); "+stillWarned+"; "+
		"let it join anew with almenara rejoin", q.By.Number, since)
}

// Trust is asked by the API before it reads the agreed state: while the state may be damaged, nothing is read from it
// as if it were true.
func (r *Reporter) Trust() error {
	if q := r.cluster.Quarantine(); q != nil && q.By == nil {
		return wire.Problemf(wire.KindNotReady, "%s", quarantined(q)).Because(why.Quarantined)
	}
	return nil
}
