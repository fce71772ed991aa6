package delivery

import (
	"slices"
	"strings"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
)

// MaxFilters bounds the subscriptions below a device's own prefix.
const MaxFilters = 16

// ownFilter is a subscription below the device's own prefix.
type ownFilter struct {
	leaf string // the filter without the prefix: alert/#, command, …
	qos  int8
}

// Grant subscribes the device to one filter, unless Refusal refuses it, and returns the
// QoS that it is granted. p is what holds now: who wants nothing retained has it already.
func (r *Receiver) Grant(f packet.Filter, p *Plan) (qos byte, refusal packet.Code) {
	if refusal = r.Refusal(f); refusal != packet.CodeSuccess {
		return 0, refusal
	}
	qos = min(f.QoS, 1)
	switch f.Text {
	case contract.TopicNow:
		if sendsRetained(f, r.nowQoS >= 0) {
			r.nowSent, r.nowPart, r.nowRetain = 0, 0, true
		} else if r.nowQoS < 0 {
			r.nowSent = p.nowSerial(r.member)
		}
		r.nowQoS = int8(qos)
	case contract.TopicKeys:
		if sendsRetained(f, r.keysQoS >= 0) {
			r.keysSent, r.keyRetain = 0, true
		} else if r.keysQoS < 0 {
			r.keysSent = p.keysSerial
		}
		r.keysQoS = int8(qos)
	default:
		r.addFilter(ownFilter{f.Text[len(r.prefix):], int8(qos)})
	}
	return qos, packet.CodeSuccess
}

// Revoke ends the subscription to one filter, and reports whether there was one.
func (r *Receiver) Revoke(text string) (had bool) {
	leaf, own := strings.CutPrefix(text, r.prefix)
	switch {
	case text == contract.TopicNow:
		had, r.nowQoS = r.nowQoS >= 0, -1
	case text == contract.TopicKeys:
		had, r.keysQoS = r.keysQoS >= 0, -1
	case own:
		had = r.dropFilter(leaf)
		r.recount()
	}
	return had
}

// QoSOf is the granted QoS for a topic below the device's prefix; -1 without a subscription.
func (r *Receiver) QoSOf(leaf string) int8 {
	qos := int8(-1)
	for _, f := range r.filters {
		if Matches(f.leaf, leaf) {
			qos = max(qos, f.qos)
		}
	}
	return qos
}

// sendsRetained is MQTT 5 retain handling (§3.8.3.1).
func sendsRetained(f packet.Filter, subscribed bool) bool {
	return f.Retain == 0 || f.Retain == 1 && !subscribed
}

// Refusal says why a filter is refused: the device may have the two topics for all
// and what is below its own prefix.
func (r *Receiver) Refusal(f packet.Filter) packet.Code {
	switch {
	case f.HasIdentifier:
		return packet.CodeSubscriptionID
	case strings.HasPrefix(f.Text, "$share/"):
		return packet.CodeShared
	case !validFilter(f.Text):
		return packet.CodeFilter
	case f.Text == contract.TopicNow || f.Text == contract.TopicKeys:
		return packet.CodeSuccess
	case !strings.HasPrefix(f.Text, r.prefix):
		return packet.CodeNotAuthorized
	case len(r.filters) >= MaxFilters && !r.hasFilter(f.Text[len(r.prefix):]):
		return packet.CodeQuota
	}
	return packet.CodeSuccess
}

// validFilter is MQTT 5 §4.7: wildcards stand alone in their level, '#' last.
func validFilter(text string) bool {
	if text == "" {
		return false
	}
	levels := strings.Split(text, "/")
	for i, level := range levels {
		switch {
		case level == "#" && i == len(levels)-1, level == "+":
		case strings.ContainsAny(level, "+#"):
			return false
		}
	}
	return true
}

func (r *Receiver) hasFilter(leaf string) bool {
	return slices.ContainsFunc(r.filters, func(f ownFilter) bool { return f.leaf == leaf })
}

// addFilter replaces an equal one, and looks again at what the device lacks.
func (r *Receiver) addFilter(f ownFilter) {
	r.dropFilter(f.leaf)
	r.filters = append(r.filters, f)
	r.recount()
}

func (r *Receiver) dropFilter(leaf string) bool {
	before := len(r.filters)
	r.filters = slices.DeleteFunc(r.filters, func(f ownFilter) bool { return f.leaf == leaf })
	return len(r.filters) < before
}

// anyAlert stands for every alert: no filter can name it, as NUL is not allowed.
const anyAlert = "\x00"

// recount works out once what qosFor answers for each delivery.
func (r *Receiver) recount() {
	r.caughtUp, r.lookGeneration = 0, 0
	r.alertsQoS = -1
	for _, f := range r.filters {
		if Matches(f.leaf, leafAlert+anyAlert) {
			r.alertsQoS = max(r.alertsQoS, f.qos)
		}
	}
}

// qosFor is the granted QoS for an alert; -1 without a subscription. The highest
// of all that match applies (MQTT 5 §3.3.4).
func (r *Receiver) qosFor(id string) int8 {
	if r.alertsQoS == 1 {
		return 1
	}
	qos := r.alertsQoS
	for _, f := range r.filters {
		level, rest, _ := strings.Cut(f.leaf, "/")
		if (level == contract.LeafAlert || level == "+") && Matches(rest, id) {
			qos = max(qos, f.qos)
		}
	}
	return qos
}

// Matches reports whether the filter takes the topic (MQTT 5 §4.7). Both are below
// the same prefix. It allocates nothing.
func Matches(filter, topic string) bool {
	for {
		level, restFilter, moreFilter := strings.Cut(filter, "/")
		if level == "#" {
			return true
		}
		name, restTopic, moreTopic := strings.Cut(topic, "/")
		if level != "+" && level != name {
			return false
		}
		if !moreTopic {
			return !moreFilter || restFilter == "#"
		}
		if !moreFilter {
			return false
		}
		filter, topic = restFilter, restTopic
	}
}
