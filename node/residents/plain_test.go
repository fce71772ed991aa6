//go:build !race

package residents

// How many phones make something up, and how many say that they have seen it.
const crowd, flood = 5000, 2000
