package audience

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"almenara/storage/coded"
)

// tokenKind is what a token of the selection grammar is.
type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenWord
	tokenString
	tokenOpen
	tokenClose
	tokenComma
	tokenEqual
	tokenNotEqual
)

// token is one token; text is the word, or what a quoted string stands for.
type token struct {
	kind   tokenKind
	text   string
	column int // in characters, from 1
}

// describe names the token in an error.
func (t token) describe() error {
	switch t.kind {
	case tokenEnd:
		return coded.New("token-end", "the end")
	case tokenString:
		return coded.Errorf("token-quoted", "the quoted text %s", quote(t.text))
	default:
		return coded.Errorf("token", `"%s"`, t.text)
	}
}

// SyntaxError says where and why an expression is not a selection.
type SyntaxError struct {
	Column int   // in characters, from 1
	Wrong  error // what is wrong and what was expected
}

// Error is one sentence that begins with the column.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %v", e.Column, e.Wrong) }

// Saying implements coded.Saying.
func (e *SyntaxError) Saying() (code string, with []any) { return "column", []any{e.Column, e.Wrong} }

// wrong is the error that something stands at a column.
func wrong(column int, code, format string, args ...any) error {
	return &SyntaxError{column, coded.Errorf(code, format, args...)}
}

// lexer cuts an expression into tokens.
type lexer struct {
	rest   string
	column int
}

// marks are the tokens of fixed spelling.
var marks = map[rune]tokenKind{
	'(': tokenOpen, ')': tokenClose, ',': tokenComma, '=': tokenEqual,
	'（': tokenOpen, '）': tokenClose, '，': tokenComma, '＝': tokenEqual, // as Chinese input methods write them
}

// next returns the next token, tokenEnd for ever at the end.
func (l *lexer) next() (token, error) {
	l.skipSpace()
	start := l.column
	r, size := utf8.DecodeRuneInString(l.rest)
	switch {
	case l.rest == "":
		return token{kind: tokenEnd, column: start}, nil
	case r == utf8.RuneError && size == 1:
		return token{}, wrong(start, "selection-utf8", "the text is not UTF-8")
	case r == '"':
		return l.quoted()
	case strings.HasPrefix(l.rest, "!="):
		l.advance(2)
		return token{tokenNotEqual, "!=", start}, nil
	case isWordRune(r):
		return l.word(), nil
	}
	if kind, ok := marks[r]; ok {
		l.advance(size)
		return token{kind, string(r), start}, nil
	}
	return token{}, wrong(start, "character-here", "%s cannot stand here; a value with such characters needs double quotes", strconv.QuoteRune(r))
}

// advance drops n bytes that are one column each.
func (l *lexer) advance(n int) {
	l.rest = l.rest[n:]
	l.column += n
}

func (l *lexer) skipSpace() {
	trimmed := strings.TrimLeftFunc(l.rest, func(r rune) bool { return unicode.IsSpace(r) || visible(r) < 0 })
	l.column += utf8.RuneCountInString(l.rest[:len(l.rest)-len(trimmed)])
	l.rest = trimmed
}

// word reads a bare word.
func (l *lexer) word() token {
	end := strings.IndexFunc(l.rest, func(r rune) bool { return !isWordRune(r) && visible(r) >= 0 })
	if end < 0 {
		end = len(l.rest)
	}
	t := token{tokenWord, l.rest[:end], l.column}
	l.column += utf8.RuneCountInString(t.text)
	l.rest = l.rest[end:]
	return t
}

// quoted reads a double-quoted string; \" and \\ are its only escapes.
func (l *lexer) quoted() (token, error) {
	t := token{kind: tokenString, column: l.column}
	var text strings.Builder
	l.advance(1)
	for l.rest != "" {
		r, size := utf8.DecodeRuneInString(l.rest)
		switch {
		case r == '"':
			l.advance(1)
			t.text = text.String()
			return t, nil
		case r == '\\':
			if len(l.rest) < 2 || l.rest[1] != '"' && l.rest[1] != '\\' {
				return t, wrong(l.column, "backslash", `after a backslash, " or \ is expected`)
			}
			text.WriteByte(l.rest[1])
			l.advance(2)
			continue
		case r == utf8.RuneError && size == 1:
			return t, wrong(l.column, "selection-utf8", "the text is not UTF-8")
		case unicode.IsControl(r):
			return t, wrong(l.column, "quoted-printable", "a quoted text holds printable characters only")
		}
		text.WriteRune(r)
		l.rest = l.rest[size:]
		l.column++
	}
	return t, wrong(t.column, "quote-open", "this quoted text has no closing quote")
}

// isWordRune reports what may stand in a bare word: letters and digits of any
// script, marks that belong to letters, and - _ . / : +
func isWordRune(r rune) bool {
	return isNameRune(r) || strings.ContainsRune("-_./:+", r)
}

// isNameRune reports letters, digits and combining marks of any script.
func isNameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// quote writes s as the grammar reads it back: bare when possible.
func quote(s string) string {
	bare := s != "" && strings.IndexFunc(s, func(r rune) bool { return !isWordRune(r) }) < 0
	if bare && utf8.ValidString(s) && !isKeyword(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
