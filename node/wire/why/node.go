package why

// What a node says of itself: why it does not do all of its work, and what somebody should look after.
const (
	MachineStopped     Reason = "machine-stopped"     // the node's sentence
	QuarantinedDisk    Reason = "quarantined-disk"    // since when, whether devices are warned (a sentence); the node's sentence
	QuarantinedRestore Reason = "quarantined-restore" // the incarnation, since when, whether devices are warned
	QuarantinedRecover Reason = "quarantined-recover" // likewise
	DevicesWarned      Reason = "devices-warned"      // devices here still are
	DevicesNotWarned   Reason = "devices-not-warned"  // nothing is left by which
	NoDistrictRecord   Reason = "no-district-record"
	NotInKeyRing       Reason = "not-in-key-ring"
	MajorityGone       Reason = "majority-gone"
	DiskStalled        Reason = "disk-stalled"    // for how long
	DiskLow            Reason = "disk-low"        // the folder, what is free, below what the next level begins
	DiskTight          Reason = "disk-tight"      // the folder, what is free, until how much is
	DiskBroadcasts     Reason = "disk-broadcasts" // likewise
	DrillCopy          Reason = "drill-copy"
	ClockAhead         Reason = "clock-ahead"     // of the other nodes' clocks, by how much
	ClockSlow          Reason = "clock-slow"      // likewise
	ClockSetAhead      Reason = "clock-set-ahead" // by how much
	ClockSetBack       Reason = "clock-set-back"  // likewise
	SpoolHalf          Reason = "spool-half"
	SpoolMost          Reason = "spool-most"
	SpoolFull          Reason = "spool-full"
	AddressGuessed     Reason = "address-guessed"      // the address
	SystemsAssumed     Reason = "systems-assumed"      // the first names
	SystemsAssumedMany Reason = "systems-assumed-many" // likewise, how many others
	ThingEnds          Reason = "thing-ends"           // what (a sentence), when, what to do (a sentence)
	ThingEnded         Reason = "thing-ended"          // likewise
	ThingCertificate   Reason = "thing-certificate"
	ThingAuthority     Reason = "thing-authority"
	ThingKey           Reason = "thing-key"     // of which node
	ThingLicence       Reason = "thing-licence" // its id, whose
	DoCertificate      Reason = "do-certificate"
	DoAuthority        Reason = "do-authority"
	DoKey              Reason = "do-key"
	DoLicence          Reason = "do-licence"
	NodeLostLog        Reason = "node-lost-log"       // its name
	NodeNeverSeen      Reason = "node-never-seen"     // its name
	NodeNeverAnswered  Reason = "node-never-answered" // its name
	NodeSilent         Reason = "node-silent"         // its name, since when
	NodeDoesNotSay     Reason = "node-does-not-say"
)

// What the test of a device came to, where the node says it.
const (
	TestBusy         Reason = "test-busy"
	TestUnsubscribed Reason = "test-unsubscribed"
	TestUntaken      Reason = "test-untaken"
	TestSilent       Reason = "test-silent"
	TestBrokerSilent Reason = "test-broker-silent"
	TestSaysNothing  Reason = "test-says-nothing"
	TestBrokerHas    Reason = "test-broker-has"
)
