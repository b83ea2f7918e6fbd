//! What bad input gets: an answer that says what is wrong and where, never a 5xx, and nothing half-written.

mod bodies;
mod fields;
mod fuzz;
mod parameters;
mod paths;
