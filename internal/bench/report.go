package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// cell is one operation at one number of connections.
type cell struct {
	operation   string
	connections int
}

// cells are those of turns, in their order.
func cells(turns []Turn) []cell {
	var all []cell
	for _, t := range turns {
		if c := (cell{t.Operation, t.Connections}); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// of are a contender's turns in a cell, in the order of their rounds, the ones before the
// first left out.
func of(turns []Turn, in cell, contender string) []Turn {
	var some []Turn
	for _, t := range turns {
		if t.Operation == in.operation && t.Connections == in.connections && t.Contender == contender && t.Round > 0 {
			some = append(some, t)
		}
	}
	return some
}

// median of what figure says of each turn; 0 for none. Of an even number the mean of the
// middle two.
func median[N int | float64 | time.Duration](of []Turn, figure func(Turn) N) N {
	figures := make([]N, len(of))
	for i, t := range of {
		figures[i] = figure(t)
	}
	return middle(figures)
}

func middle[N int | int64 | float64 | time.Duration](figures []N) N {
	if len(figures) == 0 {
		return 0
	}
	slices.Sort(figures)
	return (figures[(len(figures)-1)/2] + figures[len(figures)/2]) / 2
}

// ratio is the median of the rounds' ratios: each round's turns are beside each other in
// time, and whatever else the machine did then it did to both.
func ratio(mine, other []Turn, figure func(Turn) float64) float64 {
	var ratios []float64
	for i := range min(len(mine), len(other)) {
		if under := figure(other[i]); under != 0 {
			ratios = append(ratios, figure(mine[i])/under)
		}
	}
	return middle(ratios)
}

func report(out io.Writer, about description, turns []Turn) error {
	var b strings.Builder
	b.WriteString(about.String())
	absolute(&b, turns)
	fmt.Fprintf(&b, "\nThe load generator itself computes %s for each.\n", micros(median(turns, func(t Turn) time.Duration { return t.Driver })))
	ratios(&b, turns)
	for _, t := range turns {
		if t.Failed > 0 {
			fmt.Fprintf(&b, "\n**%d requests of %s to the %s at %d connections failed**, the first with: %s\n",
				t.Failed, t.Operation, t.Contender, t.Connections, t.Complaint)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func absolute(b *strings.Builder, turns []Turn) {
	b.WriteString("\n| operation | connections | who | answers/s | p50 | p99 | allocations | CPU: program | Postgres | Redis |\n" +
		"| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, c := range cells(turns) {
		for _, by := range contendersOf(c.operation) {
			some := of(turns, c, by.name)
			fmt.Fprintf(b, "| %s | %d | %s | %.0f | %s | %s | %.0f | %s | %s | %s |\n", c.operation, c.connections, by.name,
				median(some, func(t Turn) float64 { return t.Rate }),
				millis(median(some, func(t Turn) time.Duration { return t.P50 })),
				millis(median(some, func(t Turn) time.Duration { return t.P99 })),
				median(some, func(t Turn) float64 { return t.Mallocs }),
				micros(median(some, func(t Turn) time.Duration { return t.Program })),
				micros(median(some, func(t Turn) time.Duration { return t.Postgres })),
				micros(median(some, func(t Turn) time.Duration { return t.Redis })))
		}
	}
}

func ratios(b *strings.Builder, turns []Turn) {
	b.WriteString("\n| operation | connections | service against | throughput | goal | p99 | goal | CPU of the program | of all |\n" +
		"| --- | --: | --- | --: | --- | --: | --- | --: | --: |\n")
	for _, c := range cells(turns) {
		mine := of(turns, c, service)
		for _, by := range contendersOf(c.operation)[1:] {
			other, want := of(turns, c, by.name), goalOf(c)
			rate := ratio(mine, other, func(t Turn) float64 { return t.Rate })
			slow := ratio(mine, other, func(t Turn) float64 { return float64(t.P99) })
			fmt.Fprintf(b, "| %s | %d | %s | %.2f | %s | %.2f | %s | %.2f | %.2f |\n", c.operation, c.connections, by.name,
				rate, verdict(want.throughput, "≥", rate >= want.throughput), slow, verdict(want.p99, "≤", slow <= want.p99),
				ratio(mine, other, func(t Turn) float64 { return float64(t.Program) }),
				ratio(mine, other, func(t Turn) float64 { return float64(t.all()) }))
		}
	}
}

func verdict(goal float64, sign string, met bool) string {
	if goal == 0 {
		return "–"
	}
	if met {
		return fmt.Sprintf("%s %.2f ok", sign, goal)
	}
	return fmt.Sprintf("%s %.2f below", sign, goal)
}

func operationOf(name string) operation {
	i := slices.IndexFunc(operations, func(o operation) bool { return o.name == name })
	return operations[max(0, i)]
}

func contendersOf(name string) []contender { return operationOf(name).contenders() }

func goalOf(c cell) goal { return operationOf(c.operation).goals[c.connections] }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func micros(d time.Duration) string {
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

// description is what a figure means nothing without.
type description struct {
	When, Go, Processors, Postgres, Redis, Load string
	Durable                                     map[string]string
}

// String is the description in Markdown.
func (d description) String() string {
	var settings []string
	for name, value := range d.Durable {
		settings = append(settings, name+" "+value)
	}
	slices.SortFunc(settings, cmp.Compare)
	return fmt.Sprintf("%s. %s, %s. %s, %s; Redis %s. %s.\n", d.When, d.Go, d.Processors, d.Postgres, strings.Join(settings, ", "), d.Redis, d.Load)
}
