package sources

import "testing"

func TestAnAlarmIsOfTheFirstSaleWhoseRuleMatches(t *testing.T) {
	whose := Whose{
		{Sale: "harbour", Name: "harbour-*"},
		{Sale: "comet", Labels: map[string]string{"sale": "comet", "team": "*"}},
		{Sale: "orbit", Name: "*-orbit-*-high", Tags: map[string]string{"env": "prod*"}},
	}
	for _, c := range []struct {
		name         string
		labels, tags map[string]string
		want         string
	}{
		{"harbour-rds", nil, nil, "harbour"},
		{"harbour", nil, nil, ""},
		{"xharbour-rds", nil, nil, ""},
		{"any", map[string]string{"sale": "comet", "team": ""}, nil, "comet"},
		{"any", map[string]string{"sale": "comet"}, nil, ""},
		{"eu-orbit-cpu-high", nil, map[string]string{"env": "production"}, "orbit"},
		{"eu-orbit-cpu-high", nil, nil, ""},
		{"-orbit-high", nil, map[string]string{"env": "prod"}, ""},
		{"-orbit--high", nil, map[string]string{"env": "prod"}, "orbit"},
	} {
		if got := whose.Sale(c.name, c.labels, c.tags); string(got) != c.want {
			t.Errorf("%q %v %v is of %q, want %q", c.name, c.labels, c.tags, got, c.want)
		}
	}
	if !whose.NeedsTags() || whose[:2].NeedsTags() {
		t.Error("tags are asked for where nobody looks at them, or not where somebody does")
	}
}

func TestAPatternsStarStandsForAnyText(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true},
		{"*", "", true},
		{"a*b", "ab", true},
		{"a*b", "aXb", true},
		{"a*b", "a", false},
		{"a*a", "a", false},
		{"*ab*ab*", "abab", true},
		{"*ab*ab*", "aab", false},
		{"[a]?", "[a]?", true},
		{"[a]?", "a", false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
	}
}
