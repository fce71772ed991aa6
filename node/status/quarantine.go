package status

import (
	"errors"

	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// quarantined says what a person has to know and to do. A node that has nothing of the state left warns nobody.
func quarantined(q *marks.Quarantine, nothing bool) why.Sentence {
	warned := why.Sayf("devices here are still warned").Because(why.DevicesWarned)
	if nothing {
		warned = why.Sayf("it has nothing left by which to warn devices").Because(why.DevicesNotWarned)
	}
	if q.By == nil {
		return why.Sayf("this node is quarantined since %s, because its disk does not hold what it wrote (%s); %s; "+
			"replace the disk if it is old, and let the node come back under a new id with almenara rejoin", q.At.UTC().Format("2006-01-02 15:04 MST"), q.Reason, warned).
			Because(why.QuarantinedDisk, q.At, warned, errors.New(q.Reason))
	}
	since := q.By.Time().UTC().Format("2006-01-02 15:04 MST")
	if q.By.Why == identity.WhyRestore {
		return why.Sayf("a backup of the district was restored without this node (incarnation %d, %s); %s; "+
			"let it join that with almenara rejoin, or, where no such thing was meant, stop the copy, recover one of the old nodes with almenara recover, and rejoin the others",
			q.By.Number, since, warned).Because(why.QuarantinedRestore, q.By.Number, q.By.Time(), warned)
	}
	return why.Sayf("the district was recovered without this node (incarnation %d, %s); %s; "+
		"let it join anew with almenara rejoin", q.By.Number, since, warned).Because(why.QuarantinedRecover, q.By.Number, q.By.Time(), warned)
}

// Trust is asked by the API before it reads the agreed state: while the state may be damaged, nothing is read from it
// as if it were true.
func (r *Reporter) Trust() error {
	if q := r.cluster.Quarantine(); q != nil && q.By == nil {
		return wire.Problemf(wire.KindNotReady, "%s", quarantined(q, false)).Because(why.Quarantined)
	}
	return nil
}
