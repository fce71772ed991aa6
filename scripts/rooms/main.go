// Command rooms measures the packages of this module: lines without tests, methods of
// the largest type, exported names, and how many of the references between the files of
// a package run back up. With -check it fails where a package or a type is larger than
// the house allows, apart from those that exceptions.txt names with a reason.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The bounds of the house: a package is one idea, and a type is not a package.
const (
	maxLines   = 1500
	maxMethods = 40
)

func main() {
	check := flag.Bool("check", false, "fail where a package or a type is too large")
	allowed := flag.String("exceptions", "scripts/rooms/exceptions.txt", "file with what may be larger: NAME BOUND REASON")
	pattern := flag.String("packages", "./...", "packages to measure, as go list names them")
	flag.Parse()
	rooms, err := measure(*pattern)
	if err == nil && *check {
		err = checkAll(rooms, *allowed)
	} else if err == nil {
		print(rooms)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func print(rooms []room) {
	slices.SortFunc(rooms, func(a, b room) int { return cmp.Compare(b.lines, a.lines) })
	fmt.Printf("%-30s %6s %5s %8s  %-22s %s\n", "package", "lines", "files", "exported", "largest type", "back/refs")
	var sum room
	large := 0
	for _, r := range rooms {
		fmt.Printf("%-30s %6d %5d %8d  %-22s %d/%d\n", r.name(), r.lines, r.files, r.exported, r.largestType(), r.back, r.references)
		sum.lines, sum.exported, sum.files = sum.lines+r.lines, sum.exported+r.exported, sum.files+r.files
		sum.back, sum.references = sum.back+r.back, sum.references+r.references
		if r.lines > maxLines {
			large += r.lines
		}
	}
	fmt.Printf("%-30s %6d %5d %8d  %-22s %d/%d\n", "all", sum.lines, sum.files, sum.exported, "", sum.back, sum.references)
	fmt.Printf("%d %% of the lines are in packages above %d lines\n", 100*large/max(sum.lines, 1), maxLines)
}

// checkAll compares each package and type with its bound.
func checkAll(rooms []room, exceptions string) error {
	bounds, err := readExceptions(exceptions)
	if err != nil {
		return err
	}
	var faults []string
	exceeds := func(name string, has, most int, what string) {
		if own, ok := bounds[name]; ok {
			if has <= most {
				faults = append(faults, fmt.Sprintf("%s has %d %s and needs no exception any more", name, has, what))
			}
			most = own
		}
		if has > most {
			faults = append(faults, fmt.Sprintf("%s has %d %s, %d at most", name, has, what, most))
		}
	}
	for _, r := range rooms {
		exceeds(r.name(), r.lines, maxLines, "lines")
		for t, n := range r.methods {
			exceeds(r.name()+"."+t, n, maxMethods, "methods")
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.Sort(faults)
	return fmt.Errorf("%s", strings.Join(faults, "\n"))
}

// readExceptions reads lines of NAME BOUND REASON; a reason must be given.
func readExceptions(path string) (map[string]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	bounds := map[string]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, " ", 3)
		if len(parts) < 3 {
			return nil, fmt.Errorf("%s: %q has no reason", path, line)
		}
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", path, line, err)
		}
		bounds[parts[0]] = n
	}
	return bounds, nil
}
