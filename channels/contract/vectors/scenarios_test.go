package vectors

import (
	"testing"
	"time"

	"almenara/channels/contract"
)

const (
	realFire = "fire/1 emergency siren"
	updated  = "fire/2 emergency siren"
)

func starting(t *testing.T) map[string]*story {
	all := map[string]*story{}
	s := begun(t)
	all["a body waits for the manifest that lists it"] = s.gets(s.body("fire/1", old)).tells("fire/1 verified").
		hears("A", listed("fire/1")).shows(realFire).tells("fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1"))
	all["a body that is listed begins at once"] = s.gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A").later(time.Second)
	all["a body that is newer than the manifest begins before it is listed"] = s.gets(s.body("fire/1", 0)).shows(realFire).tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	stale := s.body("fire/1", 0)
	s.later(time.Second).hears("A").gets(stale).tells("fire/1 verified").wait(time.Minute)
	all["a body that the manifest would have listed does not begin"] = s.hears("A")

	s = begun(t)
	s.hears("A", listed("fire/1"))
	s.gets(s.body("fire/1", old, func(b *contract.Body) { b.Digest = "other" })).tells("fire/1 verified")
	all["of two contents of one revision the listed one begins"] = s.gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented")
	s.later(10*time.Second).connect().hears("B", listed("fire/1"))
	all["the same body again begins nothing, and is answered again"] = s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1")).later(time.Second).connect()
	s.gets(s.body("fire/1", 0)).tells("fire/1 verified")
	all["on a new connection nothing begins before its manifest"] = s.hears("B", listed("fire/1")).shows(realFire).tells("fire/1 presented")

	s = begun(t)
	m := s.manifest("A", listed("fire/1"))
	m.Version, m.Page, m.Pages = m.Version+1, 1, 2
	s.gets(s.body("fire/1", old)).tells("fire/1 verified").post(m)
	m.Page, m.InForce = 2, []contract.InForce{listed("flood/1")}
	all["a manifest in pages counts when all of them are there"] = s.post(m).shows(realFire).tells("fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1"))
	same := s.manifest("A", listed("fire/1"))
	s.later(16 * time.Second).connect().post(same).gets(s.body("fire/1", 0)).tells("fire/1 verified")
	all["the same manifest on a new connection does not count after 16 seconds"] = s

	s = begun(t)
	s.hears("A", listed("fire/1"))
	same = s.manifest("A", listed("fire/1"))
	s.later(14*time.Second).connect().post(same).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	all["the same manifest on a new connection counts after 14 seconds"] = s

	s = begun(t)
	s.hears("A", listed("fire/1"), listed("flood/1")).gets(s.body("flood/1", old)).shows("flood/1 emergency siren").tells("flood/1 verified", "flood/1 presented")
	all["two alerts are shown beside each other"] = s.gets(s.body("fire/1", old)).shows(realFire, "flood/1 emergency siren").tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1"))
	forged := s.body("fire/1", old, func(b *contract.Body) { b.Status = "System" })
	all["a status that is not for devices is refused"] = s.gets(forged).tells("fire/1 refused").hears("A", listed("fire/1"))
	return all
}

func updating(t *testing.T) map[string]*story {
	shown := func() *story {
		s := begun(t)
		return s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	}
	all := map[string]*story{}
	s := shown().later(time.Second)
	s.gets(s.body("fire/2", 0)).shows(updated).tells("fire/2 verified", "fire/1 cancelled", "fire/2 presented")
	all["an update takes the place of what is shown"] = s.hears("A", listed("fire/2"))

	s = begun(t)
	s.gets(s.body("fire/2", old)).tells("fire/2 verified")
	s.hears("A", listed("fire/2")).shows(updated).tells("fire/2 presented")
	all["an update comes before the alert that it updates"] = s.gets(s.body("fire/1", old)).hears("A", listed("fire/2"))

	s = shown().hears("A", listed("fire/2")).wait(4 * time.Second)
	all["what was replaced stays until the update is there, five seconds at most"] = s.later(time.Second).gets(s.body("fire/2", old)).
		shows(updated).tells("fire/2 verified", "fire/1 cancelled", "fire/2 presented")

	s = shown().hears("A", listed("fire/2")).wait(4 * time.Second)
	all["what was replaced goes after five seconds without the update"] = s.wait(time.Second).shows().tells("fire/1 cancelled")

	s = begun(t)
	s.hears("A", listed("fire/2")).gets(s.body("fire/1", 0)).tells("fire/1 verified")
	all["below a revision that was listed nothing begins"] = s.connect().hears("B", listed("fire/1"))

	s = shown()
	before := s.manifest("A", listed("fire/2"))
	before.Version--
	all["an old manifest that lists a higher revision replaces, too"] = s.post(before).wait(5 * time.Second).shows().tells("fire/1 cancelled")

	s = shown()
	m := s.manifest("A", listed("fire/2"))
	m.Version, m.Page, m.Pages = m.Version+1, 2, 2
	all["one page is enough for a higher revision"] = s.post(m).wait(5 * time.Second).shows().tells("fire/1 cancelled")
	return all
}

