package login

import (
	"context"
	"errors"
	"slices"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/onsale-dev/onsale/sale"
)

// deadCodes are AWS's words for credentials that have ended or are not known any more.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var deadCodes = []string{
	"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidClientTokenId",
	"UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "InvalidTokenException",
}

// listen hears what AWS says to the calls that are made with these credentials: when it refuses
// them, they are fetched anew, and when this machine's clock is off, that is said.
func (k *keeper) listen(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("onsale login", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		began := time.Now()
		out, meta, err := next.HandleInitialize(ctx, in)
		if skew, ok := awsmiddleware.GetAttemptSkew(meta); ok {
			k.hearSkew(-skew) // the SDK tells how far AWS is ahead
		}
		var api smithy.APIError
		if errors.As(err, &api) && slices.Contains(deadCodes, api.ErrorCode()) {
			k.refuse(began, api.ErrorCode()+": "+api.ErrorMessage())
		}
		return out, meta, err
	}), middleware.Before)
}

// refuse marks what is held as refused by AWS, unless it was fetched since the call began. It is
// fetched anew at once the first time, and then no sooner than mostRest.
func (k *keeper) refuse(began time.Time, said string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.has || k.fetched.After(began) {
		return
	}
	if k.refused == nil {
		p := sale.Problem{Class: sale.Auth, Text: clean("AWS refuses them: " + said), Hint: "renew them: " + k.signIn()}
		k.refused, k.refetch = &p, time.Now()
	}
}

func (k *keeper) hearSkew(skew time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.skew = skew
}
