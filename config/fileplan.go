package config

// planIn is what was expected of a sale, and what is known of its site by heart.
type planIn struct {
	place
	Session span           `json:"session" jsonschema_description:"How long a person stays on the site, on average, 10s to 4h. It stands in until it can be measured."`
	Carries number         `json:"carries" jsonschema_description:"How many people on the site one instance, task or pod carries."`
	Points  []*planPointIn `json:"points" jsonschema:"minItems=1,maxItems=2000" jsonschema_description:"The planned course. Admission and capacity hold from their point on; the people waiting move in a straight line from one point to the next."`
	Like    *planLikeIn    `json:"like" jsonschema_description:"An earlier sale's course instead of points, scaled by the tickets."`
}

func (planIn) what() string { return "the plan" }

type planPointIn struct {
	place
	At        instant `json:"at" jsonschema:"required" jsonschema_description:"When: opens, opens-10m, opens+2m, prequeue, or a time with its zone."`
	Waiting   number  `json:"waiting" jsonschema_description:"People waiting."`
	Admission number  `json:"admission" jsonschema_description:"People let in per minute."`
	Capacity  number  `json:"capacity" jsonschema_description:"Instances, tasks or pods in service."`
}

func (planPointIn) what() string { return "a point of the plan" }

type planLikeIn struct {
	place
	File    str   `json:"file" jsonschema:"required" jsonschema_description:"A .csv file with the columns at, waiting, admission, capacity, or a .json file with a list of such points. at counts from the opening: -10m, 0s, 2m30s."`
	Tickets whole `json:"tickets" jsonschema:"required,minimum=1" jsonschema_description:"The tickets of that sale. Its figures are multiplied by this sale's tickets over them."`
}

func (planLikeIn) what() string { return "the earlier sale" }
