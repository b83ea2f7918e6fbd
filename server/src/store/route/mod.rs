//! How a search is best answered: by grams, by values that have an index of their own, or by a scan in the order that
//! was asked for. Pure, and shared by both backends; whatever is chosen, the answer is the same.

pub mod conjuncts;
pub mod costs;
pub mod memory;
pub mod names;
mod parts;
pub mod recalled;
pub mod recent;
pub mod rings;
pub mod router;
pub mod words;

pub use conjuncts::{Conjunct, Known, Wanted};
pub use costs::{Costs, InNames, Listed};
pub use memory::{Asked, MOST_COUNTED, Memory, Room};
pub use names::{Ahead, Names, Place, Reach};
pub use recalled::{Recall, Together};
pub use recent::{Change, Changes, MOST_CHANGES};
pub use rings::{Rings, holding};
pub use router::{Count, Expected, NARROWER, Outcome, Router, Step};
pub use words::{Ends, ExpectedNames, Word, Words};
