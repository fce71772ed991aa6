package notices

import (
	"encoding/json"

	"almenara/node/authority"
	"almenara/node/sendername"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// nameSender writes into the texts of a version who warns, as in alerts, where the district itself does and a text
// leaves it out: whoever passes it on reads it so, and every node sends the same bytes. a is what raw says.
func (o Options) nameSender(raw json.RawMessage, a *alert.Alert, by authority.Caller) json.RawMessage {
	if len(by.Senders) > 0 && by.Senders[0] != o.District() {
		return raw
	}
	own, _ := o.State.Index().Place(audience.Path(o.Place()))
	given := sendername.Give(a, o.District(), own.Names)
	var form map[string]json.RawMessage
	var infos []map[string]json.RawMessage
	if len(given) == 0 || json.Unmarshal(raw, &form) != nil || json.Unmarshal(form["info"], &infos) != nil || len(infos) != len(a.Infos) {
		return raw
	}
	for _, n := range given {
		infos[n]["senderName"], _ = json.Marshal(a.Infos[n].SenderName) // texts always encode
	}
	form["info"], _ = json.Marshal(infos)
	out, err := json.Marshal(form)
	if err != nil {
		return raw
	}
	return out
}