func ending(t *testing.T) map[string]*story {
	shown := func() *story {
		s := begun(t)
		return s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	}
	all := map[string]*story{}
	s := shown()
	s.hears("A", s.ended("fire/1", contract.WhyCancelled)).shows().tells("fire/1 cancelled")
	all["a cancel stops, and what is sent again stays dark"] = s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented", "fire/1 cancelled").
		hears("B", listed("fire/1"))

	s = begun(t)
	s.hears("A", s.ended("fire/1", contract.WhyCancelled))
	all["a cancel comes before the alert"] = s.gets(s.body("fire/1", old)).tells("fire/1 verified", "fire/1 cancelled").hears("B", listed("fire/1"))

	s = shown()
	s.hears("A", s.ended("fire/1", contract.WhyCancelled)).shows().tells("fire/1 cancelled").later(time.Second)
	all["a cancelled alert takes no update"] = s.gets(s.body("fire/2", 0)).tells("fire/2 verified", "fire/2 cancelled")

	s = shown()
	s.hears("A", s.ended("fire/1", contract.WhyDrillOver)).shows().tells("fire/1 cancelled").later(time.Second)
	all["after the end of a drill the real thing may follow"] = s.gets(s.body("fire/2", 0)).shows(updated).tells("fire/2 verified", "fire/2 presented")

	s = shown()
	all["silence changes nothing"] = s.hears("A").connect().hears("B").wait(30 * time.Minute)

	s = shown()
	s.wait(59*time.Minute + 59*time.Second)
	all["what has run out goes without a word"] = s.wait(time.Second).shows().tells("fire/1 cancelled")

	s = begun(t)
	s.later(time.Hour).hears("A", listed("fire/1"))
	all["what has run out when it comes is told, and not shown"] = s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 expired")

	s = shown()
	before := s.manifest("A", s.ended("fire/1", contract.WhyCancelled))
	before.Version--
	all["an old manifest still ends"] = s.post(before).shows().tells("fire/1 cancelled")

	s = begun(t)
	replay := s.manifest("A", listed("fire/1"))
	s.versions["A"] = 5
	s.hears("A").later(time.Minute)
	all["an old manifest is no evidence"] = s.gets(s.body("fire/1", old)).tells("fire/1 verified").post(replay)

	s = shown()
	m := s.manifest("A", s.ended("fire/1", contract.WhyCancelled))
	m.Version, m.Page, m.Pages = m.Version+1, 2, 2
	all["one page is enough for an end"] = s.post(m).shows().tells("fire/1 cancelled")
	return all
}

func looking(t *testing.T) map[string]*story {
	all := map[string]*story{}
	s := begun(t)
	s.hears("A", listed("fire/1"))
	all["a drill that asks for a siren looks and sounds like a drill"] = s.gets(s.body("fire/1", old, func(b *contract.Body) { b.Status = "Exercise" })).
		shows("fire/1 drill drill").tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1"))
	all["a test is verified and never shown"] = s.gets(s.body("fire/1", old, func(b *contract.Body) { b.Status, b.Tier = "Test", contract.TierTest })).tells("fire/1 verified")

	s = begun(t)
	s.hears("A", listed("fire/1")).acknowledge("fire", 1)
	s.gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	s.acknowledge("fire", 2).acknowledge("fire", 1).tells("fire/1 acknowledged").acknowledge("fire", 1)
	all["a person confirms what is shown, once"] = s.wait(time.Hour).shows().tells("fire/1 cancelled").acknowledge("fire", 1)

	s = begun(t)
	s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	s.answer("fire", 1, "safe").tells("fire/1 acknowledged").answer("fire", 1, "safe").answer("fire", 1, "")
	all["a person answers anew, and the same again is no other answer"] = s.answer("fire", 1, "help").tells("fire/1 acknowledged help").answer("fire", 1, "safe").tells("fire/1 acknowledged")
	return all
}

