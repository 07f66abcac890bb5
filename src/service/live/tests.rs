//! Live sessions as a client meets them, with models that see nothing, a store that fails on demand, and every kind of bad luck.

mod bench;
mod ends;
mod faults;
mod hostile;
mod resume;
mod tracks;
