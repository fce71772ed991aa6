package check

// AreaBytes is areaBytes, for the tests.
var AreaBytes = areaBytes
