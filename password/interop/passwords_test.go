//go:build proof

package interop_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var randomCount = flag.Int("random", 9, "how many random passwords are proven with each kind of hash")

// plain is a password: text repeated, and then a rest.
type plain struct {
	Text  string `json:"text"`
	Times int    `json:"times"`
	Then  string `json:"then"`
}

func (p plain) String() string { return strings.Repeat(p.Text, p.Times) + p.Then }

// longer is another password, which only differs behind the last character.
func (p plain) longer() plain { p.Then += "!"; return p }

// shifted is another password, which differs in the bytes that bcrypt reads.
func (p plain) shifted() plain { return plain{"!" + p.String(), 1, ""} }

// passwords are those that tell implementations apart.
var passwords = map[string]plain{
	"empty":                       {"", 1, ""},
	"ascii":                       {"correct horse battery staple", 1, ""},
	"spaces around":               {"  spaces  ", 1, ""},
	"composed":                    {"café", 1, ""},
	"decomposed":                  {"cafe\u0301", 1, ""},
	"han":                         {"密码安全", 1, ""},
	"emoji with joiner":           {"👩\u200d🚀", 1, ""},
	"71 bytes":                    {"a", 71, ""},
	"72 bytes":                    {"a", 72, ""},
	"73 bytes":                    {"a", 73, ""},
	"72nd byte splits a letter":   {"a", 71, "é"},
	"72nd byte splits an emoji":   {"a", 70, "🔑"},
	"260 bytes":                   {"0123456789", 26, ""},
	"NUL alone":                   {"\x00", 1, ""},
	"NUL inside":                  {"before\x00after", 1, ""},
	"NUL as the 72nd byte":        {"a", 71, "\x00"},
	"NUL behind the 72nd byte":    {"a", 72, "\x00"},
	"4096 bytes":                  {"x", 4096, ""},
	"4096 four-byte characters":   {"🔑", 4096, ""},
	"4097 characters":             {"x", 4097, ""},
	"4097 multi-byte characters":  {"é", 4097, ""},
	"control and line characters": {"\t\r\n\x7f\u0085", 1, ""},
}

// sameLooks are pairs that somebody's normalisation, folding or preparation
// (NFC, NFD, NFKC, SASLprep) makes one password of. The second is the one that it
// would change.
var sameLooks = map[string][2]string{
	"composed and decomposed":       {"café", "cafe\u0301"},
	"angstrom sign and letter":      {"\u00c5", "\u212b"},
	"syllable and jamo":             {"\ud55c", "\u1112\u1161\u11ab"},
	"order of marks":                {"a\u0323\u0302", "a\u0302\u0323"},
	"ligature and letters":          {"fi", "\ufb01"},
	"full width and ASCII":          {"A", "\uff21"},
	"kelvin sign and K":             {"K", "\u212a"},
	"sharp s and ss":                {"strasse", "stra\u00dfe"},
	"soft hyphen and none":          {"password", "pass\u00adword"},
	"no-break space and space":      {"two words", "two\u00a0words"},
	"with and without a byte order": {"word", "\ufeffword"},
	"upper and lower case":          {"word", "Word"},
}

// alphabets are ranges of characters, in the order of how often they are drawn.
// Surrogates are no characters; NUL has its own chance in randomText.
var alphabets = [][2]rune{
	{0x20, 0x7e},
	{0xa0, 0x24f},       // Latin with marks
	{0x300, 0x36f},      // combining marks alone
	{0x400, 0x6ff},      // Cyrillic, Armenian, Hebrew, Arabic
	{0x1100, 0x11ff},    // jamo
	{0x2000, 0x206f},    // spaces, joiners, directions
	{0x4e00, 0xd7a3},    // Han to Hangul
	{0xe000, 0xffff},    // private use, presentation forms, what is no character
	{0x1f300, 0x1faff},  // emoji
	{0x1, 0x1f},         // control
	{0xe0000, 0x10ffff}, // tags, private use, the last code point
}

// randomPasswords are drawn anew in each run, a third of them about as long as
// what bcrypt reads. The seed is logged for whoever has to repeat a run; a failure
// prints the password itself.
func randomPasswords(t *testing.T) map[string]plain {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("%d random passwords from seed %d", *randomCount, seed)
	r := rand.New(rand.NewPCG(seed, 0))
	drawn := map[string]plain{}
	for i := range *randomCount {
		bytes := [...]int{r.IntN(32), 64 + r.IntN(16), 81 + r.IntN(400)}[i%3]
		drawn[fmt.Sprintf("random %d", i)] = plain{randomText(r, bytes), 1, ""}
	}
	return drawn
}

// randomText has at least the given length in bytes, in UTF-8.
func randomText(r *rand.Rand, bytes int) string {
	var text strings.Builder
	for text.Len() < bytes {
		from := alphabets[min(r.IntN(len(alphabets)), r.IntN(len(alphabets)))]
		text.WriteRune(from[0] + r.Int32N(from[1]-from[0]+1))
	}
	if r.IntN(16) == 0 {
		text.WriteByte(0)
	}
	return text.String()
}
