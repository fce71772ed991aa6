// Package machine knows the box that a node runs on: how much room its disk has, what
// time of day it is when the box's own clock may be wrong, and whether what was written
// can still be read. It owns the file of the ballast and the file of the last time of day.
//
// It never learns what an alert, a receipt or the log is, so it never imports cluster,
// channels or another part of node but node/wire, whose bodies and problems it answers
// with. What it must know of the others it is given as functions: where they are and how
// they are asked, which parts of the disk can be read, what happens when one is damaged.
package machine
