// Package tallies keeps the counts of receipts in memory: of each alert that receipts come in
// for or that somebody asks about, built from its last checkpoint and the blocks after it.
//
//	a block that is adopted ─▶ Fold ─▶ tally ─▶ Save: a checkpoint, now and then
//	blocks in the store ─────────────▶ tally ─▶ Of: for reading
//
// It owns which tallies are in memory and when checkpoints are written. All of it is derived:
// a tally is a fold of sets, so folding a block in twice does no harm, and a checkpoint that
// cannot be read is made again from the blocks. It imports cluster/fact and storage, and may
// never import the log, nor what decides whether a block counts.
package tallies
