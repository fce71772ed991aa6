// Package capxml reads and writes CAP 1.2 as XML. What the elements may hold is for check to say.
package capxml

import (
	"strconv"

	"almenara/storage/alert"
	"almenara/storage/alert/check"
	"almenara/storage/alert/schema"
	"almenara/storage/alert/tokens"
	"almenara/storage/coded"
)

// Parse reads and checks one CAP 1.2 message, in UTF-8, UTF-16 with a byte order
// mark, or the character set that its XML declaration names. It resolves nothing
// outside the bytes, and refuses every DTD.
//
// The findings come back in any case. The error is a *RejectError exactly when the
// verdict is reject, and then the alert is nil. What senders get
// wrong and nobody can misread is mended, with a warning: see check.Mend. The
// signature is not checked. raw is not kept.
func Parse(raw []byte) (*alert.Alert, alert.Findings, error) {
	p := parser{}
	p.read(raw)
	if !p.found.Rejected() {
		check.Mend(&p.alert, &p.found)
		check.Check(&p.alert, &p.found)
	}
	if err := alert.VerdictError(p.found, p.alert.Key()); err != nil {
		return nil, p.found, err
	}
	a := p.alert // by itself: a pointer into p would keep what the message was read from
	return &a, p.found, nil
}

// parser turns tokens into an alert. Its errors are about the document as a whole
// and end the reading; flaws of single elements become findings.
type parser struct {
	in        *tokens.Reader
	alert     alert.Alert
	found     alert.Findings
	areas     int
	resources int
}

// read fills p.alert; what is wrong goes to p.found.
func (p *parser) read(raw []byte) {
	if len(raw) > alert.MaxMessageBytes {
		p.found.Add(alert.Reject, "too-large", "the message has %d bytes, more than %d", len(raw), alert.MaxMessageBytes).As("message-large", len(raw), alert.MaxMessageBytes)
		return
	}
	text, doubt, err := tokens.ToUTF8(raw)
	if err != nil {
		p.found.Add(alert.Reject, "encoding", "%v", err).As("xml", err)
		return
	}
	if doubt != "" {
		p.found.Add(alert.Warn, "encoding-differs", "%s", doubt).As("encoding-differs")
	}
	if err = tokens.Scan(text); err == nil {
		p.in = tokens.New(text)
		err = p.document()
	}
	if err != nil {
		p.found.Add(alert.Reject, ruleOf(err), "%v", err).As("xml", err)
	}
}

// document reads the root element and what follows it.
func (p *parser) document() error {
	root, err := p.in.Next()
	if err != nil {
		return err
	}
	if root.Kind != tokens.TokenStart {
		return errNoRoot
	}
	if root.Name.Space != Namespace || root.Name.Local != "alert" {
		return &notCAP{space: root.Name.Space, local: root.Name.Local}
	}
	p.attributes(root)
	if err := p.block(&schema.AlertBlock, p.alertChild); err != nil {
		return err
	}
	if p.alert.Signed {
		p.found.Add(alert.Warn, "signature-not-checked", "signature present, not checked")
	}
	_, err = p.in.Next()
	return err
}

// alertChild reads one child of alert.
func (p *parser) alertChild(name string) error {
	if name == "info" {
		if len(p.alert.Infos) == alert.MaxInfos {
			return coded.Errorf("infos-many", "%w: more than %d info blocks", alert.ErrTooBig, alert.MaxInfos)
		}
		p.alert.Infos = append(p.alert.Infos, alert.Info{})
		i := &p.alert.Infos[len(p.alert.Infos)-1]
		return p.block(&schema.InfoBlock, func(name string) error { return p.infoChild(i, name) })
	}
	text, err := p.text(name)
	if err != nil {
		return err
	}
	return p.alertText(name, text)
}

// alertText stores the text of one child of alert.
func (p *parser) alertText(name, text string) (err error) {
	a := &p.alert
	switch name {
	case "sent":
		a.Sent = p.dateTime(name, text)
	case "addresses":
		a.Addresses, err = alert.ReadList(name, text, &p.found)
	case "incidents":
		a.Incidents, err = alert.ReadList(name, text, &p.found)
	case "references":
		a.References, err = alert.ReadReferences(text, &p.found)
	case "code":
		a.Codes = alert.AppendText(a.Codes, text)
	case "status":
		a.Status = alert.Status(text)
	case "msgType":
		a.MsgType = alert.MsgType(text)
	case "scope":
		a.Scope = alert.Scope(text)
	default:
		*alertField(a, name) = text
	}
	return err
}

// alertField is where the text of a single text element goes.
func alertField(a *alert.Alert, name string) *string {
	switch name {
	case "identifier":
		return &a.Identifier
	case "sender":
		return &a.Sender
	case "source":
		return &a.Source
	case "restriction":
		return &a.Restriction
	default:
		return &a.Note
	}
}

