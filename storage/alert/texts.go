package alert

// eachText calls visit with every free text of the alert.
func (a *Alert) eachText(visit func(*string)) {
	for _, s := range []*string{&a.Identifier, &a.Sender, (*string)(&a.Status), (*string)(&a.MsgType), &a.Source,
		(*string)(&a.Scope), &a.Restriction, &a.Note} {
		visit(s)
	}
	eachOf(visit, a.Addresses, a.Codes, a.Incidents)
	for n := range a.References {
		visit(&a.References[n].Sender)
		visit(&a.References[n].Identifier)
	}
	for n := range a.Infos {
		a.Infos[n].eachText(visit)
	}
}

func (i *Info) eachText(visit func(*string)) {
	for _, s := range []*string{&i.Language, &i.Event, &i.Urgency, &i.Severity, &i.Certainty, &i.AudienceText,
		&i.SenderName, &i.Headline, &i.Description, &i.Instruction, &i.Web, &i.Contact} {
		visit(s)
	}
	eachOf(visit, i.Categories, i.ResponseTypes)
	eachPair(visit, i.EventCodes)
	eachPair(visit, i.Parameters)
	for n := range i.Resources {
		r := &i.Resources[n]
		for _, s := range []*string{&r.Description, &r.MIMEType, &r.URI, &r.DerefURI, &r.Digest} {
			visit(s)
		}
	}
	for n := range i.Areas {
		area := &i.Areas[n]
		for _, s := range []*string{&area.Description, &area.Altitude, &area.Ceiling} {
			visit(s)
		}
		eachOf(visit, area.Polygons, area.Circles)
		eachPair(visit, area.Geocodes)
	}
}

func eachOf(visit func(*string), lists ...[]string) {
	for _, list := range lists {
		for n := range list {
			visit(&list[n])
		}
	}
}

func eachPair(visit func(*string), list []Named) {
	for n := range list {
		visit(&list[n].Name)
		visit(&list[n].Value)
	}
}
