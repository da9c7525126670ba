package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

// stand is a keeper whose machine is the test's.
type stand struct {
	*keeper
	book *Book

	mu    sync.Mutex
	loads int
	takes time.Duration
	file  string
	give  func(n int) (aws.Credentials, error)
	end   func(aws.Credentials) ending
}

func newStand(give func(n int) (aws.Credentials, error)) *stand {
	s := &stand{book: NewBook(Options{Operator: "ines"}), give: give, file: "1"}
	s.keeper = s.book.keeper(true, config.AWS{Profile: "hr-act"})
	s.end = func(c aws.Credentials) ending { return ending{until: c.Expires, renews: true} }
	s.stamp = func() string { s.mu.Lock(); defer s.mu.Unlock(); return s.file }
	s.load = func(context.Context) (source, error) {
		return source{kind: "aws sso", ends: s.end, provider: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			s.mu.Lock()
			s.loads++
			n, takes := s.loads, s.takes
			s.mu.Unlock()
			time.Sleep(takes)
			return s.give(n)
		})}, nil
	}
	return s
}

func (s *stand) count() int { s.mu.Lock(); defer s.mu.Unlock(); return s.loads }

func (s *stand) writes(file string) { s.mu.Lock(); defer s.mu.Unlock(); s.file = file }

// lasting gives credentials number n that hold for so long from now.
func lasting(n int, d time.Duration) aws.Credentials {
	return aws.Credentials{AccessKeyID: fmt.Sprint("KEY", n), SecretAccessKey: "s", SessionToken: "t", CanExpire: true, Expires: time.Now().Add(d)}
}

func (s *stand) key(t *testing.T) string {
	t.Helper()
	creds, err := s.Retrieve(t.Context())
	if err != nil {
		return "error: " + err.Error()
	}
	return creds.AccessKeyID
}

func TestAHundredClientsAreOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, time.Hour), nil })
		s.takes = 3 * time.Second
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if got := s.key(t); got != "KEY1" {
					t.Error(got)
				}
			})
		}
		all.Wait()
		if s.count() != 1 {
			t.Errorf("%d fetches", s.count())
		}
	})
}

func TestCredentialsAreRenewedAheadOfTheirEndAndNobodyWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, time.Hour), nil })
		s.takes = 20 * time.Second
		s.key(t)
		time.Sleep(54 * time.Minute)
		if got := s.key(t); got != "KEY1" || s.count() != 1 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
		time.Sleep(90 * time.Second)
		began := time.Now()
		if got := s.key(t); got != "KEY1" || time.Since(began) != 0 {
			t.Errorf("%s, waited %s", got, time.Since(began))
		}
		time.Sleep(30 * time.Second)
		if got := s.key(t); got != "KEY2" || s.count() != 2 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
	})
}

func TestWhatCanNotBeRenewedIsUsedToItsEndAndTriedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) {
			if n > 1 {
				return aws.Credentials{}, errors.New("cached SSO token is expired, or not present, and cannot be refreshed")
			}
			return lasting(n, time.Hour), nil
		})
		s.key(t)
		time.Sleep(58 * time.Minute)
		if got := s.key(t); got != "KEY1" {
			t.Error(got)
		}
		synctest.Wait()
		if l := s.standing(); l.State != sale.LoginFails || l.Renews || time.Until(l.Until) != 2*time.Minute || !strings.Contains(l.Problem.Text, "SSO session has ended") {
			t.Errorf("%+v", l)
		}
		before := s.count()
		for range 600 { // ten minutes of a poll a second
			time.Sleep(time.Second)
			s.key(t)
		}
		if n := s.count() - before; n < 9 || n > 13 {
			t.Errorf("%d fetches in ten minutes", n)
		}
		if got := s.key(t); !strings.Contains(got, "hr-act: the SSO session has ended") {
			t.Error(got)
		}
	})
}

func TestWhatAnotherProgramRenewedIsTakenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, time.Hour), nil })
		s.key(t)
		time.Sleep(2 * time.Second)
		s.writes("2")
		if got := s.key(t); got != "KEY2" {
			t.Errorf("%s: the old ones may be dead", got)
		}
		time.Sleep(2 * time.Second)
		if got := s.key(t); got != "KEY2" || s.count() != 2 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) {
			if n == 1 {
				return aws.Credentials{}, errors.New("the token is not there")
			}
			return lasting(n, time.Hour), nil
		})
		s.key(t)
		time.Sleep(2 * time.Second)
		if got := s.key(t); !strings.HasPrefix(got, "error") || s.count() != 1 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
		s.writes("2")
		time.Sleep(time.Second)
		if got := s.key(t); got != "KEY2" {
			t.Errorf("%s: the file changed", got)
		}
	})
}

func TestCredentialsThatTookACodeAreLeftAloneWhileTheyHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(nil)
		s.give = func(n int) (aws.Credentials, error) {
			s.asks(true)
			s.asks(false)
			return lasting(n, time.Hour), nil
		}
		_, _ = s.wait(t.Context())
		s.writes("2")
		time.Sleep(10 * time.Minute)
		if got := s.key(t); got != "KEY1" || s.count() != 1 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
		if l := s.standing(); l.Renews {
			t.Error("it renews itself, and a person has to type")
		}
	})
}

// answer lets a call go through the keeper's ear with AWS's answer to it.
func (s *stand) answer(t *testing.T, err error) {
	t.Helper()
	stack := middleware.NewStack("call", func() any { return nil })
	if err := s.listen(stack); err != nil {
		t.Fatal(err)
	}
	_, _, _ = stack.Initialize.HandleMiddleware(t.Context(), nil, middleware.HandlerFunc(func(context.Context, any) (any, middleware.Metadata, error) {
		return nil, middleware.Metadata{}, err
	}))
}

func TestWhatAWSRefusesIsFetchedAnewWithoutAStorm(t *testing.T) {
	expired := &smithy.GenericAPIError{Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, 12*time.Hour), nil })
		s.key(t)
		time.Sleep(time.Minute)
		s.answer(t, &smithy.GenericAPIError{Code: "AccessDenied"})
		if got := s.key(t); got != "KEY1" {
			t.Errorf("%s: a missing permission is no end", got)
		}
		s.answer(t, expired)
		if l := s.standing(); l.State != sale.LoginFails || !strings.Contains(l.Problem.Text, "AWS refuses them: ExpiredToken") {
			t.Errorf("%+v", l)
		}
		if got := s.key(t); got != "KEY2" {
			t.Error(got)
		}
		if l := s.standing(); l.State != sale.LoginReady {
			t.Errorf("%+v", l)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the file holds nothing newer
		s := newStand(func(int) (aws.Credentials, error) { return aws.Credentials{AccessKeyID: "OLD", SessionToken: "t"}, nil })
		s.key(t)
		for range 600 {
			time.Sleep(time.Second)
			s.answer(t, expired)
			s.key(t)
		}
		if n := s.count(); n < 9 || n > 13 {
			t.Errorf("%d fetches in ten minutes", n)
		}
		if l := s.standing(); l.State != sale.LoginFails {
			t.Errorf("%+v", l)
		}
	})
}

func TestCredentialsThatComeDeadAreAnErrorAndNotAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, -time.Minute), nil })
		for range 60 {
			if got := s.key(t); !strings.Contains(got, "have ended") {
				t.Fatal(got)
			}
			time.Sleep(time.Second)
		}
		if n := s.count(); n > 4 {
			t.Errorf("%d fetches in a minute", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a system that gives the same ones until shortly before their end
		end := time.Now().Add(4 * time.Minute)
		s := newStand(func(int) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "SAME", CanExpire: true, Expires: end}, nil
		})
		for range 180 {
			s.key(t)
			time.Sleep(time.Second)
		}
		if n := s.count(); n > 4 {
			t.Errorf("%d fetches in three minutes", n)
		}
	})
}

func TestAFetchThatHangsHoldsUpNobodyLongerThanTheirOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(n int) (aws.Credentials, error) { return lasting(n, time.Hour), nil })
		s.takes = 30 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := s.Retrieve(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if got := s.key(t); got != "KEY1" || s.count() != 1 {
			t.Errorf("%s after %d fetches", got, s.count())
		}
	})
}

func TestAPanicInAProviderIsAnErrorOfTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(func(int) (aws.Credentials, error) { panic("odd") })
		if got := s.key(t); !strings.Contains(got, "internal error: odd") {
			t.Error(got)
		}
	})
}
