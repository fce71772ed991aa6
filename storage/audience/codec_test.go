package audience_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/geometry"
)

func TestCodec_ReadsBackWhatItWrote(t *testing.T) {
	w := audiencetest.New(8)
	for ord := range uint32(500) {
		m := w.Member(ord)
		b := audience.EncodeMember(m)
		got, err := audience.DecodeMember(b)
		require.NoError(t, err)
		require.Equal(t, *m, got)
		require.Equal(t, b, audience.EncodeMember(&got))
		require.Equal(t, append([]byte("head"), b...), audience.AppendMember([]byte("head"), m))
	}
	got, err := audience.DecodeMember(audience.EncodeMember(&audience.Member{}))
	require.NoError(t, err)
	require.Zero(t, got)
}

// The bytes are stored for years: they must not change by accident.
func TestCodec_WritesTheSameBytesForEver(t *testing.T) {
	m := audience.Member{ID: "a", Kind: "k", Place: "p", Tags: []audience.Tag{{"t", "v"}}, Languages: []string{"en"}, Location: &geometry.Point{Lat: 1, Lon: -1}, Endpoints: []audience.Endpoint{{"mqtt", "a"}}}
	require.Equal(t, "\x01\x01\x01\x00\x00\x00\xff\xff\xff\xff\x01a\x00\x01k\x01p\x01\x01t\x01v\x01\x02en\x01\x04mqtt\x01a", string(audience.EncodeMember(&m)))
}

func TestDecodeMember_RefusesForeignBytes(t *testing.T) {
	m := validMember()
	whole := audience.EncodeMember(&m)
	for n := range whole {
		_, err := audience.DecodeMember(whole[:n])
		require.ErrorIs(t, err, audience.ErrBadRecord, "cut at %d", n)
	}
	for name, b := range map[string][]byte{
		"more behind":     append(whole[:len(whole):len(whole)], 0),
		"version 2":       {2, 0, 0, 0, 0, 0, 0, 0, 0},
		"unknown flag":    {1, 2, 0, 0, 0, 0, 0, 0, 0},
		"long zero":       {1, 0, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"endless number":  {1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a million tags":  {1, 0, 0, 0, 0, 0, 0xc0, 0x84, 0x3d, 0, 0},
		"no text to read": {1, 0, 9, 'a'},
	} {
		_, err := audience.DecodeMember(b)
		require.ErrorIs(t, err, audience.ErrBadRecord, name)
	}
}

func TestDecodeMember_IsNotMadeToAllocateByALyingCount(t *testing.T) {
	lie := []byte{1, 0, 0, 0, 0, 0, 0xc0, 0x84, 0x3d, 0, 0} // 1,000,000 tags
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := audience.DecodeMember(lie)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, audience.ErrBadRecord)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestDecodeMember_DoesNotAlias(t *testing.T) {
	m := validMember()
	b := audience.EncodeMember(&m)
	got, err := audience.DecodeMember(b)
	require.NoError(t, err)
	clear(b)
	require.Equal(t, m, got)
}

func FuzzDecodeMember(f *testing.F) {
	w := audiencetest.New(1)
	for ord := range uint32(5) {
		f.Add(audience.EncodeMember(w.Member(ord)))
	}
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := audience.DecodeMember(b)
		if err != nil {
			require.ErrorIs(t, err, audience.ErrBadRecord)
			return
		}
		require.Equal(t, b, audience.EncodeMember(&m))
		_ = m.Validate()
	})
}

func BenchmarkDecodeMember(b *testing.B) {
	record := audience.EncodeMember(audiencetest.New(1).Member(1))
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audience.DecodeMember(record); err != nil {
			b.Fatal(err)
		}
	}
}
