package ssm

import (
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// requestIDOf is AWS's own id of a call that succeeded, for its support.
func requestIDOf(meta middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(meta)
	return id
}
