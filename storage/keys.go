package storage

import "encoding/binary"

// The key schema. Numbers are big-endian, so that keys sort as the numbers do; an
// origin ends with NUL, which no node id contains. Values are canonical CBOR
// records unless said otherwise. The packages of records have the prefixes of theirs; here are
// all of them, so that none is given twice. Everything but !applied, chk/ and res/ is agreed:
// equal, byte for byte, on every replica at the same index.
//
//	!applied                              Applied: how far this database has come
//	adp/ index8 n2                        factlog.Adoption: alert messages in log order
//	aud/ n8                               audit.Entry
//	auh                                   audit.Head
//	cap/ alert.Key.ID                     factlog.CAPMark: who owns a CAP triplet
//	chk/ alert26 revision8 rung1          tally checkpoint, of cluster/tallies (derived, not hashed)
//	cre/ user name                        signin.Credential
//	dev/ device id                        Device; revoked ones stay
//	dst                                   noderecord.District
//	erp/ report id                        pseudonym of the erased person whose report it was (raw)
//	ers/ pseudonym                        personal.Erasure
//	fct/ origin 0 stream1 epoch8 seq8     0x00 signed fact, or 0x01 key of the receipt block
//	fid/ id32                             place of the fact: the fct/ key's rest
//	imp/ import 0 'c' chunk4              staged members (raw member records)
//	imr/ import                           member.Import
//	jtk/ hash32                           noderecord.JoinToken; used ones stay
//	key                                   noderecord.KeyRing
//	lic/ licence id                       rights.Licence; revoked ones stay
//	mem/ member id                        member record (compact, see member/member.go); removed ones stay
//	mrk/ origin 0 stream1 epoch8          factlog.Mark: highest contiguous sequence number
//	nod/ node id                          noderecord.Node; removed ones stay
//	ntc/ notice id                        notice.Notice; those over are deleted after 400 days
//	nte/ ms8 notice id                    notice.End: when it was over; deleted with the notice
//	nto                                   ids of the notices that are not over, a list
//	ntv/ notice id "/" n4                 notice.Version
//	ord/ ordinal4                         member id (raw)
//	orn                                   next ordinal (4 bytes)
//	plc/ path                             member.PlaceRecord; removed ones stay
//	pol                                   rights.Policy
//	pov                                   raft index of the last change of pol, scn/ or lic/ (8 bytes)
//	rcp/ alert26 index8 n2                signed receipt block fact; words of answers may be erased
//	rec/ kind1 index8 n2                  id of an adopted fact of a listed kind (raw)
//	res/ slot4                            results.Result: ring of the last 10,000
//	ret                                   personal.Retention
//	rmv/ what1                            personal.Removal
//	rsn                                   results ever recorded (8 bytes)
//	scn/ scenario id                      rights.Scenario; removed ones stay
//	ses/ hash32                           signin.Session; ended ones stay a day beyond their end
//	tgt/ alert26 revision8                factlog.Target: whom an alert addressed at adoption
//	tok/ hash32                           name of the token's user (raw); empty once replaced
//	usr/ name                             User; revoked ones stay
var (
	keyApplied = []byte("!applied")
	prefDevice = []byte("dev/")
	prefToken  = []byte("tok/")
	prefUser   = []byte("usr/")
)

// PrefCheck begins the keys of what each replica derives for itself: it is in dumps and in no hash.
var PrefCheck = []byte("chk/")

// PrefResult begins the keys of the answers to requests: they are in dumps and in no hash.
var PrefResult = []byte("res/")

// Key is the key that begins with prefix and ends with rest.
func Key[S ~string | ~[]byte](prefix []byte, rest S) []byte {
	return append(append(make([]byte, 0, len(prefix)+len(rest)), prefix...), rest...)
}

// Key32 is prefix and a number.
func Key32(prefix []byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, len(prefix)+4), prefix...), n)
}

// Key64 is prefix and a number.
func Key64(prefix []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, len(prefix)+8), prefix...), n)
}

// AlertKey is prefix, the id of an alert and a number.
func AlertKey(prefix []byte, alert string, n uint64) []byte {
	return binary.BigEndian.AppendUint64(Key(prefix, alert), n)
}
