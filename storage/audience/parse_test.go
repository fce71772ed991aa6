package audience

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse_WritesTheCanonicalForm(t *testing.T) {
	for in, want := range map[string]string{
		"place under tuen-mun/on-ting and (role = frontline or risk in (high, medium)) and not kind = speaker": "place under tuen-mun/on-ting and (role = frontline or risk in (high, medium)) and not kind = speaker",
		"ALL":                               "all",
		"a=1 OR b=2 AND NOT c=3":            "a = 1 or b = 2 and not c = 3",
		"(a = 1 and b = 2) or c = 3":        "a = 1 and b = 2 or c = 3",
		"(a = 1 or b = 2) and c = 3":        "(a = 1 or b = 2) and c = 3",
		"a = 1 and (b = 2 and (c = 3))":     "a = 1 and b = 2 and c = 3",
		"not (a = 1 and b = 2)":             "not (a = 1 and b = 2)",
		"not a = 1 and b = 2":               "not a = 1 and b = 2",
		"not not (a = 1)":                   "a = 1",
		"not not not a = 1":                 "not a = 1",
		"risk != high":                      "not risk = high",
		"not risk != high":                  "risk = high",
		"risk in (medium, high, high)":      "risk in (high, medium)",
		"risk in (high)":                    "risk = high",
		"has need":                          "has need",
		"Role = Frontline":                  "role = Frontline",
		"KIND = Screen":                     "kind = screen",
		"Place Under Tuen-Mun":              "place under tuen-mun",
		"place = 沙田/示範邨3座":                  "place = 沙田/示範邨3座",
		"language in (en, zh-HK)":           "language in (en, zh-HK)",
		"id in (lift-2, lift-1)":            "id in (lift-1, lift-2)",
		`name1 = "a \"b\" \\ c"`:            `name1 = "a \"b\" \\ c"`,
		`role = "and"`:                      `role = "and"`,
		`role = "plain"`:                    "role = plain",
		`role = ""`:                         `role = ""`,
		"team = 甲隊":                         "team = 甲隊",
		"at = 2026-03-31":                   "at = 2026-03-31",
		"url = http://a.b/c+d":              "url = http://a.b/c+d",
		"\tall \n":                          "all",
		"(((kind = screen)))":               "kind = screen",
		"a = 1 or (b = 2 or c = 3) or d= 4": "a = 1 or b = 2 or c = 3 or d = 4",
	} {
		s, err := Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, want, s.String(), in)
		again, err := Parse(s.String())
		require.NoError(t, err, in)
		require.Equal(t, s, again, in)
	}
}

