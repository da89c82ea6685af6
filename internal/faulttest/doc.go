// Package faulttest is the rig on which the service's promises are tried while things
// break: server processes as they are shipped, stores that can be killed, paused,
// cut off and brought back from the past, people who hand off all the while, and the
// questions that are asked afterwards. Only tests import it.
//
// # What breaks, and how
//
// Nothing is imitated. A process is killed by SIGKILL and stopped by SIGSTOP
// ([Server], [Postgres], [Redis]); a line is cut, delayed, or goes dead in the middle
// of a word ([Line], which is toxiproxy in this process); a primary is lost after its
// replica has stopped hearing of it, so that a token that was used comes back to life.
// The kernel delivers what a killed process had sent already, so that killing alone
// shows little: a [Line] can withhold an answer that was on its way.
//
// # What is asked afterwards
//
// Every call and its answer goes into a [History]. What a caller was not told counts
// as unknown, not as refused: the checker (porcupine; Herlihy and Wing 1990, Lowe
// 2017) tries both. A verdict of "unknown" by the checker is a failure here.
// [Balance] compares what callers were told with what the databases hold: every
// success has exactly one audit row, and every credential has its row.
//
// # What it never does
//
// It opens no door in the service: there is no code in the server for it. It runs on
// loopback, ends only what it started, and proves nothing about several machines: one
// kernel keeps the time for all.
package faulttest
