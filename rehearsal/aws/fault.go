package aws

import (
	"fmt"
	"io"
	"net/http"
)

// The services that Fault knows.
const (
	CloudWatch             = "cloudwatch"
	SQS                    = "sqs"
	STS                    = "sts"
	AutoScaling            = "autoscaling"
	ECS                    = "ecs"
	ApplicationAutoScaling = "application-autoscaling"
	ELBV2                  = "elb"
	SSM                    = "ssm"
	RDS                    = "rds"
)

// The protocols that the services speak.
const (
	cborProtocol = iota + 1
	json10Protocol
	json11Protocol
	xmlProtocol
)

// protocolOf returns a service's protocol, 0 for a service that nobody knows, and of those that speak
// XML its namespace.
func protocolOf(service string) (protocol int, space string) {
	switch service {
	case CloudWatch:
		return cborProtocol, ""
	case SQS:
		return json10Protocol, ""
	case ECS, ApplicationAutoScaling, SSM:
		return json11Protocol, ""
	case STS:
		return xmlProtocol, stsSpace
	case AutoScaling:
		return xmlProtocol, autoScalingSpace
	case ELBV2:
		return xmlProtocol, elbSpace
	case RDS:
		return xmlProtocol, rdsSpace
	}
	return 0, ""
}

// The kinds of fault that Fault knows. A service that is down or hangs is no answer of the service,
// and so is the platform's to make.
const (
	FaultError    = "error"
	FaultThrottle = "throttle"
	FaultGarbage  = "garbage"
)

// Fault answers every request as one of the services above does in trouble:
//
//	error      its internal failure, status 500
//	throttle   its refusal of too many requests
//	garbage    status 200 with a body of the right type that breaks off
//
// A service or kind that it doesn't know is a mistake in the program; every answer then says so,
// with the status 501.
func Fault(service, kind string) http.Handler {
	var write func(http.ResponseWriter, *http.Request, string)
	protocol, space := protocolOf(service)
	known := protocol != 0
	switch {
	case known && (kind == FaultError || kind == FaultThrottle):
		problem := internalFailure(service)
		if kind == FaultThrottle {
			problem = throttled(service)
		}
		write = func(w http.ResponseWriter, r *http.Request, id string) {
			switch protocol {
			case cborProtocol:
				writeCBORError(w, r, id, problem)
			case json10Protocol:
				writeJSONError(w, r, id, problem)
			case json11Protocol:
				writeJSON11Error(w, id, problem)
			default:
				writeQueryError(w, space, id, problem)
			}
		}
	case known && kind == FaultGarbage:
		write = func(w http.ResponseWriter, _ *http.Request, id string) { garbage(w, service, id) }
	default:
		write = func(w http.ResponseWriter, _ *http.Request, _ string) {
			http.Error(w, fmt.Sprintf("aws.Fault does not know the service %q or the kind %q", service, kind), http.StatusNotImplemented)
		}
	}
	ids := &requestIDs{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxRequest)) // the answer doesn't depend on it
		write(w, r, ids.next())
	})
}

func internalFailure(service string) *apiError {
	e := &apiError{status: http.StatusInternalServerError, receiver: true}
	switch service {
	case CloudWatch:
		e.shape, e.code, e.capital = cloudWatchSpace+"InternalServiceFault", "InternalServiceError", true
		e.message = "Internal service error"
	case SQS:
		e.shape, e.code = coral+"InternalError", "InternalError"
		e.message = "We encountered an internal error. Please try again."
	case ECS:
		e.shape, e.code, e.message = "ServerException", "ServerException", "Service Unavailable. Please try again later."
	case ApplicationAutoScaling:
		e.shape, e.code, e.capital, e.message = "InternalServiceException", "InternalServiceException", true, "The service encountered an internal error."
	case SSM:
		e.shape, e.code, e.message = "InternalServerError", "InternalServerError", "An error occurred on the server side."
	default:
		e.code, e.message = "InternalFailure", "The request processing has failed because of an unknown error, exception or failure."
	}
	return e
}

func throttled(service string) *apiError {
	switch service {
	case CloudWatch:
		return &apiError{shape: coral + "ThrottlingException", code: "Throttling", status: http.StatusBadRequest, message: "Rate exceeded"}
	case SQS:
		return &apiError{shape: sqsSpace + "RequestThrottled", code: "RequestThrottled", status: http.StatusForbidden, message: "Request is throttled."}
	case ECS, ApplicationAutoScaling, SSM:
		return &apiError{shape: "ThrottlingException", code: "ThrottlingException", status: http.StatusBadRequest, message: "Rate exceeded"}
	}
	return &apiError{code: "Throttling", status: http.StatusBadRequest, message: "Rate exceeded"}
}

// garbage sends the beginning of a good answer, and then bytes that no answer has.
func garbage(w http.ResponseWriter, service, id string) {
	switch service {
	case CloudWatch:
		var body writer
		body.beginMap()
		body.key("MetricDataResults").beginList()
		body.beginMap()
		body.text("Id", "q0")
		body.key("Timestamps").beginList()
		writeCBOR(w, id, http.StatusOK, append(body.b, 0xc1, 0xfb, 0x41, 0xda, 0x00))
	case SQS:
		writeJSON(w, id, http.StatusOK, []byte(`{"Attributes":{"ApproximateNumberOfMessages":"1`))
	case ECS, ApplicationAutoScaling, SSM:
		writeJSON11(w, id, http.StatusOK, []byte(`{"failures":[],"services":[{"clusterArn":"arn:aws:ecs:eu-central-1:4711`))
	default:
		begin := map[string]string{
			AutoScaling: `<DescribeAutoScalingGroupsResponse xmlns="` + autoScalingSpace + `"><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><MaxSize>3</Ma`,
			RDS:         `<DescribeDBInstancesResponse xmlns="` + rdsSpace + `"><DescribeDBInstancesResult><DBInstances><DBInstance><AllocatedStorage>40</All`,
			ELBV2:       `<DescribeTargetHealthResponse xmlns="` + elbSpace + `"><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>i-0</I`,
			STS:         `<GetCallerIdentityResponse xmlns="` + stsSpace + `"><GetCallerIdentityResult><Account>4711</Acc`,
		}[service]
		h := w.Header()
		h.Set("Content-Type", "text/xml")
		h.Set("X-Amzn-Requestid", id)
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, begin)
	}
}
