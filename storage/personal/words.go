package personal

import (
	"strings"
	"unicode/utf8"
)

// What is here is a part of what every node does alike: nothing of it changes without a new version of commands.

// Replace puts by in the place of each of the words in text, and reports whether there was one. A word
// that is a part of a longer one in Latin letters is another word: "chan-1" is not in "chan-12". Whether
// Latin letters are capital makes no difference.
func Replace(text string, words []string, by string) (string, bool) {
	found := false
	for _, w := range words {
		if len(w) < LeastWord {
			continue
		}
		w = lower(w)
		var out strings.Builder
		rest := text
		for at := strings.Index(lower(rest), w); at >= 0; at = strings.Index(lower(rest), w) {
			if partOfWord(out.String(), rest, at, len(w)) {
				_, n := utf8.DecodeRuneInString(rest[at:])
				out.WriteString(rest[:at+n])
				rest = rest[at+n:]
				continue
			}
			out.WriteString(rest[:at])
			out.WriteString(by)
			rest, found = rest[at+len(w):], true
		}
		out.WriteString(rest)
		text = out.String()
	}
	return text, found
}

// partOfWord reports whether what is found at a place goes on before or after it.
func partOfWord(passed, rest string, at, n int) bool {
	before := passed + rest[:at]
	if before != "" && letter(before[len(before)-1]) && letter(rest[at]) {
		return true
	}
	end := at + n
	return end < len(rest) && letter(rest[end]) && letter(rest[end-1])
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Names are the texts by which a name may stand somewhere: the whole of it, and what it has in Latin letters and in
// another script. A single word in Latin letters is no name of its own: there are many of that name.
func Names(name string) (out []string) {
	name = strings.TrimSpace(name)
	out = append(out, name)
	begin := 0
	part := func(end int) {
		text := strings.TrimSpace(name[begin:end])
		if text != name && (strings.Contains(text, " ") || text != "" && text[0] >= utf8.RuneSelf && utf8.RuneCountInString(text) > 1) {
			out = append(out, text)
		}
		begin = end
	}
	latin := true
	for i, c := range name {
		if is := c < utf8.RuneSelf; c != ' ' && is != latin {
			part(i)
			latin = is
		}
	}
	part(len(name))
	return out
}

// lower has small Latin letters, at the same places.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Common reports whether a word is one with which lines of the audit are written. A member that is called so is
// not looked for by it: erasing somebody must not take words out of lines about others.
func Common(word string) bool { return common[lower(word)] }

var common = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`about accepted ack actual adopt adopted alert alerts alone answered approval approvals approve approved
		audit author block blocks board cancel changed clock conflict content could count counted damage damaged day days description device devices
		district done draft each edge emergency epoch erase erased error every exercise expired fact facts fan-out followed from gap group groups had
		handed hazard help hidden import incident invalid invited joined key keys kind known lane level licence line lines locked long made malformed moderated
		member members message minutes months need needs new node nodes note notes notice out passed person persons phone phones photo photos place places
		policy position positions put reason receipt receipts record records refused reminder removed replaced report reported reports resident residents
		restored retention revised revision revoked ring role roles scenario screen seen selection sent sequence server session since speaker stream system
		taken targets telling test that them they ticked times token told traces typed under unreadable update user users version waits were when with
		withdrawn without word words written wrote years`) {
		out[w] = true
	}
	return out
}()
