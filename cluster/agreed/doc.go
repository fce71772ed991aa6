// Package agreed is the one way to read agreed state: what a majority has committed and this
// node has applied.
//
//	node, its rooms ─▶ Reader ─┬─▶ store: one view of what is durable here
//	                           └─▶ derived: index, board, tallies
//
// It owns the questions and the form of the answers. What is simply one record, as it lies in
// the store, is asked of the store itself (storage.Store.View). It imports cluster/derived,
// cluster/archive and cluster/fact, and may never import cluster/fsm or the log: whoever reads
// cannot apply.
package agreed
