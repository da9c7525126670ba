package actions

import "slices"

// Verb names an action as `onsale act` does.
type Verb string

// The verbs.
const (
	ScaleUp     Verb = "scale-up"
	ScaleBack   Verb = "scale-back"
	ScaleAhead  Verb = "scale-ahead"
	Pause       Verb = "pause"
	Resume      Verb = "resume"
	Rate        Verb = "rate"
	Incident    Verb = "incident"
	Acknowledge Verb = "acknowledge"
	Resolve     Verb = "resolve"
	AddNote     Verb = "note"
	Silence     Verb = "silence"
	Undo        Verb = "undo"
	RunPlay     Verb = "play"
)

// Meaning is what is true of a verb whatever executes it.
type Meaning struct {
	Verb  Verb
	Label string // "scale up", for a person
	Code  string // the first five characters of its journal codes; stable for ever
	// Undoable verbs change settings that can be put back.
	Undoable bool
	// Numeric verbs take an absolute number; Needs means that one must be given.
	Numeric, Needs bool
	// Paperwork changes nothing that customers can feel: no freeze window and no bound on the
	// rate of actions holds it up.
	Paperwork bool
}

// Verbs lists every verb in the order of the help. The caller must not change it.
func Verbs() []Meaning { return meanings }

var meanings = []Meaning{
	{Verb: ScaleUp, Label: "scale up", Code: "SCA10", Undoable: true, Numeric: true},
	{Verb: ScaleBack, Label: "scale back", Code: "SCA20", Undoable: true, Numeric: true},
	{Verb: ScaleAhead, Label: "scale ahead", Code: "SCA30", Undoable: true},
	{Verb: Pause, Label: "pause admission", Code: "ADM10", Undoable: true},
	{Verb: Resume, Label: "resume admission", Code: "ADM30", Undoable: true, Numeric: true},
	{Verb: Rate, Label: "admission rate", Code: "ADM20", Undoable: true, Numeric: true, Needs: true},
	{Verb: Incident, Label: "open incident", Code: "INC10", Paperwork: true},
	{Verb: Acknowledge, Label: "acknowledge", Code: "INC20", Paperwork: true},
	{Verb: Resolve, Label: "resolve incident", Code: "INC30", Paperwork: true},
	{Verb: AddNote, Label: "note", Code: "NOT10", Paperwork: true},
	{Verb: Silence, Label: "silence alerts", Code: "SIL10", Undoable: true, Numeric: true, Paperwork: true},
	{Verb: Undo, Label: "undo", Code: "UND10", Undoable: true},
	{Verb: RunPlay, Label: "play", Code: "PLA10"},
}

// Meaning returns what is known of a verb; ok is false for one that is not in the list.
func (v Verb) Meaning() (m Meaning, ok bool) {
	i := slices.IndexFunc(meanings, func(m Meaning) bool { return m.Verb == v })
	if i < 0 {
		return Meaning{Verb: v, Label: string(v), Code: "ACT99"}, false
	}
	return meanings[i], true
}

// Role is what a person may do here. It comes from the config, never from the client.
type Role string

// The roles. Anything else may do nothing.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
)

// Actor is who acts. Two sessions of one key, or of one name, are one person.
type Actor struct {
	Name        string // the configured name, or that of the OS user
	Fingerprint string // "SHA256:…" of the SSH key; empty locally
	Role        Role
	Via         string // local, ssh, cli or plan
	Remote      string // address of the client; empty locally
}

// Same reports whether two actors must count as one person: the same name, or the same key.
func (a Actor) Same(b Actor) bool {
	return a.Name == b.Name || a.Fingerprint != "" && a.Fingerprint == b.Fingerprint
}
