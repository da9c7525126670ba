package rds

import (
	"math"
	"strings"
	"testing"
)

const (
	formulaMySQL  = "{DBInstanceClassMemory/12582880}"
	formulaAurora = "GREATEST({log(DBInstanceClassMemory/805306368)*45},{log(DBInstanceClassMemory/8187281408)*1000})"
)

func worked(t *testing.T, formula string, memory float64) float64 {
	t.Helper()
	n, depends, err := evaluate(formula, map[string]float64{"DBInstanceClassMemory": memory - reserve(memory)})
	if err != nil || !depends {
		t.Fatalf("%s: %v, depends %t", formula, err, depends)
	}
	return n
}

// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html
func TestTheDefaultsOfAuroraMySQLAreThoseOfAWSsTable(t *testing.T) {
	for class, want := range map[string]float64{
		"db.t2.small": 45, "db.t2.medium": 90, "db.t3.small": 45, "db.t3.medium": 90,
		"db.r4.large": 1000, "db.r4.xlarge": 2000, "db.r4.2xlarge": 3000, "db.r4.4xlarge": 4000, "db.r4.8xlarge": 5000, "db.r4.16xlarge": 6000,
		"db.r5.large": 1000, "db.r5.xlarge": 2000, "db.r5.2xlarge": 3000, "db.r5.4xlarge": 4000, "db.r5.8xlarge": 5000,
		"db.r5.12xlarge": 6000, "db.r5.16xlarge": 6000, "db.r5.24xlarge": 7000,
	} {
		memory, ok := classMemory(class)
		if !ok {
			t.Fatalf("%s is not known", class)
		}
		if got := worked(t, formulaAurora, memory); got != want {
			t.Errorf("%s: %g, AWS says %g", class, got, want)
		}
	}
}

// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
func TestTheLimitsOfServerlessPostgreSQLAreNeverAboveAWSsTable(t *testing.T) {
	for acus, most := range map[float64]float64{1: 189, 4: 823, 8: 1669, 16: 3360, 32: 5000, 64: 5000} {
		got := worked(t, formulaPostgres, acus*acuBytes)
		if got > most || got < 0.94*most {
			t.Errorf("%g ACUs: %g, AWS says %g", acus, got, most)
		}
	}
}

func TestClassesHaveTheMemoryOfAWSsTable(t *testing.T) {
	for class, gibibytes := range map[string]float64{
		"db.t4g.micro": 1, "db.t3.small": 2, "db.t4g.2xlarge": 32, "db.m5.large": 8, "db.m6i.32xlarge": 512, "db.m4.10xlarge": 160,
		"db.r6g.large": 16, "db.r7g.16xlarge": 512, "db.r5.24xlarge": 768, "db.r4.16xlarge": 488,
		"db.x2g.16xlarge": 1024, "db.x2iedn.32xlarge": 4096, "db.x2iezn.12xlarge": 1536, "db.x2idn.16xlarge": 1024, "db.c6gd.medium": 2, "db.c6gd.16xlarge": 128, "db.z1d.12xlarge": 384,
	} {
		if got, ok := classMemory(class); !ok || got != gibibytes*gib {
			t.Errorf("%s: %g GiB (%t), want %g", class, got/gib, ok, gibibytes)
		}
	}
	for _, class := range []string{"", "db", "db.serverless", "db.r5.4xlarge.tpc2.mem2x", "cache.r5.large", "db.r99.large", "db.m5.small", "db.m5.1xlarge", "db.m5.-4xlarge", "db.m5.999xlarge", "db.r5.metal"} {
		if got, ok := classMemory(class); ok {
			t.Errorf("%s: %g", class, got)
		}
	}
}

func TestAFormulaIsWorkedOutOrRefused(t *testing.T) {
	vars := map[string]float64{"DBInstanceClassMemory": 8 * gib}
	for text, want := range map[string]float64{
		"5000": 5000, " 300 ": 300, formulaMySQL: 682, formulaPostgres: 901, "GREATEST(100,{DBInstanceClassMemory/1073741824*20})": 160,
		"SUM({DBInstanceClassMemory/12582880},100)": 782, "LEAST({DBInstanceClassMemory/9531392}, 600)": 600, "{DBInstanceClassMemory*2/12582880}": 1365,
		"{log(DBInstanceClassMemory/1073741824)*10}": 30,
	} {
		if got, _, err := evaluate(text, vars); err != nil || got != want {
			t.Errorf("%s: %g, %v; want %g", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-5", "0", "{}", "{DBInstanceClassMemory", "DBInstanceClassMemory}", "LEAST()", "LEAST(1,", "IF(1,2,3)", "{DBInstanceVCPU*10}", "1e400", "1 2", "12abc",
		"log(1,2)", "{1/0}", "{DBInstanceClassMemory}", strings.Repeat("(", 40) + "1", strings.Repeat("9", maxFormula+1),
	} {
		if got, _, err := evaluate(text, vars); err == nil {
			t.Errorf("%s: %g", text, got)
		}
	}
}

// FuzzFormula feeds any text: nothing panics, and what comes out is a number of connections.
func FuzzFormula(f *testing.F) {
	for _, s := range []string{formulaMySQL, formulaPostgres, formulaAurora, "5000", "((((1))))", "{log(0)}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, _, err := evaluate(text, map[string]float64{"DBInstanceClassMemory": 16 * gib})
		if err == nil && (n < 1 || n > 1e6 || n != math.Floor(n)) {
			t.Errorf("%q: %g", text, n)
		}
	})
}
