package signin

import "time"

// CodeAt is what the person's telephone shows.
func CodeAt(text string, at time.Time) string {
	key, err := letters.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return codeAt(key, uint64(at.Unix())/stepSeconds)
}
