package telemetry_test

import (
	"testing"

	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

func TestDimensionsAreWrittenByNameAndReadBack(t *testing.T) {
	for text, set := range map[string]map[string]string{
		"":                                 nil,
		"QueueName=orders":                 {"QueueName": "orders"},
		"DistributionId=E1,Region=Global":  {"Region": "Global", "DistributionId": "E1"},
		"LoadBalancer=app/web/50dc6c=9188": {"LoadBalancer": "app/web/50dc6c=9188"},
	} {
		if got := telemetry.Dimensions(set); got != text {
			t.Errorf("%v is written %q", set, got)
		}
		pairs := telemetry.SplitDimensions(text)
		if len(pairs) != len(set) {
			t.Errorf("%q reads as %v", text, pairs)
		}
		for _, p := range pairs {
			if set[p[0]] != p[1] {
				t.Errorf("%q reads as %v", text, pairs)
			}
		}
	}
}
