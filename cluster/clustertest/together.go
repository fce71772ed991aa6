package clustertest

import (
	"flag"
	"strconv"
)

// Together lets so many tests of a package that call t.Parallel run at the same time;
// -parallel on the command line stands. There may be more of them than cores, as they
// mostly wait for elections and timers. For a TestMain, before m.Run.
func Together(most int) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(most)); err != nil {
		panic(err) // the testing package has had this flag always
	}
}
