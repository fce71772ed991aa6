package agreed

import (
	"almenara/storage"
	"almenara/storage/notice"
	"almenara/storage/rights"
)

// Notices reads the planned notices that are not over, and the last ones that are, newest first, as many as
// over says.
func (r *Reader) Notices(over int) (open, past []notice.Notice, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		if open, err = notice.Open(t); err != nil || over == 0 {
			return err
		}
		past, err = notice.LastOver(t, over)
		return err
	})
	return open, past, err
}

// Notice reads a planned notice with what its versions say, in order; false where there is none.
func (r *Reader) Notice(id string) (n notice.Notice, said []notice.Version, ok bool, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		if n, ok, err = notice.Notices.Get(t, id); err != nil || !ok {
			return err
		}
		for v := range n.Versions {
			one, _, err := notice.Versions.Get(t, notice.VersionKey(id, v+1))
			if err != nil {
				return err
			}
			said = append(said, one)
		}
		return nil
	})
	return n, said, ok, err
}

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
