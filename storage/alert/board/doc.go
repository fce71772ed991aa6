// Package board decides what is in force: it folds the messages of a district into alerts
// and says of each whether it waits, is in force, was replaced, was cancelled or has run
// out, which revision stands, and when that changes.
//
// It owns that rule alone. It has no clock, no lock and does no I/O; its callers pass times
// in. It may import package alert, whose messages it folds, and nothing else of Almenara.
package board
