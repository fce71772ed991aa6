// Command hostile is the part of scripts/hostile.sh that a shell cannot do: it makes
// hostile files and misbehaves over sockets. It needs nothing but a running node's
// addresses. Each case prints one sentence; exit code 0 says that the node did what
// it should.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// target is the node that is attacked, and what the attacker holds.
type target struct {
	addr     string // host:port
	id       string // of an enrolled device
	secret   string
	token    string // bearer token
	alert    string // id of an alert that is in force
	revision uint64 // of that alert
	out      string // file to write; - is standard output
}

// attack does one case and says what the node did. An error says that the node
// misbehaved.
type attack func(target) (string, error)

// attacks are all cases by the name of what they attack and their own.
func attacks() map[string]attack {
	all := map[string]attack{}
	for _, group := range []map[string]attack{mqttAttacks, floodAttacks, reportAttacks, portAttacks, httpAttacks, silentAttacks, files} {
		maps.Copy(all, group)
	}
	return all
}

func main() {
	var t target
	flag.StringVar(&t.addr, "addr", "", "host:port")
	flag.StringVar(&t.id, "id", "", "id of an enrolled device")
	flag.StringVar(&t.secret, "secret", "", "its secret")
	flag.StringVar(&t.token, "token", "", "bearer token")
	flag.StringVar(&t.alert, "alert", "", "id of an alert in force")
	flag.Uint64Var(&t.revision, "revision", 1, "its revision")
	flag.StringVar(&t.out, "out", "-", "file to write")
	flag.Parse()
	run, ok := attacks()[flag.Arg(0)]
	if !ok || flag.NArg() != 1 {
		fmt.Fprintf(os.Stderr, "cases: %s\n", strings.Join(slices.Sorted(maps.Keys(attacks())), " "))
		os.Exit(2)
	}
	said, err := run(t)
	if err != nil {
		fmt.Printf("MISBEHAVED: %v\n", err)
		os.Exit(1)
	}
	if said != "" {
		fmt.Println(said)
	}
}
