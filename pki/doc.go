// Package pki decides who somebody is.
//
// It holds the long-lived identities, the short-lived leaves that they vouch for, the sealed statements that make a
// membership, and the verdicts over them. It is pure: time, randomness and bytes are arguments, and no function keeps
// anything. docs/protocol.md gives every format byte by byte, with test vectors.
//
// What is cryptographic is called a seal. Every seal covers a domain string, the network ID and the payload as sent
// (docs/protocol.md, Seals), so that no statement can stand in for another kind or another network.
package pki
