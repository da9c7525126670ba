package config

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// The bounds of a file with an earlier sale's course.
const (
	maxPlanFile   = 1 << 20
	maxPlanPoints = 5000
	planReach     = 30 * 24 * time.Hour // from the opening, to either side
	mostPlanned   = 1e9
)

// planRow is one point of an earlier sale: nil is not given.
type planRow struct {
	after                        time.Duration
	waiting, admission, capacity *float64
}

// parsePlanFile reads an earlier sale's course: JSON when the data begins with a bracket, else CSV.
// Its rows must ascend in time. The error is one line, and may quote the file.
func parsePlanFile(data []byte) ([]planRow, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	read := planCSV
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && (trimmed[0] == '[' || trimmed[0] == '{') {
		read = planJSON
	}
	rows, err := read(data)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("it has no points")
	}
	for i := 1; i < len(rows); i++ {
		if rows[i].after <= rows[i-1].after {
			return nil, fmt.Errorf("point %d is not after the one before it", i+1)
		}
	}
	return rows, nil
}

func planJSON(data []byte) ([]planRow, error) {
	var points []struct {
		At                           string
		Waiting, Admission, Capacity *float64
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&points); err != nil {
		return nil, fmt.Errorf("not a list of points: %s", sale.Clean(err.Error(), 120))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of points")
	}
	rows := make([]planRow, 0, min(len(points), maxPlanPoints))
	for i, p := range points {
		after, err := planTime(p.At)
		if err != nil {
			return nil, fmt.Errorf("point %d: %w", i+1, err)
		}
		row := planRow{after, p.Waiting, p.Admission, p.Capacity}
		if rows, err = addPlanRow(rows, row); err != nil {
			return nil, fmt.Errorf("point %d: %w", i+1, err)
		}
	}
	return rows, nil
}

func planCSV(data []byte) ([]planRow, error) {
	in := csv.NewReader(bytes.NewReader(data))
	in.TrimLeadingSpace, in.ReuseRecord, in.Comment = true, true, '#'
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("it has no heading: %s", sale.Clean(err.Error(), 120))
	}
	columns := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains([]string{"at", "waiting", "admission", "capacity"}, name) {
			return nil, fmt.Errorf("a column can't be called %q: at, waiting, admission, capacity", sale.Clean(name, 40))
		}
		if _, twice := columns[name]; twice {
			return nil, fmt.Errorf("the column %q is there twice", name)
		}
		columns[name] = i
	}
	if _, ok := columns["at"]; !ok {
		return nil, errors.New(`it has no column "at"`)
	}
	var rows []planRow
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, errors.New(sale.Clean(err.Error(), 120))
		}
		line, _ := in.FieldPos(0)
		var row planRow
		if row.after, err = planTime(record[columns["at"]]); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		for name, to := range map[string]**float64{"waiting": &row.waiting, "admission": &row.admission, "capacity": &row.capacity} {
			i, ok := columns[name]
			if !ok || strings.TrimSpace(record[i]) == "" {
				continue
			}
			v, err := strconv.ParseFloat(strings.TrimSpace(record[i]), 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %s is not a number: %q", line, name, sale.Clean(record[i], 40))
			}
			*to = &v
		}
		if rows, err = addPlanRow(rows, row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func addPlanRow(rows []planRow, row planRow) ([]planRow, error) {
	for _, v := range []*float64{row.waiting, row.admission, row.capacity} {
		if v != nil && !(*v >= 0 && *v <= mostPlanned) {
			return nil, fmt.Errorf("%v is not a figure from 0 to %.0f", *v, mostPlanned)
		}
	}
	if len(rows) == maxPlanPoints {
		return nil, fmt.Errorf("there are more than %d points", maxPlanPoints)
	}
	return append(rows, row), nil
}

// planTime reads a time from the opening: "-10m", "2m30s", or a number of seconds.
func planTime(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	after, err := time.ParseDuration(text)
	if seconds, numeric := strconv.ParseFloat(text, 64); numeric == nil {
		if !(math.Abs(seconds) <= planReach.Seconds()) {
			return 0, errors.New("it is too far from the opening")
		}
		after, err = time.Duration(seconds*float64(time.Second)), nil
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a time from the opening: -10m, 0s, 2m30s", sale.Clean(text, 40))
	case after.Abs() > planReach:
		return 0, errors.New("it is too far from the opening")
	}
	return after, nil
}
