package alert

import (
	"cmp"
	"encoding/json"
)

// jsonForm is the alert in JSON: CAP's element names, and the three list elements
// as one text each, written as in XML.
type jsonForm struct {
	Identifier  string   `json:"identifier,omitempty"`
	Sender      string   `json:"sender,omitempty"`
	Sent        DateTime `json:"sent,omitzero"`
	Status      Status   `json:"status,omitempty"`
	MsgType     MsgType  `json:"msgType,omitempty"`
	Source      string   `json:"source,omitempty"`
	Scope       Scope    `json:"scope,omitempty"`
	Restriction string   `json:"restriction,omitempty"`
	Addresses   string   `json:"addresses,omitempty"`
	Codes       []string `json:"code,omitempty"`
	Note        string   `json:"note,omitempty"`
	References  string   `json:"references,omitempty"`
	Incidents   string   `json:"incidents,omitempty"`
	Infos       []Info   `json:"info,omitempty"`
	Signed      bool     `json:"signed,omitempty"`
}

// MarshalJSON writes CAP's element names, repeated elements as arrays, and
// addresses, references and incidents as CAP writes them: one text, items separated
// by spaces. The one name that is not CAP's is signed.
func (a Alert) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonForm{
		Identifier: a.Identifier, Sender: a.Sender, Sent: a.Sent, Status: a.Status, MsgType: a.MsgType,
		Source: a.Source, Scope: a.Scope, Restriction: a.Restriction, Addresses: JoinList(a.Addresses),
		Codes: a.Codes, Note: a.Note, References: JoinKeys(a.References), Incidents: JoinList(a.Incidents),
		Infos: a.Infos, Signed: a.Signed,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. It checks no rule of CAP but the form
// of dates and references; foreign bytes go through FromJSON.
func (a *Alert) UnmarshalJSON(raw []byte) error {
	var form jsonForm
	if err := json.Unmarshal(raw, &form); err != nil {
		return err //nolint:wrapcheck // encoding/json adds the context
	}
	read := Alert{
		Identifier: form.Identifier, Sender: form.Sender, Sent: form.Sent, Status: form.Status, MsgType: form.MsgType,
		Source: form.Source, Scope: form.Scope, Restriction: form.Restriction, Codes: form.Codes, Note: form.Note,
		Infos: form.Infos, Signed: form.Signed,
	}
	var found Findings
	var failed [3]error
	read.Addresses, failed[0] = ReadList("addresses", form.Addresses, &found)
	read.Incidents, failed[1] = ReadList("incidents", form.Incidents, &found)
	read.References, failed[2] = ReadReferences(form.References, &found)
	if err := cmp.Or(failed[0], failed[1], failed[2]); err != nil {
		return err
	}
	*a = read
	return VerdictError(found, a.Key())
}
