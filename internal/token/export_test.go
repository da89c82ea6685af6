package token

import "github.com/google/uuid"

// ShortID is an id as it is sealed.
func ShortID(id uuid.UUID) string {
	text, _ := shortID(id).MarshalText() // never fails
	return string(text)
}

// ReadShortID reads one.
func ReadShortID(text string) (uuid.UUID, error) {
	var id shortID
	err := id.UnmarshalText([]byte(text))
	return uuid.UUID(id), err
}
