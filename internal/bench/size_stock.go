package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// tellStock says what there is, and what a live token costs Redis.
func (s *sizing) tellStock(ctx context.Context) error {
	if err := s.printf("\n| size | people | audit rows, each half | hand-offs of the past | live tokens | database of the DAO half | of the FOS half | Redis |\n" +
		"| --- | --: | --: | --: | --: | --: | --: | --: |\n"); err != nil {
		return err
	}
	var memory [2]int
	for i, name := range []string{small, large} {
		w := s.rigs[name].world
		var dao, fos int64
		if err := w.dao.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&dao); err != nil {
			return err
		}
		if err := w.fos.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&fos); err != nil {
			return err
		}
		var err error
		if memory[i], err = w.redisInfo(ctx, "memory", "used_memory"); err != nil {
			return err
		}
		if err := s.printf("| %s | %d | %d | %d | %d | %d MB | %d MB | %d MB |\n", name, w.crowd.People, w.crowd.Audit, w.crowd.Past, w.crowd.Live,
			dao>>20, fos>>20, memory[i]>>20); err != nil {
			return err
		}
	}
	w := s.rigs[large].world
	each, err := w.bytesPerToken(ctx)
	if err != nil {
		return err
	}
	return s.printf("\nA live token costs Redis %d bytes: the difference of used_memory, divided (goal ≤ 600). MEMORY USAGE says %d, without its share of the tables.\n",
		(memory[1]-memory[0])/w.crowd.Live, each)
}

// sampled is how many tokens Redis is asked about.
const sampled = 1000

// bytesPerToken is what Redis says of some of the crowd's live tokens, on average.
func (w *world) bytesPerToken(ctx context.Context) (int, error) {
	var sum int64
	n := min(sampled, w.crowd.Live)
	for i := range n {
		tok, err := w.crowd.token(i + 1)
		if err != nil {
			return 0, err
		}
		bytes, err := w.redis.MemoryUsage(ctx, carriedUnder(tok.Digest())).Result()
		if err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		sum += bytes
	}
	return int(sum) / max(1, n), nil
}

// redisInfo is a number that Redis says about itself.
func (w *world) redisInfo(ctx context.Context, section, name string) (int, error) {
	info, err := w.redis.Info(ctx, section).Result()
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	for line := range strings.Lines(info) {
		if text, is := strings.CutPrefix(strings.TrimSpace(line), name+":"); is {
			return strconv.Atoi(text)
		}
	}
	return 0, fmt.Errorf("bench: redis does not say its %s", name)
}
