package channels

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// What is accepted can be delivered: CheckSize is asked at the door.
func TestCheckSize_SaysWhatDevicesCannotTake(t *testing.T) {
	size := func(a *alert.Alert) error {
		_, err := CheckSize(a)
		return err
	}
	long := info("en", "Severe", time.Hour)
	long.Instruction = strings.Repeat("i", MaxBody/2)
	require.NoError(t, size(item("fire", alert.StatusActual, nil, long).Message))

	other := long
	other.Language = "zh"
	tooMuch := item("fire", alert.StatusActual, nil, long, other)
	require.ErrorIs(t, size(tooMuch.Message), ErrTooLarge, "all languages of an area go to everybody in it")

	other.Areas = []alert.Area{{Description: "Elsewhere", Circles: []string{"1,1 1"}}}
	apart := item("fire", alert.StatusActual, nil, long, other)
	require.NoError(t, size(apart.Message), "each area alone fits")

	tooMuch.Message.MsgType = alert.MsgTypeCancel
	require.NoError(t, size(tooMuch.Message), "no body is made of it")
	noise := info("en", "Severe", time.Hour)
	noise.SenderName, noise.Web = strings.Repeat("s", MaxBody), "https://x.example/"+strings.Repeat("w", MaxBody)
	noise.Areas = []alert.Area{{Description: strings.Repeat("a", MaxBody)}}
	require.NoError(t, size(item("fire", alert.StatusActual, nil, noise).Message), "what is not the warning itself gives way")
}

// What gives way is named, each in its info block.
func TestCheckSize_NamesWhatIsCut(t *testing.T) {
	cuts := func(change func(en, zh *alert.Info)) []Cut {
		en, zh := info("en", "Severe", time.Hour), info("zh", "Severe", time.Hour)
		change(&en, &zh)
		cuts, err := CheckSize(item("fire", alert.StatusActual, nil, en, zh).Message)
		require.NoError(t, err)
		return cuts
	}
	require.Nil(t, cuts(func(en, zh *alert.Info) {}))

	got := cuts(func(en, zh *alert.Info) { zh.Description = strings.Repeat("煙", 40_000) })
	require.Len(t, got, 1)
	require.Equal(t, Cut{Info: 1, Of: Description, Kept: got[0].Kept, Whole: 40_000}, got[0])
	require.Greater(t, got[0].Kept, 14_000)
	require.Less(t, got[0].Kept, 16_000)

	got = cuts(func(en, zh *alert.Info) {
		en.Resources = []alert.Resource{{Description: "voice", DerefURI: strings.Repeat("A", 50_000)}, {Description: "map", DerefURI: strings.Repeat("B", 100)}}
		zh.Resources = []alert.Resource{{Description: "聲音", DerefURI: strings.Repeat("C", 50_000)}}
	})
	require.Equal(t, []Cut{{Info: 2, Of: Attachment, Name: "voice"}, {Info: 2, Of: Attachment, Name: "聲音"}}, got)

	got = cuts(func(en, zh *alert.Info) {
		en.Areas = nil
		for range keptAreas + 1 {
			en.Areas = append(en.Areas, alert.Area{Description: strings.Repeat("a", MaxBody/keptAreas)})
		}
		zh.Areas = en.Areas
		en.Resources = []alert.Resource{{Description: "map", URI: "https://x.example/map"}}
		en.SenderName, zh.Contact = strings.Repeat("s", 101), strings.Repeat("2345 6789 ", 11)
		zh.Web = "https://x.example/" + strings.Repeat("w", 100)
	})
	require.Equal(t, []Cut{
		{Info: 0, Of: SenderName, Kept: 100, Whole: 101},
		{Info: 0, Of: Areas, Kept: keptAreas, Whole: keptAreas + 1},
		{Info: 0, Of: AreaDesc, Name: strings.Repeat("a", 100) + "…", Kept: 100, Whole: MaxBody / keptAreas},
	}, got[:3])
	require.Contains(t, got, Cut{Info: 1, Of: Web, Whole: 118})
	require.Contains(t, got, Cut{Info: 1, Of: Contact, Whole: 109})
	require.Contains(t, got, Cut{Info: 2, Of: File, Name: "map"})
	require.NotContains(t, got, Description, "what the areas give up is for the descriptions")
}

// Who is in several areas gets one body with all that is said of them.
func TestCheckSize_SaysThatAreasTogetherHaveLess(t *testing.T) {
	here, there := info("en", "Severe", time.Hour), info("en", "Minor", time.Hour)
	there.Areas = []alert.Area{{Description: "Elsewhere", Circles: []string{"1,1 1"}}}
	here.Description, there.Description = strings.Repeat("h", 30_000), strings.Repeat("t", 30_000)
	got, err := CheckSize(item("fire", alert.StatusActual, nil, here, there).Message)
	require.NoError(t, err)
	require.Equal(t, []Cut{{Info: 2, Of: Overlap}}, got)
	here.Description = "short"
	got, err = CheckSize(item("fire", alert.StatusActual, nil, here, there).Message)
	require.NoError(t, err)
	require.Nil(t, got)
}
