// Package sqs reads how many messages stand in Amazon SQS queues, with GetQueueAttributes.
//
// Each distinct queue is asked once a poll, for its three counts by name (asked for nothing,
// SQS answers nothing). All three are estimates: AWS calls them approximate, and says that
// they may not agree with what was sent "until at least 1 minute after the producers stop
// sending messages". A Reading's At is the instant of the answer, so the cadence has no
// delay; what the answer may still lag behind is not age, it is accuracy.
//
// The age of the oldest message is no attribute. CloudWatch has it, as
// ApproximateAgeOfOldestMessage of AWS/SQS.
//
// A queue's name is turned into its URL once and again only after SQS said that the queue is
// not there. A queue that fails is missing and leaves the others alone.
//
// Every request that was answered is counted at the list price of 0.40 USD a million (0.50
// for a FIFO queue; from memory of AWS's price list, not confirmed). The first million of a
// month, free of charge, is not taken off.
package sqs
