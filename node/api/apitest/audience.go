package apitest

import (
	"context"
	"io"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/places"
)

// audience is members, places and devices.
type audience struct {
	*asked
	Imported wire.Imported
	Selected wire.Selected
	Places   []wire.Place
	Devices  []wire.Device
	Able     able.Ability
	Tested   able.DeviceTest // what TestDevice answers; zero is passed
	Tree     places.ShownPlace
	Changed  places.ChangedPlace
	// Importing, when set, is what Import does between reading the file and its answer.
	Importing func(ctx context.Context, progress func(wire.Progress))
}

// RemoveMember notes the id.
func (f *audience) RemoveMember(_ context.Context, by authority.Caller, id string, yes bool) (wire.RemovedMember, error) {
	return wire.RemovedMember{Member: id, Orphaned: 1, OrphanedFirst: []string{"lift-0042"}}, f.note(&by, "RemoveMember %s %t", id, yes)
}

// Import reads all and answers Imported.
func (f *audience) Import(ctx context.Context, by authority.Caller, csv io.Reader, how wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error) {
	n, err := io.Copy(io.Discard, csv)
	if err != nil {
		return wire.Imported{}, wire.Problemf(wire.KindMalformed, "the file ends early: %v", err) // hides the cause, as a service may
	}
	if progress == nil {
		progress = func(wire.Progress) {}
	}
	if f.Importing != nil {
		f.Importing(ctx, progress)
	}
	return f.Imported, f.note(&by, "Import %d %t %t", n, how.DryRun, how.Replace)
}

// Select answers Selected.
func (f *audience) Select(_ context.Context, expression, after string, limit int) (wire.Selected, error) {
	return f.Selected, f.note(nil, "Select %q %q %d", expression, after, limit)
}

// PutPlaces notes how many.
func (f *audience) PutPlaces(_ context.Context, by authority.Caller, places []wire.Place, sharedCodes bool) error {
	return f.note(&by, "PutPlaces %d %t", len(places), sharedCodes)
}

// ListPlaces answers Places.
func (f *audience) ListPlaces(context.Context) ([]wire.Place, error) {
	return f.Places, f.note(nil, "ListPlaces")
}

// EnrolDevices makes a secret for each.
func (f *audience) EnrolDevices(_ context.Context, by authority.Caller, in []wire.Enrol) ([]wire.Enrolled, error) {
	err := f.note(&by, "EnrolDevices %d", len(in))
	out := make([]wire.Enrolled, len(in))
	for i, device := range in {
		out[i] = wire.Enrolled{ID: device.ID, Secret: "secret-of-" + device.ID, Servers: []string{"tcp://127.0.0.1:1883"}, RootKey: "root"}
	}
	return out, err
}

// ListDevices answers the page of Devices behind after.
func (f *audience) ListDevices(_ context.Context, after string, limit int) (page []wire.Device, next string, err error) {
	err = f.note(nil, "ListDevices %q %d", after, limit)
	for i := range f.Devices {
		if f.Devices[i].ID <= after {
			continue
		}
		if len(page) == limit {
			return page, page[limit-1].ID, err
		}
		page = append(page, f.Devices[i])
	}
	return page, "", err
}

// RevokeDevice notes the id.
func (f *audience) RevokeDevice(_ context.Context, by authority.Caller, id string) error {
	return f.note(&by, "RevokeDevice %s", id)
}

// ShowPlace answers Tree.
func (f *audience) ShowPlace(_ context.Context, path string) (places.ShownPlace, error) {
	return f.Tree, f.note(nil, "ShowPlace %s", path)
}

// ChangePlace answers Changed, and for which place.
func (f *audience) ChangePlace(_ context.Context, by authority.Caller, in places.ChangePlace) (places.ChangedPlace, error) {
	out := f.Changed
	if out.DryRun, out.Path = in.DryRun, in.Path; in.Place != nil {
		out.Path = in.Place.Path
	}
	return out, f.note(&by, "ChangePlace %s %q %t %t", in.Path, in.Version, in.Remove, in.DryRun)
}

// Ability answers Able.
func (f *audience) Ability(_ context.Context, place string) (able.Ability, error) {
	return f.Able, f.note(nil, "Ability %q", place)
}

// TestDevices notes the places.
func (f *audience) TestDevices(_ context.Context, by authority.Caller, in able.TestDevices) (able.TestBegun, error) {
	return able.TestBegun{Devices: 3, Nodes: []string{"n1"}}, f.note(&by, "TestDevices %q", in.Places)
}

// TestDevice notes the id.
func (f *audience) TestDevice(_ context.Context, by authority.Caller, device string) (able.DeviceTest, error) {
	out := f.Tested
	if out.Stands == "" {
		out = able.DeviceTest{Node: "n1", Stands: able.DevicePassed, Exercised: []string{"display"}}
	}
	out.Device = device
	return out, f.note(&by, "TestDevice %s", device)
}

// IdentifyDevice notes the id.
func (f *audience) IdentifyDevice(_ context.Context, by authority.Caller, device string) (able.DeviceTest, error) {
	return able.DeviceTest{Device: device, Node: "n1", Stands: able.DevicePassed}, f.note(&by, "IdentifyDevice %s", device)
}
