package channels

import (
	"fmt"
	"slices"
	"time"

	"almenara/channels/contract"
)

// manifest signs what is in force and what has ended at now. Its version is used
// up even when signing fails.
func (d *Dispatcher) manifest(now time.Time) ([]byte, error) {
	d.version = max(d.options.Version(d.version, now), d.version+1)
	m := contract.Manifest{
		Time: now.UTC(), Node: d.options.Node, Version: d.version,
		InForce: []contract.InForce{}, Ended: newestFirst(d.situation.Ended),
	}
	for _, p := range d.prepared {
		if now.Before(p.item.Expires) {
			m.InForce = append(m.InForce, contract.InForce{
				ID: string(p.item.Alert), Revision: uint64(p.item.Revision),
				Digest: p.item.Digest, Expires: p.item.Expires.UTC(),
			})
		}
	}
	if cut := fitManifest(&m, d.options.Signer.SignedSize); cut > 0 {
		d.options.Logger.Warn("manifest too large, entries left out", "entries", cut)
	}
	signed, err := d.options.Signer.Sign(m)
	if err != nil {
		return nil, fmt.Errorf("signing manifest %d: %w", m.Version, err)
	}
	return signed, nil
}

// newestFirst copies the ends, the most recent first: those matter most, and stay
// when the list has to be cut.
func newestFirst(ended []contract.Ended) []contract.Ended {
	sorted := append([]contract.Ended{}, ended...)
	slices.SortStableFunc(sorted, func(a, b contract.Ended) int { return b.At.Compare(a.At) })
	return sorted
}

// fitManifest cuts the manifest to MaxBody: always the longer of the two lists, of
// ends the oldest, of alerts the quietest. So neither a flood of drills hides the end
// of an emergency, nor a flood of ends an emergency. It returns how many entries it
// left out.
func fitManifest(m *contract.Manifest, signedSize func(payload int) int) int {
	before := len(m.Ended) + len(m.InForce)
	for signedSize(jsonSize(m)) > MaxBody && len(m.Ended)+len(m.InForce) > 0 {
		if len(m.Ended) > len(m.InForce) {
			m.Ended = m.Ended[:len(m.Ended)*9/10]
		} else {
			m.InForce = m.InForce[:len(m.InForce)*9/10]
		}
	}
	return before - len(m.Ended) - len(m.InForce)
}
