//! What was changed lately, as far as a node has read the change log: by profile, and by the grams that profiles have since.
//!
//! A position is a place in the order in which changes come to be seen: a snapshot at `at` sees all changes before it, and
//! may see some behind it.

use super::Conjunct;
use crate::domain::tenant::TenantName;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use uuid::Uuid;

/// More changes than this are not read at once: what was remembered before them is forgotten.
pub const MOST_CHANGES: u32 = 2_000;
/// No more are kept than this, with those between them that are forgotten.
const NUMBERS: usize = 1 << 16;
const BUCKETS: usize = 1 << 14;
/// So many profiles' grams are asked for at once.
const MOST_ASKED_FOR: usize = 1_000;

/// A line of the change log that concerns profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub position: i64,
    /// Its own in the log.
    pub change_id: i64,
    pub tenant: TenantName,
    /// `None` where it concerns all of the tenant.
    pub profile: Option<Uuid>,
    /// Those that the profile has in the snapshot, ascending, if they were read; of one that is gone, none.
    pub grams: Option<Vec<i32>>,
}

/// The changes from a position on that a snapshot at `at` sees.
#[derive(Debug)]
pub struct Changes {
    pub changes: Vec<Change>,
    pub at: i64,
}

/// Position and change.
type Place = (i64, i64);

/// What profiles are told apart by where many are remembered: the half of the id that is random (RFC 9562 §5.7), and that no client
/// chooses.
pub type Mark = u64;

pub fn mark(id: &Uuid) -> Mark {
    id.as_u64_pair().1
}

#[derive(Debug)]
struct Kept {
    place: Place,
    tenant: TenantName,
    profile: Option<Uuid>,
    /// What of the grams that the profile has since no bucket tells, ascending, once they were told; of one that is gone, none.
    grams: Option<Box<[i16]>>,
}

#[derive(Debug)]
pub struct Recent {
    /// So many changes are kept, some 500 bytes of each.
    most: usize,
    /// All changes from this position on are here that lie before `at`; and some behind.
    from: i64,
    at: i64,
    /// The numbers of all that are kept, in their order.
    changes: BTreeMap<Place, u16>,
    /// By their numbers, which are given one after the other, from `first_number` on, and again from zero.
    kept: VecDeque<Option<Kept>>,
    first_number: u16,
    last_of: HashMap<Mark, (i64, Uuid), RandomState>,
    wiped: HashMap<TenantName, i64>,
    untold: HashMap<TenantName, BTreeSet<Place>>,
    /// The numbers of changes by the last bits of the grams that they are told with; of some that are no longer kept, too, whose
    /// numbers others may have by now.
    buckets: Vec<VecDeque<u16>>,
}

impl Recent {
    /// Knows of no change, and is to keep so many.
    pub fn keeping(most: usize) -> Self {
        Self::beginning(i64::MAX, most)
    }

    fn beginning(at: i64, most: usize) -> Self {
        Self {
            most,
            from: at,
            at,
            changes: BTreeMap::new(),
            kept: VecDeque::new(),
            first_number: 0,
            last_of: HashMap::default(),
            wiped: HashMap::new(),
            untold: HashMap::new(),
            buckets: Vec::new(),
        }
    }

    /// Something was seen by a snapshot at this position that is to be compared with what changes later.
    pub fn begin(&mut self, at: i64) {
        if self.from == i64::MAX {
            *self = Self::beginning(at, self.most);
        }
    }

    /// Where to go on reading.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Takes what was read from `at()` on, of now or of a while ago; how many of these changes had been read before, as all are
    /// taken to be when they are too many.
    pub fn note(&mut self, read: &Changes) -> usize {
        if read.changes.len() > MOST_CHANGES as usize {
            *self = Self::beginning(read.at, self.most);
            return read.changes.len();
        }
        let mut known = 0;
        for change in &read.changes {
            known += usize::from(!self.push(change));
            // Behind the snapshot's position there may be changes of the profile that it does not see.
            if let Some(grams) = change.grams.as_ref().filter(|_| change.position < read.at) {
                self.tell_one((change.position, change.change_id), grams);
            }
        }
        self.at = self.at.max(read.at);
        while self.changes.len() > self.most {
            self.forget_first();
        }
        known
    }