func keeping(t *testing.T) map[string]*story {
	shown := func() *story {
		s := begun(t)
		return s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	}
	all := map[string]*story{}
	s := shown().powerCut()
	all["after a power cut it is shown again at the manifest, and does not begin anew"] = s.hears("B").shows(realFire).
		gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented")

	s = shown().powerCut()
	all["what ended during a power cut stays dark"] = s.hears("A", s.ended("fire/1", contract.WhyCancelled)).tells("fire/1 cancelled")

	s = shown().later(time.Hour).powerCut()
	all["what ran out during a power cut stays dark"] = s.hears("A").tells("fire/1 cancelled")

	s = shown().powerCut()
	all["what was replaced during a power cut stays dark"] = s.hears("A", listed("fire/2")).tells("fire/1 cancelled").gets(s.body("fire/2", old)).
		shows(updated).tells("fire/2 verified", "fire/2 presented")

	s = shown()
	s.hears("A", s.ended("fire/1", contract.WhyCancelled)).shows().tells("fire/1 cancelled").powerCut().hears("B", listed("fire/1"))
	all["an end is remembered over a power cut"] = s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented", "fire/1 cancelled")

	s = newStory(t)
	s.skew = 3 * time.Hour
	s.connect().keys(ring(s.nodes(), nodeA)).hears("A")
	late := s.body("fire/1", 0, func(b *contract.Body) { b.Expires = s.nodes().Add(-time.Second) })
	s.gets(late).tells("fire/1 verified", "fire/1 expired").later(time.Second)
	s.gets(s.body("flood/1", 0, func(b *contract.Body) { b.Expires = s.nodes().Add(time.Minute) })).shows("flood/1 emergency siren").tells("flood/1 verified", "flood/1 presented")
	all["a device whose clock is three hours slow goes by the manifest's"] = s.wait(time.Minute).shows().tells("flood/1 cancelled")

	s = begun(t)
	s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	s.later(59*time.Minute + 50*time.Second)
	s.skew = -14 * time.Second
	all["a manifest that was on its way for 14 seconds does not set the clock back"] = s.hears("A").wait(10 * time.Second).shows().tells("fire/1 cancelled")
	return all
}

