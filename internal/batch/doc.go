// Package batch lets callers that come at the same time share a trip to a store. It is
// what is called natural or smart batching: whatever has queued while the last trip was
// on its way goes out together with the next.
//
// # How
//
// An item that finds nothing on its way goes out at once, in its caller's goroutine, and
// waits for nobody. Items that come meanwhile queue, and whatever is queued when the trip
// has come back goes out as the next one. There is no timer, and no item waits for company:
// batches are as large as what they wait for is slow.
//
// One trip at a time costs a store least; two dozen that wait are enough for a second one,
// so that the store works while others are answered. A trip is also what others wait behind
// should its connection hang: whoever comes when the last departure is longer ago than 50 ms
// does not wait, and takes along what is queued, until four trips are on their way.
//
// # Limits
//
// The queue is bounded; beyond, an item is refused, as one that was never sent. Who gives
// up while queued was never sent either. Who gives up while their trip is on its way does
// not know what became of the item, and does not end the trip for the others: it ends with
// the last of their deadlines.
//
// The package knows nothing of what it carries, and never sends an item twice.
package batch
