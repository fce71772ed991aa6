package records

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// NodeMeant is the id of the node of the district that is meant: by its id, by its name, or by the
// beginning of its id. A Problem says in one sentence that several have the name (conflict), or
// that none is meant (not-found), and which there are. Nodes that were removed are meant by
// their id only.
func NodeMeant(store *storage.Store, typed string) (id string, err error) {
	var nodes []noderecord.Node
	err = store.View(func(t *storage.Txn) (err error) {
		nodes, err = noderecord.Nodes.All(t)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the nodes: %w", err)
	}
	return nodeMeant(nodes, typed)
}

func nodeMeant(nodes []noderecord.Node, typed string) (string, error) {
	if slices.ContainsFunc(nodes, func(n noderecord.Node) bool { return n.ID == typed }) {
		return typed, nil
	}
	var named, begin, all []string
	for _, n := range nodes {
		if n.Removed {
			continue
		}
		all = append(all, nodeName(n))
		if n.Name == typed {
			named = append(named, n.ID)
		}
		if strings.HasPrefix(n.ID, typed) {
			begin = append(begin, n.ID)
		}
	}
	switch {
	case len(named) == 1:
		return named[0], nil
	case len(named) > 1:
		return "", wire.Problemf(wire.KindConflict, "%d nodes have the name %s (%s): say by its id which is meant", len(named), typed, strings.Join(named, ", ")).Because(why.NoNode, typed)
	case len(typed) >= shortid.Least && len(begin) > 0:
		return shortid.Pick("node", typed, begin)
	}
	return "", wire.Problemf(wire.KindNotFound, "no node %s is known here; there are %s", typed, strings.Join(all, ", ")).Because(why.NoNode, typed)
}

// nodeName is a node for people: its name, with its id.
func nodeName(n noderecord.Node) string {
	if n.Name == "" {
		return n.ID
	}
	return fmt.Sprintf("%s (%s)", n.Name, n.ID)
}

// WithNames puts the names of nodes before their ids in a problem's sentence; any other error
// stays as it is.
func WithNames(store *storage.Store, err error) error {
	var p *wire.Problem
	if !errors.As(err, &p) {
		return err
	}
	named := *p
	_ = store.View(func(t *storage.Txn) error { // the ids will do
		nodes, err := noderecord.Nodes.All(t)
		for _, n := range nodes {
			named.Sentence = strings.ReplaceAll(named.Sentence, n.ID, nodeName(n))
		}
		return err
	})
	return &named
}
