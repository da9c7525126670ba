package config

// serveIn is the cockpit over SSH: who may come in, and by which key.
type serveIn struct {
	place
	Listen     str       `json:"listen" jsonschema:"required" jsonschema_description:"Where to listen: 0.0.0.0:2222, or 10.0.4.7:2222 for one address."`
	HostKey    str       `json:"host_key" jsonschema:"required" jsonschema_description:"The server's own private key, a file of mode 0600; onsale serve --new-host-key PATH makes one. A relative path starts at the config's folder."`
	Users      []*userIn `json:"users" jsonschema:"required,minItems=1,maxItems=1000" jsonschema_description:"Who may come in."`
	TrustedCA  oneOrMore `json:"trusted_ca" jsonschema_description:"Public keys of SSH certificate authorities, each as in an authorized_keys file. A certificate lets in the user that it has as a principal."`
	Idle       span      `json:"idle" jsonschema_description:"A session without a key for so long is closed, 1m to 24h. The wall is not. Default 15m."`
	MaxSession span      `json:"max_session" jsonschema_description:"No session lasts longer, 1m to 168h. Default 12h."`
	MaxTotal   whole     `json:"max_connections" jsonschema:"minimum=1,maximum=2000" jsonschema_description:"Connections at a time. Default 200."`
	MaxAddress whole     `json:"max_per_address" jsonschema:"minimum=1,maximum=2000" jsonschema_description:"Connections at a time from one address; a bastion is one. Default 40."`
	Metrics    str       `json:"metrics" jsonschema_description:"A loopback address to serve the cockpit's own health on, for Prometheus: 127.0.0.1:9464. Default: none."`
}

func (serveIn) what() string { return "serve" }

type userIn struct {
	place
	Name       str       `json:"name" jsonschema:"required,maxLength=24,pattern=^[A-Za-z0-9][A-Za-z0-9._-]*$" hint:"use letters, digits, dots, dashes and underscores, at most 24: ivana" jsonschema_description:"The name on the screen and in the journal."`
	Role       str       `json:"role" jsonschema:"required,enum=viewer,enum=operator" jsonschema_description:"viewer or operator. Nobody may do more than policy.role."`
	Screen     str       `json:"screen" jsonschema:"enum=cockpit,enum=wall" jsonschema_description:"wall shows the war room's wall alone, which has no keys and is never idle. Default: cockpit."`
	Keys       oneOrMore `json:"keys" jsonschema_description:"Public keys, each as one line of an authorized_keys file."`
	KeyFile    str       `json:"key_file" jsonschema_description:"A file of public keys, in the form of authorized_keys. A relative path starts at the config's folder."`
	Principals oneOrMore `json:"principals" jsonschema_description:"The principals of certificates that are this user. Default: the name."`
}

func (userIn) what() string { return "a user" }
