package status

import (
	"cmp"
	"context"
	"time"

	"almenara/node/expiry"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// expiring is everything here that ends one day.
func (r *Reporter) expiring() ([]expiry.Thing, error) {
	id := r.cluster.Identity()
	things := []expiry.Thing{
		{Kind: expiry.Certificate, Name: why.Sayf("the certificate of this node").Because(why.ThingCertificate), Ends: id.Cert.NotAfter, Then: why.Sayf("it should have been made anew long ago; look at the log, and at the clock").Because(why.DoCertificate)},
		{Kind: expiry.Authority, Name: why.Sayf("the district's authority").Because(why.ThingAuthority), Ends: id.District.CA.NotAfter, Then: why.Sayf("begin a new district and enrol the devices there").Because(why.DoAuthority)},
	}
	nodes, ring, err := r.ring.Read()
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, node := range nodes {
		names[node.ID] = node.Name
	}
	for _, k := range ring.Keys {
		node := cmp.Or(names[k.Node], k.Node)
		things = append(things, expiry.Thing{
			Kind: expiry.Key, Name: why.Sayf("the key of node %s", node).Because(why.ThingKey, node), Ends: time.UnixMilli(k.NotAfter),
			Then: why.Sayf("the leader renews it a year before; look why it does not").Because(why.DoKey),
		})
	}
	rules, err := r.state.Authority()
	if err != nil {
		return nil, err
	}
	for _, l := range rules.Licences {
		ends := time.UnixMilli(l.Until)
		if !l.Revoked && r.clock().Before(ends) {
			things = append(things, expiry.Thing{
				Kind: expiry.Licence, Name: why.Sayf("licence %s of %s", l.ID, l.Operator).Because(why.ThingLicence, l.ID, l.Operator), From: time.UnixMilli(l.GrantedAt), Ends: ends,
				Then: why.Sayf("grant another one if it is needed").Because(why.DoLicence),
			})
		}
	}
	return things, nil
}

// endingSoon is what ends soon, the first one first.
func (r *Reporter) endingSoon(now time.Time) []expiry.Thing {
	things, err := r.expiring()
	if err != nil {
		r.log.Error("reading what ends soon", "error", err)
	}
	return expiry.Soon(things, now)
}

// expirySentences says it to an operator.
func (r *Reporter) expirySentences() (sentences why.Sentences) {
	now := r.clock()
	for _, t := range r.endingSoon(now) {
		sentences = append(sentences, t.Sentence(now))
	}
	return sentences
}

// ends is the same for programs.
func (r *Reporter) ends() (out []wire.Ending) {
	for _, t := range r.endingSoon(r.clock()) {
		out = append(out, wire.Ending{Kind: t.Kind, Name: t.Name, At: t.Ends.UTC(), Then: t.Then})
	}
	return out
}

// FirstEnd is the first end of a kind, in seconds since 1970; 0 when there is none.
func (r *Reporter) FirstEnd(kind string) float64 {
	things, err := r.expiring()
	if first := expiry.First(things, kind); err == nil && !first.IsZero() {
		return float64(first.Unix())
	}
	return 0
}

// LogExpiry writes what ends soon into the log once a day, until ctx ends.
func (r *Reporter) LogExpiry(ctx context.Context) {
	ticker := time.NewTicker(24 * time.Hour)
	defer ticker.Stop()
	soon := time.After(time.Minute) // after the start, when the state is there
	for {
		select {
		case <-ctx.Done():
			return
		case <-soon:
		case <-ticker.C:
		}
		for _, sentence := range r.expirySentences() {
			r.log.Warn(sentence.Text)
		}
	}
}
