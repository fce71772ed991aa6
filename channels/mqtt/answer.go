package mqtt

// answers are the PUBACKs, or the PUBRECs, that a session owes. They go out in the
// order in which the publishes came (MQTT 3.1.1 and 5 §4.6): what is ready early
// waits for what came before it. The two kinds do not wait for each other.
type answers struct {
	first uint32   // number of list[0]; numbers go round
	list  []answer // oldest first; at most Limits.MaxTaking
}

// answer is one that is owed, or ready and waiting for those before it.
type answer struct {
	id    uint16
	code  code
	ready bool
}

// publishID is what is left of a publish when its answer is due.
type publishID struct {
	qos    byte
	number uint32 // of its answer; unused for QoS 0
}

// owe notes an answer and returns its number.
func (a *answers) owe(id uint16) uint32 {
	a.list = append(a.list, answer{id: id})
	return a.first + uint32(len(a.list)-1)
}

// ready notes what the answer is to say.
func (a *answers) ready(number uint32, c code) {
	owed := &a.list[number-a.first]
	owed.code, owed.ready = c, true
}

// due is how many can go out.
func (a *answers) due() int {
	for i := range a.list {
		if !a.list[i].ready {
			return i
		}
	}
	return len(a.list)
}

// sent takes out the first n. The memory is kept.
func (a *answers) sent(n int) {
	a.list = append(a.list[:0], a.list[n:]...)
	a.first += uint32(n)
}

// answerKind is the packet that answers a publish of QoS 1 or 2.
func answerKind(qos byte) byte {
	if qos == 2 {
		return kindPubrec
	}
	return kindPuback
}

// finish ends the taking of a publish and answers it with c. A 3.1.1 device can be
// told of success only: what may succeed later ends its connection, so that it
// sends again; what never will is acknowledged and counted, or it would loop.
func (s *session) finish(p publishID, c code) {
	if s.answer(p, c) {
		return
	}
	s.end(codeSuccess, endRefused)
}

// answer reports false when only the end of the connection can say c.
func (s *session) answer(p publishID, c code) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case p.qos == 0:
		s.taken(1)
	case s.ended:
	case !s.v5 && c == codeUnspecified:
		return false
	default:
		s.owed[p.qos-1].ready(p.number, c)
		s.sendAnswers(p.qos)
	}
	return true
}

// taken gives n places back. The caller holds mu.
func (s *session) taken(n int) {
	s.taking -= n
	s.makeRoom()
}

// sendAnswers writes what can go out, in one write. The caller holds mu.
func (s *session) sendAnswers(qos byte) {
	a := &s.owed[qos-1]
	n := a.due()
	switch n {
	case 0:
		return
	case 1:
		s.put(s.appendAnswer(s.small[:0], qos, a.list[0]))
	default:
		sc := s.g.scratches.Get().(*scratch)
		defer s.g.scratches.Put(sc)
		sc.buf = sc.buf[:0]
		for _, owed := range a.list[:n] {
			sc.buf = s.appendAnswer(sc.buf, qos, owed)
		}
		s.put(sc.buf)
	}
	a.sent(n)
	s.taken(n)
}

// appendAnswer writes one answer. A PUBREC opens the way for PUBREL; one with an
// error ends the exchange (MQTT 5 §4.3.3).
func (s *session) appendAnswer(b []byte, qos byte, a answer) []byte {
	if qos == 2 {
		if s.v5 && a.code >= codeUnspecified {
			delete(s.exchanges, a.id)
		} else {
			s.exchanges[a.id] = true
		}
	}
	return appendAck(b, answerKind(qos), a.id, a.code, s.v5)
}
