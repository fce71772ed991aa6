package agreed

import (
	"almenara/storage"
	"almenara/storage/rights"
)

// Authority is who may warn how, as it is agreed here: one moment's state.
type Authority struct {
	Version   uint64 // raft index of its last change; 0: never
	Policy    rights.Policy
	Licences  []rights.Licence  // by id, also revoked and past ones
	Scenarios []rights.Scenario // by id, without removed ones
}

// Authority reads scenarios, licences and the policy in one view.
func (r *Reader) Authority() (a Authority, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		if a.Version, err = rights.PolicyVersion.Value(t); err != nil {
			return err
		}
		if a.Policy, err = rights.PolicyRecord.Value(t); err != nil {
			return err
		}
		if a.Licences, err = rights.Licences.All(t); err != nil {
			return err
		}
		a.Scenarios, err = rights.Scenarios.Live(t)
		return err
	})
	return a, err
}
