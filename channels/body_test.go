package channels

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// big is a body that is too large in every way.
func big() contract.Body {
	b := contract.Body{Alert: "abc", Revision: 1, Time: noon, Expires: noon.Add(time.Hour), Texts: []contract.Text{
		{Language: "en", Headline: "H", Instruction: strings.Repeat("i", 2000), Description: strings.Repeat("d", 60000)},
		{Language: "zh", Headline: "標", Instruction: "離開", Description: strings.Repeat("煙", 20000)},
	}, Files: []contract.Resource{
		{Description: "map", SHA1: "aa", URI: "https://x/map", Data: strings.Repeat("A", 30000)},
		{Description: "voice", SHA1: "bb", Data: strings.Repeat("B", 50000)},
	}}
	return b
}

func sizes(t *testing.T, b contract.Body) int {
	t.Helper()
	jws, err := testSigner().Sign(b)
	require.NoError(t, err)
	return len(jws)
}

func TestFit_DropsInlineFilesFirst(t *testing.T) {
	b := big()
	b.Texts[0].Description, b.Texts[1].Description = "short", "short"
	require.NoError(t, fit(&b, testSigner().SignedSize))
	require.LessOrEqual(t, sizes(t, b), MaxBody)
	require.Empty(t, b.Files[1].Data, "the largest goes")
	require.NotEmpty(t, b.Files[0].Data, "and no more than needed")
	require.Equal(t, "bb", b.Files[1].SHA1, "its digest stays")
	require.Equal(t, "short", b.Texts[0].Description)
}

func TestFit_ThenCutsDescriptionsButNeverInstructions(t *testing.T) {
	b := big()
	require.NoError(t, fit(&b, testSigner().SignedSize))
	require.LessOrEqual(t, sizes(t, b), MaxBody)
	require.Greater(t, sizes(t, b), MaxBody*9/10, "no more is cut than needed")
	require.Len(t, b.Texts[0].Instruction, 2000)
	require.Equal(t, "標", b.Texts[1].Headline)
	for _, text := range b.Texts {
		require.True(t, strings.HasSuffix(text.Description, "…"))
		require.True(t, utf8.ValidString(text.Description), "cut at a character")
	}
	require.Len(t, b.Files, 2)
}

func TestShorten_CutsAtACharacter(t *testing.T) {
	for n := range 10 {
		got := shorten("煙煙煙", n)
		require.True(t, utf8.ValidString(got))
		require.LessOrEqual(t, len(strings.TrimSuffix(got, "…")), n)
	}
	require.Equal(t, "煙煙煙", shorten("煙煙煙", 9))
}

func TestFit_ThenFilesAndAreasThenRefuses(t *testing.T) {
	b := big()
	b.Texts[0].Instruction = strings.Repeat("i", 30000)
	for range 2000 {
		b.Texts[0].Areas = append(b.Texts[0].Areas, "An estate with a long name")
	}
	require.NoError(t, fit(&b, testSigner().SignedSize))
	require.LessOrEqual(t, sizes(t, b), MaxBody)
	require.Len(t, b.Texts[0].Areas, keptAreas+1)
	require.Len(t, b.Texts[0].Instruction, 30000)

	b.Texts[0].Instruction = strings.Repeat("i", MaxBody)
	require.ErrorIs(t, fit(&b, testSigner().SignedSize), ErrTooLarge)
}

func TestSet_ATooLargePartDoesNotHoldBackTheOthers(t *testing.T) {
	b := newBench(t)
	giant := info("en", "Severe", time.Hour)
	giant.Instruction = strings.Repeat("i", MaxBody)
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}, {Infos: []int{1}, To: to(2)}},
		giant, info("zh", "Severe", time.Hour))
	require.ErrorIs(t, b.Set(Situation{InForce: []Item{it}}), ErrTooLarge)
	require.Len(t, b.out.last(t).Active, 1)
	require.Len(t, b.manifest(t, b.out.last(t)).InForce, 1, "it is in force all the same")
}

