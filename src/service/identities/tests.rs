//! The ledger on one temporary database, with made-up people: each is an axis of the space of identity vectors.

mod access;
mod bench;
mod gathering;
mod hostile;
mod ledger;
mod places;
mod searching;