// alone are devices that lost their power and hear no manifest for a while.
func alone(t *testing.T) map[string]*story {
	const marked = "fire/1 emergency none"
	shown := func(more ...func(*contract.Body)) *story {
		s := begun(t)
		s.hears("A", listed("fire/1")).gets(s.body("fire/1", old, more...)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
		return s
	}
	cut := func() *story { return shown().powerCut().wait(5 * time.Second).unconfirmed(marked) }
	all := map[string]*story{}
	all["without a manifest it may be shown after five seconds, and is taken up at the manifest"] = shown().powerCut().wait(4999 * time.Millisecond).
		wait(time.Millisecond).unconfirmed(marked).connect().wait(time.Minute).hears("B").unconfirmed().shows(realFire)

	s := cut().acknowledge("fire", 1)
	all["nobody confirms what no node has confirmed, and the body again begins nothing"] = s.gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented").
		hears("B", listed("fire/1")).unconfirmed().shows(realFire).acknowledge("fire", 1).tells("fire/1 acknowledged")

	s = cut()
	all["what ended meanwhile goes at the manifest, and is told then"] = s.hears("A", s.ended("fire/1", contract.WhyCancelled)).unconfirmed().tells("fire/1 cancelled").
		gets(s.body("fire/1", 0)).tells("fire/1 verified", "fire/1 presented", "fire/1 cancelled")

	s = cut()
	m := s.manifest("A", s.ended("fire/1", contract.WhyCancelled))
	m.Version, m.Page, m.Pages = m.Version+1, 2, 3
	all["one page is enough for an end of what is not confirmed"] = s.post(m).unconfirmed().powerCut().wait(time.Minute)

	s = cut()
	m = s.manifest("A", listed("fire/2"))
	m.Version, m.Page, m.Pages = m.Version+1, 2, 3
	all["a higher revision takes away at once what is not confirmed"] = s.post(m).unconfirmed().wait(time.Second).
		hears("B", listed("fire/2")).tells("fire/1 cancelled").gets(s.body("fire/2", old)).shows(updated).tells("fire/2 verified", "fire/2 presented")

	s = shown().later(59 * time.Minute).powerCut().wait(5 * time.Second).unconfirmed(marked).wait(54 * time.Second).wait(time.Second).unconfirmed()
	all["what runs out without a manifest goes, and stays away when the clock is set back"] = s.later(-30 * time.Second).wait(0).powerCut().wait(5 * time.Second).
		later(25 * time.Second).hears("B").tells("fire/1 cancelled")

	all["what ran out while there was no power is not shown"] = shown().later(time.Hour).powerCut().wait(5 * time.Second)

	s = shown()
	s.hears("A", s.ended("fire/1", contract.WhyCancelled)).shows().tells("fire/1 cancelled")
	all["what ended before the power cut is not shown"] = s.powerCut().wait(5 * time.Second)

	s = shown().hears("A", listed("fire/2"))
	all["what was replaced before the power cut is not shown"] = s.powerCut().wait(5 * time.Second)

	s = begun(t)
	s.gets(s.body("fire/1", old)).tells("fire/1 verified")
	all["what only waited is not shown"] = s.powerCut().wait(5 * time.Second)

	all["a clock that is sixteen seconds behind says nothing of what has run out"] = shown().later(-21 * time.Second).powerCut().wait(5 * time.Second)
	all["a clock that is fourteen seconds behind is still right"] = shown().later(-19 * time.Second).powerCut().wait(5 * time.Second).unconfirmed(marked)

	s = newStory(t)
	s.skew = 3 * time.Hour
	s.connect().keys(ring(s.nodes(), nodeA)).hears("A")
	late := s.body("flood/1", 0, func(b *contract.Body) { b.Time, b.Expires = b.Time.Add(time.Second), s.nodes().Add(time.Minute) })
	s.later(time.Second).gets(late).shows("flood/1 emergency siren").tells("flood/1 verified", "flood/1 presented").powerCut()
	all["a clock that was three hours slow counts as it was corrected"] = s.wait(5 * time.Second).unconfirmed("flood/1 emergency none").wait(54 * time.Second).unconfirmed()

	s = newStory(t)
	s.skew = -3 * time.Hour
	s.connect().keys(ring(s.nodes(), nodeA)).hears("A")
	early := s.body("flood/1", 0, func(b *contract.Body) { b.Time, b.Expires = b.Time.Add(time.Second), s.nodes().Add(time.Hour) })
	s.later(time.Second).gets(early).shows("flood/1 emergency siren").tells("flood/1 verified", "flood/1 presented")
	all["a clock that was fast may have been set right meanwhile, so that what has run out by it is over"] = s.powerCut().wait(5 * time.Second)

	s = cut()
	all["a ring without the key that signed it takes it away"] = s.keys(ring(s.nodes(), nodeB)).unconfirmed().wait(time.Second).powerCut().wait(5 * time.Second)

	s = begun(t)
	s.hears("A", listed("fire/1")).gets(s.body("fire/1", old, func(b *contract.Body) { b.Status = "Exercise" })).
		shows("fire/1 drill drill").tells("fire/1 verified", "fire/1 presented")
	all["a drill that no node has confirmed is a drill"] = s.powerCut().wait(5 * time.Second).unconfirmed("fire/1 drill none")
	return all
}

func believing(t *testing.T) map[string]*story {
	all := map[string]*story{}
	topic := contract.TopicAlert(device, "fire")
	s := begun(t)
	s.hears("A", listed("fire/1"))
	s.message(topic, forge(t, key(otherNode), header(nodeA, contract.TypeBody), s.body("fire/1", 0))).tells("fire/1 refused")
	all["a forged body is refused, once a connection, and the true one shown"] = s.message(topic, forge(t, key(otherNode), header(nodeA, contract.TypeBody), s.body("fire/1", 0))).
		gets(s.body("fire/1", 0)).shows(realFire).tells("fire/1 verified", "fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1"), listed("flood/1"))
	all["a body on the topic of another alert is refused"] = s.message(topic, sign(t, nodeA, s.body("flood/1", 0))).tells("fire/1 refused")

	s = begun(t)
	s.hears("A", listed("fire/1")).message(contract.TopicAlert("lift-2", "fire"), sign(t, nodeA, s.body("fire/1", 0)))
	s.message(topic, sign(t, nodeA, s.body("fire/1", 0)))
	s.last().Retained = true
	all["a body for another device, or one that is retained, is not taken"] = s.hears("A", listed("fire/1"))

	s = begun(t)
	s.hears("A", listed("fire/1")).gets(s.body("fire/1", old)).shows(realFire).tells("fire/1 verified", "fire/1 presented")
	forged := s.manifest("A", s.ended("fire/1", contract.WhyCancelled))
	forged.Version += 9
	all["a forged manifest ends nothing"] = s.message(contract.TopicNow, forge(t, key(otherNode), header(nodeA, contract.TypeManifest), forged))

	s = newStory(t)
	s.connect().keys(ring(s.nodes(), nodeA))
	s.hears("B", listed("fire/1")).gets(s.body("fire/1", old)).tells("fire/1 verified").later(time.Second)
	all["a manifest of a new node waits for the ring that has its key"] = s.keys(ring(s.nodes(), nodeA, nodeB)).shows(realFire).tells("fire/1 presented")

	s = newStory(t)
	s.connect().keys(ring(s.nodes(), nodeA, nodeB)).later(time.Second).keys(ring(s.nodes(), nodeA)).later(-time.Second)
	s.keys(ring(s.nodes(), nodeA, nodeB))
	all["an old ring does not bring back a key that was taken out"] = s.hears("B", listed("fire/1")).gets(s.body("fire/1", old)).tells("fire/1 verified")

	s = newStory(t)
	s.connect().message(contract.TopicKeys, sign(t, otherRoot, ring(s.nodes(), nodeA)))
	all["a ring of another root is refused"] = s.hears("A", listed("fire/1")).gets(s.body("fire/1", old))

	s = begun(t)
	do := contract.Command{ID: "c-1", Do: "identify", Time: noon, Expires: noon.Add(time.Minute)}
	s.message(contract.TopicCommand(device), sign(t, nodeA, do))
	s.hears("A").message(contract.TopicCommand(device), sign(t, nodeA, do)).does("identify").message(contract.TopicCommand(device), sign(t, nodeA, do))
	do.ID = "c-2"
	all["a command is carried out once, after the first manifest, and not late"] = s.later(time.Minute).message(contract.TopicCommand(device), sign(t, nodeA, do))

	s = begun(t)
	s.hears("A").connect()
	all["a command on a later connection does not wait for its manifest"] = s.message(contract.TopicCommand(device), sign(t, nodeA, do)).does("identify")

	s = newStory(t)
	s.connect().keys(ring(s.nodes(), nodeA, nodeB)).gets(s.body("fire/1", old)).tells("fire/1 verified")
	s.later(time.Second).keys(ring(s.nodes(), nodeB))
	all["what waits was verified when it came, whatever ring comes after it"] = s.hears("B", listed("fire/1")).shows(realFire).tells("fire/1 presented")

	s = begun(t)
	s.hears("A", listed("fire/1")).message(topic, forge(t, key(nodeA), header(nodeA, contract.TypeBody), `{"alert":"fire","revision":"1"}`))
	s.message(topic, forge(t, key(otherNode), header(nodeA, contract.TypeBody), s.body("fire/1", 0))).tells("fire/1 refused")
	all["what is refused is told once for each revision that can be read"] = s.message(topic, forge(t, key(otherNode), header(nodeA, contract.TypeBody), s.body("fire/2", 0))).tells("fire/2 refused")
	return all
}

