package command

// Subject is what a command about who may do what is about, for the audit; "" of others.
func Subject(p Payload) string {
	switch p := p.(type) {
	case *PutUser:
		return p.User.Name
	case *RevokeUser:
		return p.Name
	case *PutScenario:
		return p.Scenario.ID
	case *RemoveScenario:
		return p.ID
	case *PutLicence:
		return p.Licence.ID
	case *RevokeLicence:
		return p.ID
	case *PutCredential:
		return p.Credential.User
	case *BeginSession:
		return p.Session.User
	case *EndSessions:
		return p.User
	case *PutNotice:
		return p.Notice.ID
	case *ChangePlace:
		if p.Path == "" {
			return string(p.Place.Path)
		}
		return string(p.Path)
	}
	return ""
}
