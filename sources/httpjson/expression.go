package httpjson

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"github.com/onsale-dev/onsale/sale"
)

// patience is what one expression may take: a thousand times what a look into an answer needs.
const patience = 100 * time.Millisecond

// expression is a compiled jq program that gives one value.
type expression struct {
	text string
	code *gojq.Code
}

// compile refuses what reads anything but the answer.
func compile(text string) (*expression, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("not a jq expression: %w", err)
	}
	environment := false
	code, err := gojq.Compile(query, gojq.WithEnvironLoader(func() []string { environment = true; return nil }))
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a jq expression: %w", err)
	case environment:
		return nil, errors.New("env and $ENV are not there: an expression sees the answer alone")
	}
	return &expression{text: text, code: code}, nil
}

// one runs the expression on a decoded answer and returns its only value; nil is JSON's null.
func (e *expression) one(ctx context.Context, answer any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	results := e.code.RunWithContext(ctx, answer)
	value, ok := results.Next()
	if !ok {
		return nil, fmt.Errorf("%s gives nothing", e.text)
	}
	if err, failed := value.(error); failed {
		return nil, e.wrong(err)
	}
	second, more := results.Next()
	if err, failed := second.(error); failed {
		return nil, e.wrong(err)
	}
	if more {
		return nil, fmt.Errorf("%s gives more than one value", e.text)
	}
	return value, nil
}

func (e *expression) wrong(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s takes longer than %s on this answer", e.text, patience)
	}
	var halt *gojq.HaltError
	if errors.As(err, &halt) {
		return fmt.Errorf("%s halts", e.text)
	}
	return fmt.Errorf("%s: %w", e.text, err)
}

// decimal is a number as a string may hold it: no separators of thousands, no comma, no hex, no
// words such as NaN.
var decimal = regexp.MustCompile(`^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?$`)

// figure turns a jq value into a reading's value.
func figure(v any, unit sale.Unit, boolean bool) (float64, error) {
	f, err := number(v, boolean)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errors.New("it is not a finite number")
	}
	if f < 0 && neverNegative(unit) {
		return 0, fmt.Errorf("it is %s, and %s are never negative", strconv.FormatFloat(f, 'g', 6, 64), unit)
	}
	if f == 0 {
		return 0, nil // without the sign of "-0"
	}
	return f, nil
}

func number(v any, boolean bool) (float64, error) {
	switch v := v.(type) {
	case nil:
		return 0, errors.New("it is null: not known")
	case int:
		return float64(v), nil
	case float64:
		return v, nil
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, nil
	case bool:
		switch {
		case !boolean:
			return 0, errors.New("it is true or false: say boolean: true to read that as 1 or 0")
		case v:
			return 1, nil
		}
		return 0, nil
	case string:
		text := strings.TrimSpace(v)
		if !decimal.MatchString(text) {
			return 0, fmt.Errorf("it is the text %q, not a number in plain digits", sale.Clean(text, 40))
		}
		return strconv.ParseFloat(text, 64)
	case []any:
		return 0, errors.New("it is a list, not a number: length counts it")
	default:
		return 0, errors.New("it is an object, not a number")
	}
}

func neverNegative(unit sale.Unit) bool {
	switch unit {
	case sale.Users, sale.Tickets, sale.Seconds, sale.Bytes, sale.PerMinute, sale.PerSecond:
		return true
	}
	return false
}

// ahead is how far an answer's clock may be before ours and still be taken for it.
const ahead = 2 * time.Minute

// instant turns what At gives into the time of the figures: RFC 3339, or seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by their size.
func instant(v any, now time.Time) (time.Time, error) {
	var at time.Time
	switch text, isText := v.(string); {
	case isText && !decimal.MatchString(strings.TrimSpace(text)):
		parsed, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
		if err != nil {
			return at, fmt.Errorf("%q is no time with a zone (RFC 3339)", sale.Clean(text, 40))
		}
		at = parsed
	default:
		f, err := number(v, false)
		if err != nil {
			return at, err
		}
		for f >= 1e11 { // the year 5138 in seconds
			f /= 1000
		}
		if !(f >= 1) { // NaN, zero and before 1970 are no time of a sample
			return at, errors.New("it is no time since 1970")
		}
		at = time.UnixMilli(int64(f * 1000))
	}
	switch {
	case at.After(now.Add(ahead)):
		return at, fmt.Errorf("it lies %s in the future: see the clocks", at.Sub(now).Round(time.Second))
	case at.After(now):
		return now, nil
	}
	return at, nil
}