func TestParse_SaysWhereAndWhatIsExpected(t *testing.T) {
	for in, want := range map[string]string{
		"":                             `column 1: the expression is empty; write "all" to select everybody`,
		"  \n ":                        `column 1: the expression is empty; write "all" to select everybody`,
		"kind":                         `column 5: "=", "!=" or "in" is expected, found the end`,
		"kind = ":                      `column 8: a value is expected, found the end`,
		"kind == screen":               `column 7: a value is expected, found "="`,
		"kind = screen role = x":       `column 15: "and", "or" or the end is expected, found "role"`,
		"kind = screen)":               `column 14: "and", "or" or the end is expected, found ")"`,
		"(kind = screen":               `column 15: "and", "or" or ")" is expected, found the end`,
		"and kind = screen":            `column 1: a condition such as "kind = screen" or "place under tuen-mun" is expected, found "and"`,
		"kind = screen and":            `column 18: a condition such as "kind = screen" or "place under tuen-mun" is expected, found the end`,
		"role = and":                   `column 8: a value (write it in double quotes if it is meant) is expected, found "and"`,
		"place tuen-mun":               `column 7: "under", "=", "!=" or "in" is expected, found "tuen-mun"`,
		"place under //":               `column 13: place "//": a path such as tuen-mun/on-ting/block-3 is expected, of lower-case letters, digits, - and _`,
		"risk in high":                 `column 9: "(" is expected, found "high"`,
		"risk in ()":                   `column 10: a value is expected, found ")"`,
		"risk in (a b)":                `column 12: "," or ")" is expected, found "b"`,
		"has":                          `column 4: a tag's name is expected, found the end`,
		"has kind":                     `column 5: tag name "kind" is a word of the selection grammar; another name is expected`,
		`role = "open`:                 `column 8: this quoted text has no closing quote`,
		`role = "a\n"`:                 `column 10: after a backslash, " or \ is expected`,
		"role = a&b":                   `column 9: '&' cannot stand here; a value with such characters needs double quotes`,
		"role = \"a\x01b\"":            `column 10: a quoted text holds printable characters only`,
		"甲 = \xff":                     `column 5: the text is not UTF-8`,
		"id = a/b":                     `column 6: id "a/b": 1 to 64 letters A-Z a-z, digits, . _ - are expected`,
		"language = zh_HK":             `column 12: language "zh_HK": a tag such as en or zh-HK is expected`,
		"kind = 3d":                    `column 8: kind "3d": a lower-case word such as screen, speaker, phone or person is expected`,
		`"role" = x`:                   `column 1: a condition such as "kind = screen" or "place under tuen-mun" is expected, found the quoted text role`,
		"a/b = x":                      `column 1: tag name "a/b": a lower-case word of letters, digits, - _ . such as role is expected`,
		strings.Repeat("x", 4097):      `column 1: the expression is 4097 bytes long, at most 4096 are allowed`,
		strings.Repeat("(", 65):        `column 65: parentheses are nested deeper than 64`,
		"a!=1" + rep(" and a!=1", 400): `column 1: the expression is 5609 bytes long when written out, at most 4096 are allowed`,
	} {
		_, err := Parse(in)
		var syntax *SyntaxError
		require.True(t, errors.As(err, &syntax), in)
		require.Equal(t, want, err.Error(), in)
	}
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

func TestParse_TakesTheDeepestThatIsAllowed(t *testing.T) {
	s, err := Parse(rep("(", MaxSelectionDepth) + "all" + rep(")", MaxSelectionDepth))
	require.NoError(t, err)
	require.Equal(t, "all", s.String())
	s, err = Parse(rep("not ", 1001) + "all")
	require.NoError(t, err)
	require.Equal(t, "not all", s.String())
}

func TestSelection_And(t *testing.T) {
	a, err := Parse("a = 1 or b = 2")
	require.NoError(t, err)
	b, err := Parse("kind = screen and c = 3")
	require.NoError(t, err)
	require.Equal(t, "(a = 1 or b = 2) and kind = screen and c = 3", a.And(b).String())
	require.Equal(t, a, a.And(Selection{}))
	require.Equal(t, a, Selection{}.And(a))
	require.True(t, Selection{}.And(Selection{}).IsZero())
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"all", "place under tuen-mun/on-ting and (role = frontline or risk in (high, medium)) and not kind = speaker",
		`a = "\"\\" or not (b != c and has d)`, "place = 沙田/示範邨 or language in (zh, en)", "((", "not", `"`, "\xff",
		"id in (a,b", "a=1and b=2", "é = ǅ", "not (not a = b)",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := Parse(in)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := Parse(s.String())
		require.NoError(t, err, s.String())
		require.Equal(t, s, again)
	})
}

func TestSelection_WithTerms(t *testing.T) {
	s, err := Parse("not (risk = high and kind = screen) or has role")
	require.NoError(t, err)
	also := func(value string) func(Node) []Node {
		return func(n Node) []Node {
			if n.Op != OpTag {
				return []Node{n}
			}
			return []Node{n, {Op: OpTag, Tag: "danger", Values: []string{value}}}
		}
	}
	require.Equal(t, "not ((risk = high or danger = x) and kind = screen) or has role", s.WithTerms(also("x")).String())
	require.Equal(t, "not (risk = high and kind = screen) or has role", s.String(), "it is another selection")
	require.Equal(t, s, s.WithTerms(also(rep("x", MaxSelectionBytes))), "one that is too long to be read again is left as it is")
	require.True(t, Selection{}.WithTerms(also("x")).IsZero())
}
