package gossip

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// command performs one line of a scenario.
func (s *script) command(name string, args []string) {
	if do, ok := worldCommands[name]; ok {
		do(s, args)
		return
	}
	if do, ok := nodeCommands[name]; ok {
		do(s, s.node(args[0]), args[1:])
		return
	}
	s.w.t.Fatalf("no command %q", name)
}

// worldCommands are about the world.
var worldCommands = map[string]func(s *script, args []string){
	// network 20: nodes n00 to n19.
	"network": func(s *script, args []string) { s.w.network(number(args[0])) },
	// member NAME [by=NAME] [mode=client]: a new node, which knows nobody.
	"member": func(s *script, args []string) {
		by := s.w.first()
		if other := option(args, "by", ""); other != "" {
			by = s.node(other)
		}
		s.w.add(args[0], by, mode(args))
	},
	"run": func(s *script, args []string) { s.w.run(s.duration(args[0])) },
	// cut a,b,c: no message between them and the others.
	"cut": func(s *script, args []string) {
		side := strings.Split(args[0], ",")
		in := func(a *actor) bool { return a != nil && slices.Contains(side, a.name) }
		s.w.cut = func(a, b *actor) bool { return in(a) != in(b) }
	},
	"heal": func(s *script, _ []string) { s.w.cut = func(_, _ *actor) bool { return false } },
	// watch a b: from here on what they tell their operators is part of the outcome.
	"watch": func(s *script, args []string) { s.watch = args },
	// liars: from here on somebody may be accused.
	"liars": func(s *script, _ []string) { s.w.strict = false },
	// whole 5s: within that time every node lists all others as alive.
	"whole": func(s *script, args []string) {
		s.w.becomes(s.duration(args[0]), s.w.whole)
		s.say("whole")
	},
}

// nodeCommands have a node's name before their other arguments.
var nodeCommands = map[string]func(s *script, a *actor, args []string){
	"kill":  func(_ *script, a *actor, _ []string) { a.kill() },
	"start": func(_ *script, a *actor, _ []string) { a.start() },
	"leave": func(_ *script, a *actor, _ []string) { a.do(func() { a.Leave(a.w.now) }) },
	// meet a b: a is told of b.
	"meet": func(s *script, a *actor, args []string) {
		b := s.node(args[0])
		a.do(func() { a.Introduce(s.w.now, b.ID(), []*view.Contact{b.Contact()}) })
	},
	"backup":  func(_ *script, a *actor, _ []string) { a.backup = clone(a.disk) },
	"restore": func(_ *script, a *actor, _ []string) { a.disk = clone(a.backup) },
	// ahead a 3h: its numbers are as if its clock had been that much ahead.
	"ahead": func(s *script, a *actor, args []string) {
		a.disk.Own.Sequence = uint64(s.w.now.Add(s.duration(args[0])).UnixMilli())
	},
	"peers":       peersCommand,
	"active":      func(s *script, a *actor, _ []string) { s.say("%s: %d active", a.name, len(a.active)) },
	"snapshot":    snapshotCommand,
	"keep":        func(s *script, a *actor, args []string) { s.kept[args[0]] = a.Contact() },
	"twin":        twinCommand,
	"push":        pushCommand,
	"lie":         lieCommand,
	"join":        joinCommand,
	"nominate":    nominateCommand,
	"admit":       admitCommand,
	"revoke":      revokeCommand,
	"nominations": nominationsCommand,
}