func TestScenarios(t *testing.T) {
	v := Scenarios{Device: device, Root: part(public(root))}
	for _, group := range []struct {
		section string
		stories func(*testing.T) map[string]*story
	}{{"7.1", starting}, {"7.2", updating}, {"7.3", ending}, {"7.4", looking}, {"7.5", keeping}, {"7.5", alone}, {"6", believing}} {
		v.Cases = append(v.Cases, inOrder(group.section, group.stories(t))...)
	}
	hold(t, "scenarios", v)
}

func TestLooks(t *testing.T) {
	var cases []LookCase
	for _, status := range []string{"Actual", "Exercise", "Test", "System", "actual", ""} {
		for _, tier := range []string{"emergency", "advisory", "drill", "test", "later", ""} {
			for _, sound := range []string{"siren", "chime", "drill", "none", "later", ""} {
				cases = append(cases, LookCase{status, tier, sound, look(status, tier, sound)})
			}
		}
	}
	hold(t, "looks", cases)
}

// look is section 7.4 of the contract.
func look(status, tier, sound string) Look {
	switch {
	case status == "Exercise" && sound == "none":
		return Look{"drill", "none"}
	case status == "Exercise":
		return Look{"drill", "drill"}
	case status != "Actual":
		return Look{"test", "none"}
	case tier == "emergency" && (sound == "siren" || sound == "none"):
		return Look{tier, sound}
	case tier == "emergency":
		return Look{tier, "chime"}
	case sound == "none":
		return Look{"advisory", "none"}
	}
	return Look{"advisory", "chime"}
}
