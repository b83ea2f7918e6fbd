//! What is asked of a directory, and how much of each.

pub mod active;
pub mod queries;
pub mod requests;
pub mod source;

use crate::people::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Get,
    Search,
    SearchFilter,
    Patch,
    Create,
    Image,
}

impl Operation {
    pub const ALL: [Self; 6] = [Self::Get, Self::Search, Self::SearchFilter, Self::Patch, Self::Create, Self::Image];

    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Search => "search",
            Self::SearchFilter => "search-filter",
            Self::Patch => "patch",
            Self::Create => "create",
            Self::Image => "image",
        }
    }

    /// How many of a hundred requests of the mix `default`.
    fn share(self) -> u64 {
        match self {
            Self::Get => 70,
            Self::Search => 15,
            Self::SearchFilter => 5,
            Self::Patch => 6,
            Self::Create => 3,
            Self::Image => 1,
        }
    }
}

/// All operations in the proportions of `default`, or one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    Default,
    Alone(Operation),
}

impl Mix {
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        let alone = Operation::ALL.into_iter().find(|operation| operation.name() == text);
        alone.map(Self::Alone).ok_or_else(|| {
            let names: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
            format!("there is no such mix; give default, or one operation alone: {}", names.join(", "))
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Alone(operation) => operation.name(),
        }
    }

    pub fn contains(self, operation: Operation) -> bool {
        self == Self::Default || self == Self::Alone(operation)
    }

    /// Which operation comes next.
    pub fn draw(self, random: &mut Random) -> Operation {
        let mut at = match self {
            Self::Alone(operation) => return operation,
            Self::Default => random.below(100),
        };
        for operation in Operation::ALL {
            if at < operation.share() {
                return operation;
            }
            at -= operation.share();
        }
        Operation::Get
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_mix_has_the_proportions_that_it_says() {
        let mut random = Random::new(3);
        let mut counts = [0_u32; 6];
        for _ in 0..100_000 {
            let operation = Mix::Default.draw(&mut random);
            counts[Operation::ALL.iter().position(|other| *other == operation).unwrap()] += 1;
        }
        for (count, operation) in counts.into_iter().zip(Operation::ALL) {
            let expected = u32::try_from(operation.share()).unwrap() * 1_000;
            assert!(count.abs_diff(expected) < 600, "{operation:?}: {count}");
        }
        assert_eq!(Operation::ALL.iter().map(|operation| operation.share()).sum::<u64>(), 100);
    }

    #[test]
    fn each_operation_is_a_mix_and_nonsense_is_none() {
        for operation in Operation::ALL {
            assert_eq!(Mix::parse(operation.name()), Ok(Mix::Alone(operation)));
        }
        assert!(Mix::parse("nonsense").unwrap_err().contains("search-filter"));
    }

    #[test]
    fn few_are_asked_for_often_and_everybody_now_and_then() {
        let (mut random, mut counts) = (Random::new(5), vec![0_u32; 1_000]);
        for _ in 0..1_000_000 {
            counts[random.zipf(1_000)] += 1;
        }
        assert!((60_000..100_000).contains(&counts[0]), "the first: {}", counts[0]);
        // As 1 / (rank + 2): eleven times as far down, about a tenth as often.
        let ratio = f64::from(counts[8..12].iter().sum::<u32>()) / f64::from(counts[98..102].iter().sum::<u32>());
        assert!((7.0..12.0).contains(&ratio), "{ratio}");
        assert!(counts.iter().all(|count| *count > 0));
    }
}
