package journal

import (
	"encoding/json"
	"time"
)

// Version is the version of the record format.
const Version = 1

// Kind says what a record is.
type Kind string

// The kinds. An intent is written before anything is sent; Result or Refused with the same id
// settles it. Unknown says that it was sent and could not be confirmed: it may still be settled
// by a Result. Effect says whether the signals showed it.
const (
	Intent    Kind = "intent"
	Result    Kind = "result"
	Refused   Kind = "refused"
	Unknown   Kind = "unknown"
	Effect    Kind = "effect"
	Note      Kind = "note"
	Recovered Kind = "recovered"
	Rotate    Kind = "rotate"
	HeadNote  Kind = "head"
)

// The codes of the journal's own records.
const (
	CodeRecovered = "JRN10C"
	CodeRotate    = "JRN20O"
	CodeHead      = "JRN30H"
)

// Record is one line. The caller fills the fields from Code to Watch; Append fills the rest.
// Texts may be foreign and hold anything: they are stored as JSON escapes, cut to a bounded
// length, and must be cleaned when they are shown.
type Record struct {
	V    int       `json:"v"`
	Seq  uint64    `json:"seq"` // from 1, without gaps, over all files
	TS   time.Time `json:"ts"`  // UTC, nanoseconds
	Mono int64     `json:"mono"`
	Boot string    `json:"boot"` // Mono counts nanoseconds since the boot of this id
	Host string    `json:"host"`
	PID  int       `json:"pid"`

	Code     string `json:"code"` // 6 characters, stable: ADM10I
	Kind     Kind   `json:"kind"`
	ID       string `json:"id"` // of the intent; the same in all records that follow from it
	Actor    Actor  `json:"actor"`
	Approver *Actor `json:"approver,omitempty"`

	Sale     string          `json:"sale,omitempty"`
	Action   string          `json:"action,omitempty"`
	Target   *Target         `json:"target,omitempty"`
	From     json.RawMessage `json:"from,omitempty"` // object of settings
	To       json.RawMessage `json:"to,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Change   string          `json:"change,omitempty"`
	Evidence []Evidence      `json:"evidence,omitempty"`

	Outcome   string          `json:"outcome,omitempty"`
	RequestID string          `json:"provider_request_id,omitempty"`
	ReadBack  json.RawMessage `json:"read_back,omitempty"`
	Text      string          `json:"text,omitempty"` // what happened, in words
	// Ref is the id of another action: the one undone, or the play that this is a step of.
	Ref   string `json:"ref,omitempty"`
	Of    string `json:"of,omitempty"` // the action that was undone
	Play  *Play  `json:"play,omitempty"`
	Watch *Watch `json:"watch,omitempty"`
	// Ask is what a second person is asked for, and what the answer is to. An intent that leans on
	// an agreement names the request's id in Approval.
	Ask      *Ask   `json:"ask,omitempty"`
	Approval string `json:"approval,omitempty"`
	// Glass lists the guards that were lifted by breaking the glass.
	Glass  []string `json:"glass,omitempty"`
	Damage *Damage  `json:"damage,omitempty"`

	Prev string `json:"prev"`
	Hash string `json:"hash"`
}

// Actor is who acted.
type Actor struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Role        string `json:"role,omitempty"`
	Via         string `json:"via,omitempty"`
	Remote      string `json:"remote,omitempty"`
}

// Target is what was acted on. Two targets are the same when all fields are.
type Target struct {
	System  string `json:"system"`
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
}

// Evidence is one signal that the action leaned on.
type Evidence struct {
	Metric     string   `json:"metric"`
	Value      *float64 `json:"value"` // null when not known
	Unit       string   `json:"unit,omitempty"`
	AgeSeconds float64  `json:"age_s"`
	Freshness  string   `json:"freshness,omitempty"`
}

// Play is the sequence that a record is a step of.
type Play struct {
	Name string `json:"name"`
	Step int    `json:"step"` // from 1
	Of   int    `json:"of"`
}

// Watch is the effect that was promised, so that the next start can go on looking for it.
type Watch struct {
	Signal    string  `json:"signal"`
	Direction string  `json:"direction"`
	Wanted    float64 `json:"wanted"`
	WithinS   float64 `json:"within_s"`
}

// Ask is what a second person is asked to agree to: enough to look at the target again and to tell
// whether it is still the same.
type Ask struct {
	Token  string   `json:"token"` // digest of what would be sent, and of what it was decided on
	Number *float64 `json:"number,omitempty"`
	Text   string   `json:"text,omitempty"`
	Play   string   `json:"play,omitempty"`
	Step   int      `json:"step,omitempty"`
	Risk   string   `json:"risk,omitempty"`
	Glass  bool     `json:"glass,omitempty"`
}

// Damage says what was found wrong with a file, and what was done about it.
type Damage struct {
	File      string `json:"file"`
	GoodBytes int64  `json:"good_bytes"` // length of the part before it
	BadBytes  int64  `json:"bad_bytes"`
	SHA256    string `json:"sha256"`             // of the bad part
	MovedTo   string `json:"moved_to,omitempty"` // where the bad part is now
	Why       string `json:"why"`                // torn, tampered or failed
}

// Why a file was damaged.
const (
	Torn     = "torn"
	Tampered = "tampered"
	Broken   = "failed"
)
