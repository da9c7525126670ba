package rds

import (
	"strconv"
	"strings"
)

const (
	gib = 1 << 30
	// acuBytes is the memory of one Aurora capacity unit.
	// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
	acuBytes = 2 * gib
)

// largeGiB is the memory of the size "large" of each family of instance classes, in GiB. The other
// sizes are multiples of it.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
var largeGiB = map[string]float64{
	"m4": 8, "m5": 8, "m5d": 8, "m6g": 8, "m6gd": 8, "m6i": 8, "m6id": 8, "m6idn": 8, "m6in": 8, "m7g": 8, "m7gd": 8, "m7i": 8, "m8g": 8, "m8gd": 8, "m8i": 8,
	"r4": 15.25, "r5": 16, "r5b": 16, "r5d": 16, "r6g": 16, "r6gd": 16, "r6i": 16, "r6id": 16, "r6idn": 16, "r6in": 16, "r7g": 16, "r7gd": 16, "r7i": 16, "r8g": 16, "r8gd": 16, "r8i": 16,
	"x2g": 32, "x2idn": 32, "x2iedn": 64, "x2iezn": 64, "z1d": 16, "c6gd": 4,
	"t2": 8, "t3": 8, "t4g": 8,
}

// smallGiB are the sizes below "large" of the burstable families, in GiB.
var smallGiB = map[string]float64{"micro": 1, "small": 2, "medium": 4}

// classMemory is the memory of an instance class in bytes, as AWS's table gives it; ok is false for
// a class that is not in it. "db.serverless" has no memory of its own, and classes with a suffix
// (".tpc1.mem2x" of Oracle) are left out.
func classMemory(class string) (bytes float64, ok bool) {
	parts := strings.Split(class, ".")
	if len(parts) != 3 || parts[0] != "db" {
		return 0, false
	}
	family, size := parts[1], parts[2]
	large, known := largeGiB[family]
	if !known {
		return 0, false
	}
	if small, is := smallGiB[size]; is {
		switch {
		case strings.HasPrefix(family, "t"):
			return small * gib, true
		case family == "c6gd" && size == "medium":
			return 2 * gib, true
		}
		return 0, false
	}
	times, ok := timesLarge(size)
	return large * times * gib, ok
}

// timesLarge is how many times the size "large" a size is: xlarge is two, 4xlarge eight.
func timesLarge(size string) (float64, bool) {
	switch size {
	case "large":
		return 1, true
	case "xlarge":
		return 2, true
	}
	n, ok := strings.CutSuffix(size, "xlarge")
	times, err := strconv.Atoi(n)
	if !ok || err != nil || times < 2 || times > 64 {
		return 0, false
	}
	return 2 * float64(times), true
}

// reserve is what RDS is taken to keep of an instance's memory for the system and for itself: a
// tenth, at least 384 MiB. AWS says only that DBInstanceClassMemory is somewhat less than the class's
// memory. With this share the formulas give AWS's own table for Aurora MySQL, and stay a little under
// the one for Aurora Serverless v2 with PostgreSQL (189 of 1 ACU, 823 of 4, 1,669 of 8, 3,360 of 16):
// a limit that is worked out errs to the careful side.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
func reserve(memory float64) float64 { return max(memory/10, 384<<20) }
