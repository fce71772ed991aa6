//go:build race

package residents

// How many phones make something up, and how many say that they have seen it. Each costs signatures, which take ten
// times as long under the detector, and they come one after the other: the plain run has them all.
const crowd, flood = 1000, 1000
