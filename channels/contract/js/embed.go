// Package js holds the device's side of the contract for web pages: verification, the rules and
// the receiver as plain ES modules, with the library that they need. README.md says how a page
// uses them. The package owns the files and nothing else, and imports no package of ours.
package js

import "embed"

// Files are the modules, as they are to be served: in one folder, with noble below it.
//
//go:embed *.js noble/*.js noble/LICENSE.*
var Files embed.FS