func peersCommand(s *script, a *actor, _ []string) {
	var lines []string
	for _, e := range a.view.Entries() {
		line := a.name + ": " + e.Name + " " + e.Mode.String() + " " + e.State.String()
		if e.Reason != "" {
			line += " " + e.Reason
		}
		if e.Unreachable {
			line += " unreachable"
		}
		if a.Active(e.ID) {
			line += " active"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	for _, line := range lines {
		s.say("%s", line)
	}
	if len(lines) == 0 {
		s.say("%s: nobody", a.name)
	}
}

func snapshotCommand(s *script, a *actor, _ []string) {
	p := a.Snapshot(s.w.now)
	s.say("%s: %d peers, converged %t, isolated %t, %d in reserve, observed %v", a.name, len(p.Peers), p.Converged, p.Isolated, len(a.reserve.entries), p.Observed)
}

// twinCommand: twin a CONTACT [later=N]: the contact that a second holder of a's identity publishes.
func twinCommand(s *script, a *actor, args []string) {
	c := *a.Contact()
	c.Sequence += uint64(number(option(args, "later", "0")))
	c.Anchor[0] ^= 1
	s.kept[args[0]] = value(a.seal(c))
}

// pushCommand: push a b CONTACT: b is told a kept contact by a.
func pushCommand(s *script, a *actor, args []string) {
	b, c := s.node(args[0]), s.kept[args[1]]
	verdict := b.view.Judge(s.w.now, c)
	s.say("%s judges contact %s of %s %s", b.name, args[1], c.Name, verdict)
	b.do(func() { b.Receive(s.w.now, a.identity.ID(), PushRequest{Contacts: []*view.Contact{c}}) })
}

// lieCommand: lie a b c: a tells b a beat of c that is on no ladder, then a true one of its own.
func lieCommand(s *script, a *actor, args []string) {
	b, c := s.node(args[0]), s.node(args[1])
	e := b.view.Get(c.ID())
	own := a.ownBeat(s.w.now)
	own.Sequence++
	own.Link = a.ladder.Link(own.Sequence)
	req := PushRequest{
		Contacts: []*view.Contact{e.Contact, a.Contact()},
		Beats: []IndexedBeat{
			{Index: 0, Contact: uint16(e.Sequence), Beat: view.Beat{Sequence: e.BeatSequence + 1, Link: view.Link{1}}},
			{Index: 1, Contact: uint16(a.Contact().Sequence), Beat: own},
		},
	}
	before := b.view.Get(a.ID()).BeatSequence
	b.do(func() { b.Receive(s.w.now, a.ID(), req) })
	s.say("%s takes the lie: %t, what came after it: %t", b.name, e.Beat(s.w.now).Link == (view.Link{1}), b.view.Get(a.ID()).BeatSequence > before)
}

// joinCommand: join a b [urgent=yes]: a asks b to be active with it, outside of what its machine does.
func joinCommand(s *script, a *actor, args []string) {
	b := s.node(args[0])
	var resp Message
	b.do(func() {
		resp = b.Receive(s.w.now, a.ID(), JoinRequest{
			Contact: a.Contact(), Beat: a.ownBeat(s.w.now), Active: true, Urgent: option(args, "urgent", "") != "", Observed: "192.0.2.7",
		})
	})
	r := resp.(JoinResponse)
	s.say("%s answers: active %t, observed %s; it has %d active", b.name, r.Active, r.Observed, len(b.active))
}

// nominateCommand: nominate a TOKEN [mode=client] [life=30m] [uses=1] [for=NAME]
func nominateCommand(s *script, a *actor, args []string) {
	req := NominateRequest{Mode: mode(args), Life: s.duration(option(args, "life", "30m")), Uses: uint32(number(option(args, "uses", "1")))}
	if who := option(args, "for", ""); who != "" {
		req.For, s.people = identity(who).ID(), append(s.people, who)
	}
	a.do(func() {
		token, _, err := a.Nominate(s.w.now, req)
		if err != nil {
			s.say("%v", err)
			return
		}
		s.tokens[args[0]] = token
	})
}

// admitCommand: admit a TOKEN JOINER [mode=client] [seal=broken] [network=other]
func admitCommand(s *script, a *actor, args []string) {
	token, ok := s.tokens[args[0]]
	if !ok {
		token = value(pki.NewToken(secrets{s.w.r}, mode(args), s.w.now.Add(time.Hour), s.w.genesis.Network(), a.ID(), nil))
	}
	a.do(func() {
		chain, err := a.Admit(s.w.now, s.claim(a, token, args[1], args[2:]))
		var refusal *pki.Refusal
		if errors.As(err, &refusal) {
			s.say("refused (proven %t): %s", refusal.Proven, refusal.Reason)
			return
		}
		s.say("%s is admitted in %s mode, %d links deep; %d claims saved", args[1], chain.Mode(), chain.Depth(), len(a.nominations.claims))
	})
}

func revokeCommand(s *script, a *actor, args []string) {
	text := args[0]
	if token, ok := s.tokens[text]; ok {
		text = token.ID().String()
	}
	a.do(func() {
		if n, err := a.Revoke(s.w.now, text); err != nil {
			s.say("%v", err)
		} else {
			s.say("version %d", n.Version)
		}
	})
}

func nominationsCommand(s *script, a *actor, _ []string) {
	list := slices.Clone(a.nominations.entries)
	name := func(n SealedNomination) string { return s.names(n.TokenID().String()) }
	slices.SortFunc(list, func(x, y SealedNomination) int { return cmp.Compare(name(x), name(y)) })
	for _, n := range list {
		s.say("%s: %s by %s, used %d of %d, revoked %t, version %d", a.name, name(n), n.Nominator.ID(), n.Used, n.Uses, n.RevokedAt != 0, n.Version)
	}
	if len(list) == 0 {
		s.say("%s: no nominations", a.name)
	}
}