    /// Whether it is a new one.
    fn push(&mut self, change: &Change) -> bool {
        let Change { position, change_id, tenant, profile, .. } = change;
        let (position, place) = (*position, (*position, *change_id));
        if self.changes.contains_key(&place) {
            return false;
        }
        let last = match profile {
            Some(profile) => {
                self.untold.entry(tenant.clone()).or_default().insert(place);
                match self.last_of.entry(mark(profile)).or_insert((position, *profile)) {
                    (last, of) if of == profile => last,
                    // Two that cannot be told apart: all of the tenant is found anew.
                    _ => self.wiped.entry(tenant.clone()).or_insert(position),
                }
            }
            None => self.wiped.entry(tenant.clone()).or_insert(position),
        };
        *last = position.max(*last);
        while self.kept.len() >= NUMBERS {
            self.forget_first();
        }
        self.changes.insert(place, self.first_number.wrapping_add(self.kept.len() as u16));
        self.kept.push_back(Some(Kept { place, tenant: tenant.clone(), profile: *profile, grams: None }));
        true
    }

    fn slot(&self, number: u16) -> usize {
        usize::from(number.wrapping_sub(self.first_number))
    }

    fn numbered(&self, number: u16) -> Option<&Kept> {
        self.kept.get(self.slot(number))?.as_ref()
    }

    fn at_place(&self, place: &Place) -> Option<&Kept> {
        self.numbered(*self.changes.get(place)?)
    }

    fn forget_first(&mut self) {
        let Some((place, number)) = self.changes.pop_first() else { return };
        self.from = self.from.max(place.0 + 1);
        let slot = self.slot(number);
        let Some(kept) = self.kept.get_mut(slot).and_then(Option::take) else { return };
        while let Some(None) = self.kept.front() {
            self.kept.pop_front();
            self.first_number = self.first_number.wrapping_add(1);
        }
        if let Some(untold) = self.untold.get_mut(&kept.tenant) {
            untold.remove(&place);
            if untold.is_empty() {
                self.untold.remove(&kept.tenant);
            }
        }
        match kept.profile {
            Some(profile) if self.last_of.get(&mark(&profile)).is_some_and(|last| last.0 == place.0) => {
                self.last_of.remove(&mark(&profile));
            }
            None if self.wiped.get(&kept.tenant) == Some(&place.0) => drop(self.wiped.remove(&kept.tenant)),
            _ => {}
        }
    }

    /// Whether all is known that was changed since then, and it is about single profiles.
    pub fn covers(&self, tenant: &TenantName, since: i64) -> bool {
        self.from <= since && self.wiped.get(tenant).is_none_or(|wiped| *wiped < since)
    }

    /// The profile with this mark, if it was changed since then.
    pub fn changed(&self, mark: Mark, since: i64) -> Option<Uuid> {
        self.last_of.get(&mark).filter(|(last, _)| *last >= since).map(|(_, profile)| *profile)
    }

    /// Profiles whose grams are to be told, of those whose change every snapshot at `at` sees.
    pub fn untold(&self, tenant: &TenantName, at: i64) -> Vec<Uuid> {
        let untold = self.untold.get(tenant).map(|untold| untold.range(..(at, i64::MIN)));
        untold.into_iter().flatten().filter_map(|place| self.at_place(place)?.profile).take(MOST_ASKED_FOR).collect()
    }

    /// What `untold` asked for, as a snapshot at `at` has it; whoever is missing is gone.
    pub fn tell(&mut self, tenant: &TenantName, at: i64, asked: &[Uuid], told: &HashMap<Uuid, Vec<i32>>) {
        let asked: HashSet<&Uuid> = asked.iter().collect();
        let untold = self.untold.get(tenant).map(|untold| untold.range(..(at, i64::MIN)));
        let places: Vec<Place> = untold.into_iter().flatten().copied().collect();
        for place in places {
            let profile = self.at_place(&place).and_then(|kept| kept.profile).filter(|profile| asked.contains(profile));
            if let Some(profile) = profile {
                self.tell_one(place, told.get(&profile).map(Vec::as_slice).unwrap_or_default());
            }
        }
    }

