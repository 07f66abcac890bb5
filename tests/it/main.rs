//! Integration tests: one module a topic.

mod command_line;
mod inference;
