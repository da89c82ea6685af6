package password_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hello-world-co-op/handoff/password"
)

// A seeder in another module writes an account by direct SQL. It chooses no
// numbers; the hash is one that both the Go and the Python side accept.
func Example_seeder() {
	encoded, err := password.Hash("the password from standard input")
	if err != nil {
		fmt.Println(err)
		return
	}
	// _, err = db.Exec(ctx, `UPDATE users SET password_hash = $1 WHERE email = $2`, encoded, email)

	fields := strings.Split(encoded, "$")
	fmt.Println(fields[1], fields[2], fields[3])
	// Output: argon2id v=19 m=65536,t=3,p=4
}

// A seeder that runs again leaves an account alone that is right already.
func ExampleVerify() {
	stored, err := password.Hash("unchanged")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := password.Verify(stored, "unchanged")
	fmt.Println("leave alone:", err == nil && result.Match && !result.NeedsRehash)
	// Output: leave alone: true
}

// A login of a server: one Hasher for the process, the same work whether or not the
// account exists, and old hashes replaced on the way.
func ExampleHasher() {
	bounded := password.NewHasher(password.Limits{
		Concurrent: password.ConcurrencyFor(512 << 20),
		Queue:      32,
	})
	accounts := map[string]string{
		"old@example.com": "$2a$04$5BJqKfqMQvV7nS.yUguNcueVirQqDBGaLXSqj.rs.pZPlNR0UX/HK",
	}
	login := func(ctx context.Context, email, plain string) string {
		stored, known := accounts[email]
		highest := 4 // bcrypt cost in the table, from the same statement
		hasher := bounded.WithLegacyBcrypt(highest)
		if !known {
			if err := hasher.VerifyNothing(ctx, plain); err != nil {
				return "503, try again"
			}
			return "401"
		}
		result, err := hasher.Verify(ctx, stored, plain)
		switch {
		case errors.Is(err, password.ErrBusy):
			return "503, try again"
		case err != nil || !result.Match: // err: log that this account's hash is damaged
			return "401"
		}
		if result.NeedsRehash {
			accounts[email] = result.Replacement()
		}
		return "200"
	}
	ctx := context.Background()
	fmt.Println(login(ctx, "stranger@example.com", "test"))
	fmt.Println(login(ctx, "old@example.com", "guess"))
	fmt.Println(login(ctx, "old@example.com", "test"))
	fmt.Println(strings.HasPrefix(accounts["old@example.com"], "$argon2id$"))
	// Output:
	// 401
	// 401
	// 200
	// true
}
