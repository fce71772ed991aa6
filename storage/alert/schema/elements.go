// Package schema is the table of CAP's elements: which block has which, in what order and how
// often. It knows no types of ours.
package schema

// Element is one child in the sequence of a block (CAP 1.2 §3.2 and the schema).
type Element struct {
	Name     string
	Required bool
	Many     bool
}

// Block is an element with children, in the order of the schema.
type Block struct {
	Name     string
	Children []Element
}

// Index is the child's place in the sequence; -1 when CAP has no such child.
func (b *Block) Index(name string) int {
	for i := range b.Children {
		if b.Children[i].Name == name {
			return i
		}
	}
	return -1
}

// AlertBlock is the root.
var AlertBlock = Block{Name: "alert", Children: []Element{
	{Name: "identifier", Required: true},
	{Name: "sender", Required: true},
	{Name: "sent", Required: true},
	{Name: "status", Required: true},
	{Name: "msgType", Required: true},
	{Name: "source"},
	{Name: "scope", Required: true},
	{Name: "restriction"},
	{Name: "addresses"},
	{Name: "code", Many: true},
	{Name: "note"},
	{Name: "references"},
	{Name: "incidents"},
	{Name: "info", Many: true},
}}

// InfoBlock is info.
var InfoBlock = Block{Name: "info", Children: []Element{
	{Name: "language"},
	{Name: "category", Required: true, Many: true},
	{Name: "event", Required: true},
	{Name: "responseType", Many: true},
	{Name: "urgency", Required: true},
	{Name: "severity", Required: true},
	{Name: "certainty", Required: true},
	{Name: "audience"},
	{Name: "eventCode", Many: true},
	{Name: "effective"},
	{Name: "onset"},
	{Name: "expires"},
	{Name: "senderName"},
	{Name: "headline"},
	{Name: "description"},
	{Name: "instruction"},
	{Name: "web"},
	{Name: "contact"},
	{Name: "parameter", Many: true},
	{Name: "resource", Many: true},
	{Name: "area", Many: true},
}}

// ResourceBlock is resource.
var ResourceBlock = Block{Name: "resource", Children: []Element{
	{Name: "resourceDesc", Required: true},
	{Name: "mimeType", Required: true},
	{Name: "size"},
	{Name: "uri"},
	{Name: "derefUri"},
	{Name: "digest"},
}}

// AreaBlock is area.
var AreaBlock = Block{Name: "area", Children: []Element{
	{Name: "areaDesc", Required: true},
	{Name: "polygon", Many: true},
	{Name: "circle", Many: true},
	{Name: "geocode", Many: true},
	{Name: "altitude"},
	{Name: "ceiling"},
}}

// NamedBlock is a pair, in eventCode, parameter and geocode.
var NamedBlock = Block{Name: "a valueName/value pair", Children: []Element{
	{Name: "valueName", Required: true},
	{Name: "value", Required: true},
}}

// AllBlocks are all of them.
var AllBlocks = []*Block{&AlertBlock, &InfoBlock, &ResourceBlock, &AreaBlock, &NamedBlock}
