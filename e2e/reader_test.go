package e2e_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// heard is the page as a screen reader has it: the browser's accessibility tree
// without what it leaves out.
type heard []node

// node is what a screen reader knows of one element.
type node struct {
	role, name string
	text       string // all that is said inside
	properties map[string]any
}

func (h heard) of(role string) []node {
	return slices.DeleteFunc(slices.Clone(h), func(n node) bool { return n.role != role })
}

func (h heard) having(role, property string, value any) []node {
	return slices.DeleteFunc(h.of(role), func(n node) bool { return n.properties[property] != value })
}

// hears listens to the page.
func (p *person) hears() heard {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	tree, err := chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return cdp.Call(ctx, tab, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range tree.Nodes {
		byID[n.NodeID] = n
	}
	var all heard
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		one := node{role: text(n.Role), name: text(n.Name), text: said(n, byID), properties: map[string]any{}}
		for _, property := range n.Properties {
			one.properties[string(property.Name)] = decoded(property.Value)
		}
		all = append(all, one)
	}
	return all
}

func said(n *accessibility.Node, byID map[accessibility.NodeID]*accessibility.Node) string {
	if text(n.Role) == "StaticText" {
		return text(n.Name)
	}
	var parts []string
	for _, child := range n.ChildIDs {
		if c := byID[child]; c != nil {
			parts = append(parts, said(c, byID))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func text(v *accessibility.Value) string {
	s, _ := decoded(v).(string)
	return s
}

func decoded(v *accessibility.Value) (value any) {
	if v == nil || json.Unmarshal(v.Value, &value) != nil {
		return nil
	}
	return value
}
