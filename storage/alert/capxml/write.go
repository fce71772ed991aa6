package capxml

import (
	"bytes"
	"strconv"

	"almenara/storage/alert"
	"almenara/storage/coded"
)

// ErrNotXML is returned by Write for text that cannot stand in an XML document:
// control characters, bytes that are not UTF-8.
var ErrNotXML = coded.New("not-xml", "writing alert: text that XML cannot hold")

// ErrTooLarge is returned by Write for a message over MaxMessageBytes.
var ErrTooLarge = coded.New("xml-too-large", "writing alert: the message is too large")

// Write writes the alert as a CAP 1.2 document in UTF-8, elements in the order of the
// schema. Parse of the result gives an equal alert, but for a signature, which is
// not written. An alert that passes check.Check becomes a document that is valid against
// the schema; whether it passes is not asked here. The error is ErrNotXML or
// ErrTooLarge.
func Write(a *alert.Alert) ([]byte, error) {
	w := writer{}
	w.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"" + Namespace + "\">\n")
	w.header(a)
	for n := range a.Infos {
		w.block("info", func() { w.info(&a.Infos[n]) })
	}
	w.WriteString("</alert>\n")
	switch {
	case w.err != nil:
		return nil, w.err
	case w.Len() > alert.MaxMessageBytes:
		return nil, coded.Errorf("bytes-many", "%w: %d bytes, more than %d", ErrTooLarge, w.Len(), alert.MaxMessageBytes)
	}
	return w.Bytes(), nil
}

// writer writes elements; the first error is kept and the rest is in vain.
type writer struct {
	bytes.Buffer
	depth int
	err   error
}

// header writes the children of alert before info.
func (w *writer) header(a *alert.Alert) {
	w.depth = 1
	w.must("identifier", a.Identifier)
	w.must("sender", a.Sender)
	w.must("sent", a.Sent.String())
	w.must("status", string(a.Status))
	w.must("msgType", string(a.MsgType))
	w.may("source", a.Source)
	w.must("scope", string(a.Scope))
	w.may("restriction", a.Restriction)
	w.may("addresses", alert.JoinList(a.Addresses))
	w.each("code", a.Codes)
	w.may("note", a.Note)
	w.may("references", alert.JoinKeys(a.References))
	w.may("incidents", alert.JoinList(a.Incidents))
}

// info writes the children of info.
func (w *writer) info(i *alert.Info) {
	w.may("language", i.Language)
	w.each("category", i.Categories)
	w.must("event", i.Event)
	w.each("responseType", i.ResponseTypes)
	w.must("urgency", i.Urgency)
	w.must("severity", i.Severity)
	w.must("certainty", i.Certainty)
	w.may("audience", i.AudienceText)
	w.pairs("eventCode", i.EventCodes)
	w.may("effective", i.Effective.String())
	w.may("onset", i.Onset.String())
	w.may("expires", i.Expires.String())
	w.may("senderName", i.SenderName)
	w.may("headline", i.Headline)
	w.may("description", i.Description)
	w.may("instruction", i.Instruction)
	w.may("web", i.Web)
	w.may("contact", i.Contact)
	w.pairs("parameter", i.Parameters)
	for n := range i.Resources {
		w.block("resource", func() { w.resource(&i.Resources[n]) })
	}
	for n := range i.Areas {
		w.block("area", func() { w.area(&i.Areas[n]) })
	}
}

// resource writes the children of resource.
func (w *writer) resource(r *alert.Resource) {
	w.must("resourceDesc", r.Description)
	w.must("mimeType", r.MIMEType)
	if r.Size != 0 {
		w.must("size", strconv.FormatInt(r.Size, 10))
	}
	w.may("uri", r.URI)
	w.may("derefUri", r.DerefURI)
	w.may("digest", r.Digest)
}

// area writes the children of area.
func (w *writer) area(a *alert.Area) {
	w.must("areaDesc", a.Description)
	w.each("polygon", a.Polygons)
	w.each("circle", a.Circles)
	w.pairs("geocode", a.Geocodes)
	w.may("altitude", a.Altitude)
	w.may("ceiling", a.Ceiling)
}

// block writes an element with children.
func (w *writer) block(name string, children func()) {
	w.indent()
	w.WriteString("<" + name + ">\n")
	w.depth++
	children()
	w.depth--
	w.indent()
	w.WriteString("</" + name + ">\n")
}

// pairs writes valueName/value elements.
func (w *writer) pairs(name string, list []alert.Named) {
	for _, n := range list {
		w.block(name, func() {
			w.must("valueName", n.Name)
			w.must("value", n.Value)
		})
	}
}

// each writes one element per text.
func (w *writer) each(name string, list []string) {
	for _, s := range list {
		w.must(name, s)
	}
}

// may writes an element unless its text is empty.
func (w *writer) may(name, text string) {
	if text != "" {
		w.must(name, text)
	}
}

// must writes an element.
func (w *writer) must(name, text string) {
	w.indent()
	w.WriteString("<" + name + ">")
	w.text(name, text)
	w.WriteString("</" + name + ">\n")
}

func (w *writer) indent() {
	for range w.depth {
		w.WriteString("  ")
	}
}

// text writes escaped character data. A carriage return is written as a reference,
// or a reader would take it for a line feed (XML 1.0 §2.11).
func (w *writer) text(name, text string) {
	if bad := alert.NotXML(text); bad != "" {
		w.err = coded.Errorf("not-xml-in", "%w: %s in %s", ErrNotXML, bad, name)
		return
	}
	for _, r := range text {
		switch r {
		case '&':
			w.WriteString("&amp;")
		case '<':
			w.WriteString("&lt;")
		case '>':
			w.WriteString("&gt;")
		case '\r':
			w.WriteString("&#13;")
		default:
			w.WriteRune(r)
		}
	}
}

// Namespace is the XML name space of CAP 1.2.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"