    fn tell_one(&mut self, place: Place, grams: &[i32]) {
        let Some(number) = self.changes.get(&place).copied() else { return };
        let slot = self.slot(number);
        let Some(Some(kept)) = self.kept.get_mut(slot).filter(|kept| kept.as_ref().is_some_and(|kept| kept.grams.is_none())) else {
            return;
        };
        kept.grams = Some(grams.iter().copied().map(beyond_bucket).collect());
        if let Some(untold) = self.untold.get_mut(&kept.tenant) {
            untold.remove(&place);
        }
        self.buckets.resize_with(BUCKETS, VecDeque::new);
        for gram in grams {
            let bucket = bucket(*gram);
            // One that stands behind others goes with them: they were told about the same time.
            while self.buckets[bucket].front().is_some_and(|number| self.numbered(*number).is_none()) {
                self.buckets[bucket].pop_front();
            }
            self.buckets[bucket].push_back(number);
        }
    }

    /// The profiles that were changed since a position and may have a gram of each, for the snapshot that saw these changes; `None`
    /// when there are more than `most`.
    pub fn found_by(&self, tenant: &TenantName, conjuncts: &[Conjunct], since: i64, seen: &Changes, most: usize) -> Option<HashSet<Uuid>> {
        let at = seen.at;
        let own = seen.changes.iter().filter(|change| change.position >= at);
        let own: HashMap<Place, &[i32]> =
            own.filter_map(|change| Some(((change.position, change.change_id), change.grams.as_deref()?))).collect();
        let mut found = HashSet::new();
        let in_bucket = |gram: &i32| self.buckets.get(bucket(*gram));
        let rarest = conjuncts.iter().min_by_key(|conjunct| conjunct.any_of.iter().filter_map(in_bucket).map(VecDeque::len).sum::<usize>());
        let untold = self.untold.get(tenant).map(|untold| untold.range((since, i64::MIN)..)).into_iter().flatten();
        let untold = untold.filter_map(|place| self.changes.get(place));
        // What the snapshot does not see may have taken away a gram that the profile has in it.
        let unseen = self.changes.range((since.max(at), i64::MIN)..).map(|(_, number)| number);
        let all = rarest.is_none().then(|| self.changes.range((since, i64::MIN)..).map(|(_, number)| number)).into_iter().flatten();
        let told = rarest.into_iter().flat_map(|rarest| rarest.any_of.iter().filter_map(in_bucket).flatten());
        let since =
            untold.chain(unseen).chain(all).chain(told).filter_map(|number| self.numbered(*number)).filter(|kept| kept.place.0 >= since);
        for kept in since {
            let may_be = match kept.place.0 < at {
                true => kept.grams.as_deref().is_none_or(|grams| has_one_of_each(grams, conjuncts, beyond_bucket)),
                false => own.get(&kept.place).is_none_or(|grams| has_one_of_each(grams, conjuncts, |gram| gram)),
            };
            found.extend(kept.profile.filter(|_| may_be && kept.tenant == *tenant));
            if found.len() > most {
                return None;
            }
        }
        Some(found)
    }
}

fn bucket(gram: i32) -> usize {
    let [.., high, low] = gram.to_be_bytes();
    usize::from(u16::from_be_bytes([high, low])) % BUCKETS
}

/// The first bits of a gram, in the order of grams.
fn beyond_bucket(gram: i32) -> i16 {
    let [high, low, ..] = gram.to_be_bytes();
    i16::from_be_bytes([high, low])
}

