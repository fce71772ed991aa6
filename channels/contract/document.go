package contract

import _ "embed"

// Document is the device contract as makers read it, in Markdown.
//
//go:embed CONTRACT.md
var Document string