// Whatever time a message claims, its body can be signed.
func TestBuildBody_CanBeSignedWhateverTheTimes(t *testing.T) {
	for _, text := range []string{
		"9999-12-31T23:59:59-14:00", "9999-12-31T24:00:00-00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59+14:00",
	} {
		at, err := alert.ParseDateTime(text)
		require.NoError(t, err)
		it := &Item{Alert: "abc", Revision: 1, Status: alert.StatusActual, Expires: noon.Add(time.Hour), Message: &alert.Alert{
			Sender: "s", Identifier: "i", Sent: at, Status: alert.StatusActual, MsgType: alert.MsgTypeAlert,
			Infos: []alert.Info{{Event: "Fire", Onset: at, Effective: at}},
		}}
		if at.Time().After(noon) { // what is over is not signed
			it.Message.Infos[0].Expires = at
		}
		b, err := buildBody(it, Part{Infos: []int{0}})
		require.NoError(t, err)
		b.Time = noon
		_, err = testSigner().Sign(b)
		require.NoError(t, err, text)
	}
}

func TestBuildBody_NamesAFileOnce(t *testing.T) {
	file := alert.Resource{Description: "map", MIMEType: "image/png", URI: "https://x/m.png", Digest: "aa"}
	en, zh := info("en", "Severe", time.Hour), info("", "Severe", 2*time.Hour)
	en.Resources, zh.Resources = []alert.Resource{file}, []alert.Resource{file}
	it := item("fire", alert.StatusActual, nil, en, zh)
	b, err := buildBody(&it, Part{Infos: []int{0, 1}})
	require.NoError(t, err)
	require.Len(t, b.Files, 1)
	require.Equal(t, "en-US", b.Texts[1].Language)
	require.True(t, b.Expires.Equal(it.Expires), "no block outlives the alert")
}

func TestSplit_OnePartForManyLanguages(t *testing.T) {
	parts := Split([]*roaring.Bitmap{to(1, 2, 3), to(1, 2, 3), nil, to()})
	require.Len(t, parts, 1)
	require.Equal(t, []int{0, 1}, parts[0].Infos)
	require.Empty(t, Split(nil))
}

// TestSplit_GivesEveryMemberExactlyItsBlocks checks the definition on random sets.
func TestSplit_GivesEveryMemberExactlyItsBlocks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		perInfo := make([]*roaring.Bitmap, random.IntN(7))
		want := map[uint32][]int{}
		for i := range perInfo {
			perInfo[i] = roaring.New()
			for m := range uint32(40) {
				if random.IntN(3) == 0 {
					perInfo[i].Add(m)
					want[m] = append(want[m], i)
				}
			}
		}
		got := map[uint32][]int{}
		seen := map[string]bool{}
		for _, p := range Split(perInfo) {
			require.False(t, p.To.IsEmpty())
			key := infosKey(p.Infos)
			require.False(t, seen[key], "each set of blocks comes once")
			seen[key] = true
			for _, m := range p.To.ToArray() {
				require.NotContains(t, got, m, "parts are disjoint")
				got[m] = p.Infos
			}
			require.True(t, slices.IsSorted(p.Infos))
		}
		require.Equal(t, want, got)
	}
}

func infosKey(infos []int) string {
	var b strings.Builder
	for _, i := range infos {
		b.WriteByte(byte('a' + i))
	}
	return b.String()
}

func BenchmarkSplit(b *testing.B) {
	perInfo := make([]*roaring.Bitmap, 4)
	for i := range perInfo {
		perInfo[i] = roaring.New()
		perInfo[i].AddRange(uint64(i)*100_000, uint64(i)*100_000+500_000)
	}
	b.ReportAllocs()
	for b.Loop() {
		Split(perInfo)
	}
}

// Who is in two areas of an alert that do not fit one body gets the graver one, whole.
func TestSet_AreasThatDoNotFitTogetherGiveTheGravest(t *testing.T) {
	b := newBench(t)
	mild, grave := info("en", "Minor", time.Hour), info("en", "Extreme", time.Hour)
	mild.Instruction, grave.Instruction = strings.Repeat("m", MaxBody/2), strings.Repeat("g", MaxBody/2)
	mild.Areas = []alert.Area{{Description: "Elsewhere", Circles: []string{"1,1 1"}}}
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0, 1}, To: to(1)}}, mild, grave)
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	body := b.body(t, b.out.last(t).Active[0])
	require.Len(t, body.Texts, 1)
	require.Equal(t, grave.Instruction, body.Texts[0].Instruction)
	require.Equal(t, contract.TierEmergency, body.Tier)
}
