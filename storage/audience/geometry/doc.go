// Package geometry has positions and polygons on the globe in whole numbers: containing,
// overlapping, holes, simplifying outward, and how CAP 1.2 §3.2.4 writes them.
//
// Questions are answered exactly, without floating point, so that replicas agree; only
// reading degrees and drawing circles uses it, once, where an alert enters the district.
// It may import nothing of Almenara.
package geometry
