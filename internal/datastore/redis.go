package datastore

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hello-world-co-op/handoff/internal/batch"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Redis is a client of any of the three kinds.
type Redis = redis.UniversalClient

// dependencyTimeout bounds one command; a request's own deadline is 3 s.
const dependencyTimeout = time.Second

// OpenRedis returns a client for a URL in one of go-redis' own forms: plain,
// with ?master_name=…&addr=… for Sentinel, with ?addr=… for Cluster. It does not
// wait for the server, for the reason given at [OpenPostgres].
//
// Two options are for safety. MaxRetries is off: go-redis would send a command
// again whose answer was slow, and a command that consumes must not run twice
// unasked. (Its Cluster client does so all the same, up to three times: no command of
// ours consumes.) ContextTimeoutEnabled is on: without it deadlines are ignored.
//
// A watch, if it is not nil, sees every command.
func OpenRedis(redisURL privacy.Secret, watch Watch) (Redis, error) {
	client, err := openRedis(redisURL)
	if err != nil {
		return nil, err
	}
	if watch != nil {
		client.AddHook(hook{watch})
	}
	share(client)
	return client, nil
}

// share lets commands share pipelines. Not in a Cluster: a pipeline there goes to several
// masters and waits for all of them, so that one which is dead would take along the commands
// of the others.
func share(client Redis) {
	if _, cluster := client.(*redis.ClusterClient); !cluster {
		client.AddHook(together{client})
	}
}

// together lets commands of the same name share a pipeline when they come at the same time
// (package batch): a round trip costs both sides more than a command does. Each name has a
// queue of its own, because what is in a pipeline waits for the last of its deadlines, and
// those who send the same command are in the same hurry.
type together struct{ client Redis }

// sharing are the commands that each request sends. None of them waits in Redis.
var sharing = []string{"set", "getrange", "evalsha", "expire", "del"}

// command is a caller's command, and how it went when it had no company.
type command struct {
	redis.Cmder
	err error
}

// DialHook implements redis.Hook.
func (together) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (together) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook implements redis.Hook.
func (t together) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	queues := map[string]*batch.Queue[*command]{}
	for _, name := range sharing {
		queues[name] = batch.New(func(ctx context.Context, commands []*command) { t.send(ctx, commands, next) })
	}
	return func(ctx context.Context, asked redis.Cmder) error {
		queue, shares := queues[asked.Name()]
		if !shares {
			return next(ctx, asked)
		}
		c := &command{Cmder: asked}
		left, err := queue.Do(ctx, c)
		switch {
		case err == nil:
			return c.err
		case errors.Is(err, batch.ErrOnItsWay):
			<-left // the pipeline still writes into the command, which is the caller's own
			return c.err
		case errors.Is(err, batch.ErrFull), errors.Is(err, batch.ErrUnsent):
			return outage.Unasked("redis", err)
		}
		return outage.New("redis", err) // a panic may come after the answer
	}
}

func (t together) send(ctx context.Context, commands []*command, alone redis.ProcessHook) {
	if len(commands) == 1 {
		commands[0].err = alone(ctx, commands[0].Cmder)
		return
	}
	pipe := t.client.Pipeline()
	for _, c := range commands {
		_ = pipe.Process(ctx, c.Cmder) // only queues it
	}
	_, _ = pipe.Exec(ctx) // the first error of any; each has its own
	for _, c := range commands {
		c.err = c.Err()
	}
}

// hook tells watch of every command, by its name. Keys and values end here: a script's
// arguments are what a token is found by.
type hook struct{ watch Watch }

// DialHook implements redis.Hook.
func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		ctx, end := h.watch(ctx, command.Name())
		err := next(ctx, command)
		end(unanswered(err))
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		ctx, end := h.watch(ctx, "pipeline")
		err := next(ctx, commands)
		end(unanswered(err))
		return err
	}
}

// unanswered is err, or nil where Redis has answered: with nothing, or with a no.
func unanswered(err error) error {
	if said := redis.Error(nil); errors.As(err, &said) {
		return nil
	}
	return err
}

func openRedis(redisURL privacy.Secret) (Redis, error) {
	silence()
	parsed, err := url.Parse(redisURL.Reveal())
	if err != nil {
		// The error would quote the URL, password included.
		return nil, errBadRedisURL
	}
	query := parsed.Query()
	switch {
	case query.Has("master_name"):
		return openSentinel(redisURL.Reveal())
	case query.Has("addr"):
		return openCluster(redisURL.Reveal())
	}
	options, err := redis.ParseURL(redisURL.Reveal())
	if err != nil {
		return nil, errBadRedisURL
	}
	options.MaxRetries = -1
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1 // not five: who waits for us has 3 s
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dependencyTimeout, dependencyTimeout, dependencyTimeout
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(options), nil
}

// silence keeps go-redis from writing lines of its own among ours. What goes wrong comes
// back as an error.
var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

// Printf implements go-redis' logger.
func (quiet) Printf(context.Context, string, ...any) {}

var errBadRedisURL = errors.New("datastore: the redis URL cannot be parsed")

func openSentinel(redisURL string) (Redis, error) {
	options, err := redis.ParseFailoverURL(redisURL)
	if err != nil {
		return nil, errBadRedisURL
	}
	options.MaxRetries = -1
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1 // not five: who waits for us has 3 s
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dependencyTimeout, dependencyTimeout, dependencyTimeout
	return redis.NewFailoverClient(options), nil
}

func openCluster(redisURL string) (Redis, error) {
	options, err := redis.ParseClusterURL(redisURL)
	if err != nil {
		return nil, errBadRedisURL
	}
	options.MaxRetries = -1
	// The driver asks again who holds what only when a node tells it to, and one that is
	// dead does not: for the default of 60 s its slots would be nobody's.
	options.ClusterStateReloadInterval = time.Second
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1 // not five: who waits for us has 3 s
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dependencyTimeout, dependencyTimeout, dependencyTimeout
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClusterClient(options), nil
}
