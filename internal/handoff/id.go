package handoff

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// newHandoffID makes the id of a hand-off that is minted at now: a UUIDv7 (RFC 9562,
// 5.7), which says so in its first 48 bits. The library's own reads the wall clock: one
// operation would have two times.
func newHandoffID(now time.Time, random io.Reader) (uuid.UUID, error) {
	var id uuid.UUID
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return uuid.Nil, fmt.Errorf("handoff: new id: %w", err)
	}
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(now.UnixMilli()))
	copy(id[:6], millis[2:])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id, nil
}

// onItsWay reports whether the hand-off was minted less than 60 s ago, as its id says.
// A peer whose ids do not say when, or say a time to come, is not judged.
func onItsWay(id uuid.UUID, now time.Time) bool {
	if id.Version() != 7 {
		return false
	}
	minted := time.Unix(id.Time().UnixTime())
	return now.Before(minted.Add(token.TTL)) && !minted.After(now.Add(clockSkew))
}