// infoChild reads one child of info.
func (p *parser) infoChild(i *alert.Info, name string) error {
	switch name {
	case "eventCode":
		return p.named(&i.EventCodes)
	case "parameter":
		return p.named(&i.Parameters)
	case "resource":
		return p.resource(i)
	case "area":
		return p.area(i)
	}
	text, err := p.text(name)
	if err != nil {
		return err
	}
	switch name {
	case "category":
		i.Categories = append(i.Categories, text)
	case "responseType":
		i.ResponseTypes = append(i.ResponseTypes, text)
	case "effective":
		i.Effective = p.dateTime(name, text)
	case "onset":
		i.Onset = p.dateTime(name, text)
	case "expires":
		i.Expires = p.dateTime(name, text)
	default:
		*infoField(i, name) = text
	}
	return nil
}

// infoField is where the text of a single text element goes.
func infoField(i *alert.Info, name string) *string {
	switch name {
	case "language":
		return &i.Language
	case "event":
		return &i.Event
	case "urgency":
		return &i.Urgency
	case "severity":
		return &i.Severity
	case "certainty":
		return &i.Certainty
	case "audience":
		return &i.AudienceText
	case "senderName":
		return &i.SenderName
	case "headline":
		return &i.Headline
	case "description":
		return &i.Description
	case "instruction":
		return &i.Instruction
	case "web":
		return &i.Web
	default:
		return &i.Contact
	}
}

// named reads an eventCode, parameter or geocode.
func (p *parser) named(list *[]alert.Named) error {
	var n alert.Named
	err := p.block(&schema.NamedBlock, func(name string) error {
		text, err := p.text(name)
		if name == "valueName" {
			n.Name = text
		} else {
			n.Value = text
		}
		return err
	})
	*list = append(*list, n)
	return err
}

// resource reads a resource block.
func (p *parser) resource(i *alert.Info) error {
	if p.resources++; p.resources > alert.MaxResources {
		return coded.Errorf("resources-many", "%w: more than %d resources", alert.ErrTooBig, alert.MaxResources)
	}
	var r alert.Resource
	err := p.block(&schema.ResourceBlock, func(name string) error {
		text, err := p.text(name)
		switch name {
		case "resourceDesc":
			r.Description = text
		case "mimeType":
			r.MIMEType = text
		case "size":
			r.Size = p.size(text)
		case "uri":
			r.URI = text
		case "derefUri":
			r.DerefURI = alert.WithoutSpace(text)
		case "digest":
			r.Digest = text
		}
		return err
	})
	i.Resources = append(i.Resources, r)
	return err
}

// size reads the bytes that a resource states (CAP 1.2 §3.2.3, an integer).
func (p *parser) size(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.found.Add(alert.Reject, "size-format", "resource size %q is not a whole number of bytes", alert.Clip(text))
	}
	return n
}

// area reads an area block.
func (p *parser) area(i *alert.Info) error {
	if p.areas++; p.areas > alert.MaxAreas {
		return coded.Errorf("areas-many", "%w: more than %d areas", alert.ErrTooBig, alert.MaxAreas)
	}
	i.Areas = append(i.Areas, alert.Area{})
	a := &i.Areas[len(i.Areas)-1]
	return p.block(&schema.AreaBlock, func(name string) error { return p.areaChild(a, name) })
}

// areaChild reads one child of area.
func (p *parser) areaChild(a *alert.Area, name string) error {
	if name == "geocode" {
		return p.named(&a.Geocodes)
	}
	text, err := p.text(name)
	switch name {
	case "areaDesc":
		a.Description = text
	case "polygon":
		a.Polygons = p.shape(a.Polygons, name, text)
	case "circle":
		a.Circles = p.shape(a.Circles, name, text)
	case "altitude":
		a.Altitude = p.decimal(name, text)
	case "ceiling":
		a.Ceiling = p.decimal(name, text)
	}
	return err
}

// shape keeps a polygon or circle unless it is empty: authorities send empty ones
// beside a geocode.
func (p *parser) shape(list []string, name, text string) []string {
	if text == "" {
		p.found.Add(alert.Warn, name+"-empty", "an area has an empty %s, which is left out", name).As("shape-empty", name)
		return list
	}
	return append(list, alert.Collapse(text))
}

// decimal keeps an altitude or ceiling; the schema has no empty number.
func (p *parser) decimal(name, text string) string {
	if text == "" {
		p.found.Add(alert.Reject, name+"-format", "an area has an empty %s", name).As("height-empty", name)
	}
	return text
}

// dateTime reads a CAP date and time.
func (p *parser) dateTime(name, text string) alert.DateTime {
	d, odd, err := alert.ReadDateTime(text)
	switch {
	case err != nil:
		p.found.Add(alert.Reject, name+"-format", "%s: %v", name, err).As("time-unreadable", name, alert.Clip(text))
	case odd:
		p.found.OddTime(name, text, d)
	}
	return d
}