/// `kept_of` is what is kept of a gram.
fn has_one_of_each<T: Ord>(grams: &[T], conjuncts: &[Conjunct], kept_of: impl Fn(i32) -> T) -> bool {
    conjuncts.iter().all(|conjunct| conjunct.any_of.iter().any(|gram| grams.binary_search(&kept_of(*gram)).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: usize = 10_000;

    fn tenant(name: &str) -> TenantName {
        TenantName::from_stored(name.to_owned())
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn change(position: i64, profile: u128) -> Change {
        Change { position, change_id: position * 10, tenant: tenant("a"), profile: Some(id(profile)), grams: None }
    }

    fn read(changes: impl IntoIterator<Item = Change>, at: i64) -> Changes {
        Changes { changes: changes.into_iter().collect(), at }
    }

    fn begun(at: i64) -> Recent {
        let mut recent = Recent::keeping(KEPT);
        recent.begin(at);
        recent
    }

    fn found(recent: &Recent, any_of: &[i32], since: i64, at: i64) -> Vec<u128> {
        found_by(recent, any_of, since, &read([], at))
    }

    /// One that all bits tell apart.
    fn gram(number: i32) -> i32 {
        number << 16 | number
    }

    fn grams(numbers: &[i32]) -> Vec<i32> {
        numbers.iter().copied().map(gram).collect()
    }

    fn found_by(recent: &Recent, any_of: &[i32], since: i64, seen: &Changes) -> Vec<u128> {
        let conjuncts: Vec<Conjunct> = any_of.iter().map(|number| Conjunct::any_of(vec![gram(*number)])).collect();
        let mut found: Vec<u128> =
            recent.found_by(&tenant("a"), &conjuncts, since, seen, 100).unwrap().into_iter().map(|id| id.as_u128()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn changes_are_found_by_the_grams_that_profiles_have_since() {
        let mut recent = begun(5);
        recent.note(&read((5..10).map(|at| change(at, at as u128)), 10));
        assert_eq!(found(&recent, &[1], 5, 10), [5, 6, 7, 8, 9], "nobody's grams were told");
        assert_eq!(recent.untold(&tenant("a"), 8), [5, 6, 7].map(id), "others may be changed again, unseen");
        let told = HashMap::from([(id(5), grams(&[1, 2])), (id(6), grams(&[1, 3]))]);
        recent.tell(&tenant("a"), 8, &[5, 6, 7].map(id), &told);
        assert_eq!(found(&recent, &[1], 5, 10), [5, 6, 8, 9], "7 is gone");
        assert_eq!(found(&recent, &[1, 2], 5, 10), [5, 8, 9]);
        assert_eq!(found(&recent, &[1, 2], 6, 10), [8, 9], "5 was changed before");
        assert_eq!(found(&recent, &[1, 2], 5, 6), [5, 6, 7, 8, 9], "a snapshot that may not see the later changes");
        assert_eq!(found(&recent, &[], 6, 10), [6, 7, 8, 9]);
        assert!(recent.found_by(&tenant("a"), &[], 5, &read([], 10), 4).is_none(), "more than are wanted");
        assert!(recent.found_by(&tenant("b"), &[], 5, &read([], 10), 4).unwrap().is_empty());
    }

    #[test]
    fn grams_that_were_read_with_a_change_are_those_of_the_snapshot() {
        let with = |change: Change, numbers: &[i32]| Change { grams: Some(grams(numbers)), ..change };
        let mut recent = begun(5);
        let first = read([with(change(5, 1), &[1]), with(change(7, 2), &[1]), with(change(8, 3), &[2])], 6);
        recent.note(&first);
        assert_eq!(found_by(&recent, &[1], 5, &first), [1, 2], "behind 6 it knows what it saw");
        assert_eq!(found(&recent, &[1], 5, 6), [1, 2, 3], "others do not know what it saw");
        let second = read([with(change(7, 2), &[2]), with(change(8, 3), &[1]), with(change(9, 2), &[2])], 10);
        recent.note(&second);
        assert_eq!(found_by(&recent, &[1], 5, &second), [1, 3]);
        assert_eq!(found_by(&recent, &[1], 5, &first), [1, 2], "what came later is not what the first saw");
        assert_eq!(found_by(&recent, &[2], 5, &first), [2, 3], "2 was changed again, and may have been anything before");
    }

    #[test]
    fn a_change_that_is_read_twice_is_one() {
        let mut recent = begun(5);
        assert_eq!(recent.note(&read([change(5, 1), change(6, 2)], 6)), 0);
        assert_eq!(recent.note(&read([change(6, 2), change(7, 1)], 8)), 1);
        assert_eq!((recent.at(), recent.changes.len()), (8, 3));
        assert!(recent.changed(1, 7) == Some(id(1)) && recent.changed(1, 8).is_none() && recent.changed(3, 0).is_none());
        recent.note(&read([change(6, 2)], 7));
        assert_eq!((recent.at(), recent.changes.len()), (8, 3), "of a snapshot before");
    }

    #[test]
    fn what_is_beyond_the_kept_changes_is_not_covered() {
        let mut recent = begun(1);
        let mut at = 1;
        while at < KEPT as i64 + 1_000 {
            recent.note(&read((at..at + 1_000).map(|at| change(at, at as u128)), at + 1_000));
            let untold = recent.untold(&tenant("a"), at);
            let told = untold.iter().map(|id| (*id, grams(&[7]))).collect();
            recent.tell(&tenant("a"), at, &untold, &told);
            at += 1_000;
        }
        assert_eq!(recent.changes.len(), KEPT);
        assert!(!recent.covers(&tenant("a"), 1_000) && recent.covers(&tenant("a"), 1_001));
        assert!(recent.changed(1_000, 0).is_none() && recent.changed(1_001, 0).is_some());
        assert!(recent.buckets.iter().map(VecDeque::len).sum::<usize>() <= KEPT, "what is forgotten takes no room");
        let beyond = (0..=MOST_CHANGES.into()).map(|more| change(at + more, 1));
        recent.note(&read(beyond, at + 9_000));
        assert!(!recent.covers(&tenant("a"), at) && recent.covers(&tenant("a"), at + 9_000), "too many to be read at once");
    }

    #[test]
    fn numbers_are_given_again_when_all_were_given() {
        let mut recent = begun(1);
        // It stands behind all others, and keeps the first number until there are no more.
        recent.note(&read([change(1_000_000, 7)], 1));
        let last = 2 * NUMBERS as i64;
        for at in (1..last).step_by(1_000) {
            recent.note(&read((at..at + 1_000).map(|at| change(at, at as u128)), at + 1_000));
            let untold = recent.untold(&tenant("a"), at + 1_000);
            let told = untold.iter().map(|id| (*id, grams(&[if id.as_u128() % 500 == 0 { 3 } else { 4 }]))).collect();
            recent.tell(&tenant("a"), at + 1_000, &untold, &told);
        }
        assert!(recent.kept.len() <= NUMBERS && recent.changes.len() <= KEPT);
        let at = recent.at();
        assert_eq!(
            found(&recent, &[3], at - 2_000, at),
            (at - 2_000..at).filter(|at| at % 500 == 0).map(|at| at as u128).collect::<Vec<_>>()
        );
        assert!(recent.found_by(&tenant("a"), &[Conjunct::any_of(vec![gram(4)])], at - 2_000, &read([], at), 1_900).is_none());
    }

    #[test]
    fn a_tenant_that_is_made_or_deleted_begins_anew() {
        let mut recent = begun(1);
        recent.note(&read([Change { profile: None, ..change(4, 0) }], 5));
        assert!(!recent.covers(&tenant("a"), 4) && recent.covers(&tenant("a"), 5) && recent.covers(&tenant("b"), 1));
        assert!(!Recent::keeping(KEPT).covers(&tenant("a"), 5), "nothing was read");
    }

    #[test]
    fn a_change_of_one_who_cannot_be_told_from_another_begins_anew_too() {
        let mut recent = begun(1);
        recent.note(&read([change(4, 1), change(5, 2)], 6));
        assert!(recent.covers(&tenant("a"), 1));
        recent.note(&read([change(6, 1 << 64 | 1)], 7));
        assert!(!recent.covers(&tenant("a"), 6) && recent.covers(&tenant("a"), 7));
    }
}
