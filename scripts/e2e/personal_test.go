//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// An administrator sees what erasing a person would take away, erases the person by a typed word, and sets how long
// what is known of people is kept; what is refused is said in the reader's language.
func TestPersonal_EraseAndRetention(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("root", "administrator")
	d.run(0, "audience", "import", csv(t, "r-0001,陳大文 Chan Tai Man,person,tuen-mun/on-ting/block-1\n"))
	o := d.at(0, "root", 1366, 768)
	o.go_("personal")
	o.says("Nobody was erased")
	o.accessible(t, "what is known of people")
	o.whole("personal-desk")
	o.empty("notices")
	o.fill("notices", "3")
	o.press(`form[action="/console/personal"] button`)
	o.says("at least 12 months")
	require.Empty(t, read[string](o.tab, `document.querySelector(".wrong [lang=en]")?.innerText ?? ""`), "it is no English among other words")
	o.go_("personal/erase")
	o.fill("member", "r-0001")
	o.press(`main form button`)
	o.says("Chan Tai Man")
	o.accessible(t, "erasing a person")
	o.whole("personal-erase-desk")
	o.fill("whose", "letter of 3 May")
	o.fill("word", "ERASE")
	o.press(`form[action="/console/personal/erase"] button`)
	o.says("The person is erased")
	o.whole("personal-erased-desk")
	var all struct{ Erasures []struct{ Word string } }
	raw, err := d.try(0, "--json", "person", "erased")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &all))
	require.Equal(t, "letter of 3 May", all.Erasures[0].Word)
	_, err = d.try(0, "person", "show", "r-0001")
	require.Error(t, err)

	phone := d.at(0, "root", 390, 844)
	phone.go_("personal")
	phone.whole("personal-phone")
	phone.chinese("personal-phone-zh")
	phone.go_("personal/erase")
	phone.whole("personal-erase-phone-zh")
}
