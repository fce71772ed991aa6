package alert

import "slices"

// Clone returns a copy that shares no memory which either could change.
func (a *Alert) Clone() *Alert {
	c := *a
	c.Addresses = slices.Clone(a.Addresses)
	c.Codes = slices.Clone(a.Codes)
	c.References = slices.Clone(a.References)
	c.Incidents = slices.Clone(a.Incidents)
	c.Infos = slices.Clone(a.Infos)
	for n := range c.Infos {
		c.Infos[n].unshare()
	}
	return &c
}

// unshare replaces every slice of the info by a copy.
func (i *Info) unshare() {
	i.Categories = slices.Clone(i.Categories)
	i.ResponseTypes = slices.Clone(i.ResponseTypes)
	i.EventCodes = slices.Clone(i.EventCodes)
	i.Parameters = slices.Clone(i.Parameters)
	i.Resources = slices.Clone(i.Resources)
	i.Areas = slices.Clone(i.Areas)
	for n := range i.Areas {
		a := &i.Areas[n]
		a.Polygons = slices.Clone(a.Polygons)
		a.Circles = slices.Clone(a.Circles)
		a.Geocodes = slices.Clone(a.Geocodes)
	}
}
