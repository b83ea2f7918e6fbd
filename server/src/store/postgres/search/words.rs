//! One word or two among those of names, which two indexes have: these answer alone, and rows are read only of those who have a
//! word elsewhere.

use super::super::filter::{self, Value, Values};
use super::super::frequencies::Frequencies;
use super::super::last_words::Ending;
use super::super::partitions::Partition;
use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Page, Run};
use crate::domain::name_order::Part;
use crate::domain::search::{Search, SortField, Start};
use crate::store::route::{Ahead, Conjunct, Ends, ExpectedNames, InNames, NARROWER, Names, Outcome, Word, Words};

/// As `profiles_last_word_idx` has it.
const LAST_WORD: &str = "left(split_part(p.full_name_key, ' ', -1), 16)";
/// What share of those who have a word has a longer one at the end of the name, where nothing is known of that.
const LONGER: f64 = 0.5;
/// What share of those who have one of two words elsewhere has both there, in an address mostly.
const BOTH: f64 = 0.1;
/// How many profiles have a word of which nothing is known.
const UNKNOWN: f64 = 2_000.0;
/// What an entry of the lists of words elsewhere costs that is met with those of the words, beside one of these.
const ELSEWHERE: f64 = 0.02;
/// So many names may begin with a word by chance.
const LEAST: f64 = 10.0;

/// The same words with what is expected of them.
pub(super) fn expected(mut words: Words, frequencies: &Frequencies, partition: Partition) -> Words {
    for word in &mut words.0 {
        let rows = rows(word.gram, frequencies, partition);
        let unknown = Ending { rows: rows * LONGER, longer: rows * LONGER * LONGER, longer_words: rows * LONGER * LONGER };
        let ending = frequencies.of_last_words(partition, &word.text, &word.behind).unwrap_or(unknown);
        let begin = (rows - ending.rows - rows_elsewhere(word, frequencies, partition)).max(LEAST);
        let [last, longer, longer_words] = [ending.rows, ending.longer, ending.longer_words].map(|number| number.min(rows));
        word.expected = ExpectedNames { begin, last, longer, longer_words };
    }
    words
}

fn rows(gram: i32, frequencies: &Frequencies, partition: Partition) -> f64 {
    frequencies.of_any(partition, &[gram]).unwrap_or(UNKNOWN)
}

/// How many have a word elsewhere than at the ends of their names that begins like this one.
fn listed_elsewhere(word: &Word, frequencies: &Frequencies, partition: Partition) -> f64 {
    word.elsewhere
        .split_first()
        .map_or(0.0, |(outside, departing)| rows(*outside, frequencies, partition) + frequencies.of_all_listed(departing))
}

/// How many of them have this word: as many as of all who have one that begins so.
fn rows_elsewhere(word: &Word, frequencies: &Frequencies, partition: Partition) -> f64 {
    let [of_word, of_beginning] = [word.gram, word.beginning].map(|gram| rows(gram, frequencies, partition));
    listed_elsewhere(word, frequencies, partition) * (of_word / of_beginning.max(1.0)).min(1.0)
}

impl Run<'_> {
    /// What a look at the words of names should meet, if it can answer the search, which should have so many hits.
    pub(super) fn in_names(&self, hits: f64) -> Option<InNames> {
        let (frequencies, partition) = (self.guide.frequencies, self.subject.partition);
        let in_order = self.subject.search.sort.field == SortField::FullName;
        let wanted = f64::from(self.page_rows());
        match self.words.as_ref()?.0.as_slice() {
            [word] => {
                let (of_word, elsewhere) = (rows(word.gram, frequencies, partition), rows_elsewhere(word, frequencies, partition));
                let told = (of_word * self.wanted.told - elsewhere).max(1.0);
                let longer = if in_order { word.longer_in_order(wanted) } else { 0.0 };
                let listed = listed_elsewhere(word, frequencies, partition);
                let entries = of_word.min(listed) + listed * ELSEWHERE;
                Some(InNames { told, longer, passed: 0.0, entries, rows: elsewhere, in_order, marked: true })
            }
            [one, other] => {
                let of_tenant = frequencies.of_tenant(self.subject.tenant).unwrap_or(f64::INFINITY).max(1.0);
                let share = |word: &Word| rows(word.gram, frequencies, partition) / of_tenant;
                let [of_one, of_other] = [one, other].map(|word| rows_elsewhere(word, frequencies, partition));
                let listed: f64 = [one, other].map(|word| listed_elsewhere(word, frequencies, partition)).iter().sum();
                let entries = rows(one.gram, frequencies, partition).min(rows(other.gram, frequencies, partition)) + listed * ELSEWHERE;
                let rows = of_one.min(of_other) * BOTH + of_one * share(other) + of_other * share(one);
                let ends = [Ends { first: one, last: other }, Ends { first: other, last: one }];
                let passed = ends.map(Ends::passed).iter().sum();
                let told = (self.without_filter(hits) - rows).max(1.0);
                let longer = ends.map(|ends| ends.longer_in_order(told, wanted)).into_iter().fold(0.0, f64::max);
                let longer = if in_order { longer } else { 0.0 };
                Some(InNames { told, longer, passed, entries, rows, in_order, marked: false })
            }
            _ => None,
        }
    }

    /// How many would have the words whatever the filter says, if so many hits are expected.
    fn without_filter(&self, hits: f64) -> f64 {
        if self.subject.search.filter.is_none() {
            return hits;
        }
        let bare = Search { filter: None, ..self.subject.search.clone() };
        let wanted = super::wanted(self.subject, self.guide.frequencies, &bare);
        let narrowed = if self.wanted.narrower { NARROWER } else { 1.0 };
        (self.router_without_words(&wanted.conjuncts, 0.0).expected_hits() / narrowed).max(hits)
    }

    /// The page by the words of names; `None` when more have them than the cap. Then it is known that there are so many.
    pub(super) async fn by_words(&mut self, cap: u32, expected: f64) -> Attempted<Option<Page>> {
        let Some(words) = self.words.clone() else { return Ok(None) };
        let (page, is_all) = self.look_up_all(self.subject, "words", Lookup::Words(&words), cap, expected).await?;
        if is_all {
            return Ok(Some(page));
        }
        if let Some(hits) = page.total.filter(|_| page.hits.len() >= self.most() as usize) {
            self.asked.note_counted(&page.hits, false, self.at);
            self.at_least = Some(hits);
        }
        Ok(None)
    }

    /// The page in the order of names by their words; none when there are more than the cap who have them elsewhere. If by then fewer than
    /// a page have them at the ends of their names, it is told how many.
    pub(super) async fn by_words_in_order(
        &mut self,
        names: Option<&Names<'_>>,
        cap: u32,
        expected: f64,
    ) -> Attempted<Result<Page, Outcome>> {
        let Some(words) = self.words.clone() else { return Ok(Err(Outcome::Overflow)) };
        let Some(names) = names.filter(|names| names.follows_word()) else {
            let page = self.look_up("words in order", Lookup::WordsInOrder(&words), cap, expected).await?;
            return Ok(page.map(|page| Page { ids: page.ids, ..Page::default() }).ok_or(Outcome::Overflow));
        };
        let search = self.subject.search;
        let (start, offset) = match &search.start {
            Start::Offset(offset) => (Start::Offset(0), *offset),
            Start::After(position) => (Start::After(position.clone()), 0),
        };
        let from_start = Search { start, limit: offset + search.limit, ..search.clone() };
        let subject = Subject { search: &from_start, ..self.subject };
        let Some(mut page) = self.look_up_in(subject, "words in order", Lookup::EndsInOrder(&words), cap, expected).await? else {
            return Ok(Err(Outcome::Overflow));
        };
        let found = page.ids.len();
        if !self.add_elsewhere(&mut page, &words, names, subject, (cap, expected)).await? {
            let is_short = found < from_start.limit as usize + 1;
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Ok(Err(if is_short { Outcome::Short { found } } else { Outcome::Overflow }));
        }
        let ids = page.ids.into_iter().skip(offset as usize).take(search.limit as usize + 1).collect();
        Ok(Ok(Page { ids, ..Page::default() }))
    }

    /// Puts those who have the word elsewhere on a page of the others, part by part of the order of names and no further than it goes.
    /// Whether they were no more than the cap.
    async fn add_elsewhere(
        &mut self,
        page: &mut Page,
        words: &Words,
        names: &Names<'_>,
        subject: Subject<'_>,
        (cap, expected): (u32, f64),
    ) -> Attempted<bool> {
        let Search { start, limit, sort, .. } = subject.search;
        let wanted = *limit as usize + 1;
        let [gram, elsewhere] = of_others(words).map(Conjunct::any_of);
        let mut parts = parts_for(wanted, self.in_names(expected).map_or(0.0, |in_names| in_names.rows));
        let mut read = if let Start::After(position) = start { Some(position.clone()) } else { None };
        loop {
            // Whoever has the word elsewhere is on the page only if the name comes before the last that was found.
            let Ahead { marks, end } = names.ahead(read.as_ref(), parts, page.names.get(wanted - 1).map(String::as_str));
            let behind = Search { start: read.map_or(Start::Offset(0), Start::After), ..subject.search.clone() };
            let subject = Subject { search: &behind, ..subject };
            let all: Vec<&Conjunct> = [&gram, &elsewhere].into_iter().chain(&marks).collect();
            let others = self.look_up_in(subject, "words elsewhere", Lookup::Grams(&all), cap, expected).await?;
            let Some(others) = others else { return Ok(false) };
            page.add(others, sort.descending);
            match end {
                Some(end) if !page.reaches(wanted, &end, sort.descending) => read = Some(end),
                _ => return Ok(true),
            }
            parts = parts.saturating_mul(4);
        }
    }
}

/// So many parts of the order of names should hold so many hits, if so many are in all of it.
fn parts_for(wanted: usize, in_all: f64) -> u8 {
    let all = f64::from(Part::LAST.number()) + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small and not negative")]
    let parts = (wanted as f64 * 1.3 * all / in_all.max(1.0)).ceil().min(all) as u8;
    parts
}

/// The grams that those have who have the words elsewhere: of the first all, and one of the others.
fn of_others(words: &Words) -> [Vec<i32>; 2] {
    [words.0.iter().map(|word| word.gram).collect(), words.0.iter().flat_map(|word| word.elsewhere.iter().copied()).collect()]
}

/// How those who have words are read.
pub(super) struct Having<'a> {
    pub tenant: &'a str,
    /// What else a hit fulfils.
    pub hit: &'a str,
    /// Each statement ends at so many rows.
    pub most: &'a str,
    /// If so many in the order of names are enough.
    pub in_order: Option<InOrder>,
    /// Those who have the words elsewhere are left out.
    pub only_ends: bool,
    /// Makes a statement of where it reads, and of what a hit is among these.
    pub select: &'a dyn Fn(&str, &str) -> String,
}

/// The first so many in the order of names.
pub(super) struct InOrder {
    /// What goes behind a statement that reads in that order.
    pub end: String,
    pub rows: u32,
}

/// The conditions of having words among those of a name.
struct InName {
    /// Each is answered by an index alone, and no profile fulfils two of them.
    apart: Vec<Apart>,
    /// All of them at once.
    any: String,
    /// What all others have.
    elsewhere: String,
    /// The lists of words that `apart` goes through.
    lists: Vec<String>,
}

/// Those who stand in the order of names, and beside these those whose names end with a longer word.
struct Apart {
    together: String,
    longer: Option<Longer>,
}

/// Those whose names end with a longer word, in no order.
struct Longer {
    all: String,
    by_word: Option<ByWord>,
}

/// The same, for each of the words by itself: these stand in the order of names.
struct ByWord {
    of_word: String,
    /// Whether the words are few enough, and whether they are not.
    are_few: String,
    are_many: String,
    words: String,
}

impl Subject<'_> {
    /// The statements that find all who have the words, each once.
    pub(super) fn having(&self, words: &Words, having: &Having<'_>, values: &mut Values) -> String {
        let Having { tenant, hit, most, in_order, only_ends, select } = having;
        let InName { apart, any, elsewhere, lists } = self.in_name(words, having, values);
        let live = if self.search.include_deleted { "" } else { " AND p.deleted_at IS NULL" };
        let filter = self.search.filter.as_ref().map(|filter| format!(" AND {}", filter::condition(filter, values)));
        let filter = filter.unwrap_or_default();
        let within = |one: &str| select(&format!("p.tenant_name = {tenant} AND {one}{live}{filter}"), "true");
        let first = in_order.as_ref().map_or_else(|| format!(" LIMIT {most}"), |in_order| in_order.end.clone());
        let mut all = Vec::with_capacity(8);
        for Apart { together, longer } in &apart {
            all.push(format!("({}{first})", within(together)));
            let Some(Longer { all: longer, by_word }) = longer else { continue };
            let Some(ByWord { of_word, are_few, are_many, words }) = by_word else {
                all.push(format!("({} LIMIT {most})", within(longer)));
                continue;
            };
            all.push(format!(
                "(SELECT s.* FROM unnest({words}) AS w (word) CROSS JOIN LATERAL ({}{first}) AS s WHERE {are_few} LIMIT {most})",
                within(of_word)
            ));
            all.push(format!("({} LIMIT {most})", within(&format!("{longer} AND {are_many}"))));
        }
        let is_hit = format!("({hit} AND NOT ({any}))");
        let without_grams = format!("p.tenant_name = {tenant} AND p.grams IS NULL");
        let others = [elsewhere, without_grams].into_iter().filter(|_| !only_ends);
        all.extend(others.map(|one| format!("({} LIMIT {most})", select(&one, &is_hit))));
        let lists = if lists.is_empty() { String::new() } else { format!("WITH RECURSIVE {} ", lists.join(", ")) };
        format!("{lists}{} LIMIT {most}", all.join(" UNION ALL "))
    }

    fn in_name(&self, words: &Words, having: &Having<'_>, values: &mut Values) -> InName {
        let [grams, elsewhere] = of_others(words).map(|grams| values.bind(Value::Grams(grams)));
        let elsewhere = format!("p.grams @> {grams} AND p.grams && {elsewhere}");
        let bound: Vec<Bound> = words.0.iter().map(|word| Bound::of(word, values)).collect();
        let (mut lists, mut apart) = (Vec::new(), Vec::new());
        let mut by_word = |bound: &Bound<'_>, most: u32, of_word: String, values: &mut Values| {
            let name = format!("longer_{}", lists.len());
            let most = values.bind(Value::Integer(i64::from(most) + 1));
            lists.push(self.longer_words(bound, having.tenant, &name, &most));
            let words = format!("(SELECT l.words FROM {name} l)");
            let [are_few, are_many] = ["<", ">="].map(|is| format!("cardinality({words}) {is} {most}"));
            ByWord { of_word, are_few, are_many, words }
        };
        if let [one, other] = bound.as_slice() {
            for (first, last) in [(one, other), (other, one)] {
                let ends = Ends { first: first.word, last: last.word };
                let is_longer = if ends.is_found_by_first() { &last.is_seen_to_be_longer } else { &last.is_longer };
                let by_word = ends.most_words().map(|most| by_word(last, most, format!("{LAST_WORD} = w.word AND {}", first.name), values));
                let longer = Longer { all: format!("{is_longer} AND {}", first.name), by_word };
                apart.push(Apart { together: format!("{} AND {}", last.is_last, first.name), longer: Some(longer) });
            }
            let any = [(one, other), (other, one)].map(|(first, last)| format!("({} AND {})", first.name, last.last));
            return InName { apart, any: any.join(" OR "), elsewhere, lists };
        }
        for one in &bound {
            let Bound { word, name, is_last, is_longer, .. } = one;
            let most = having.in_order.as_ref().and_then(|in_order| word.most_words_in_order(f64::from(in_order.rows)));
            let by_word = most.map(|most| by_word(one, most, format!("{LAST_WORD} = w.word AND NOT ({name})"), values));
            let longer = Longer { all: format!("{is_longer} AND NOT ({name})"), by_word };
            apart.push(Apart { together: name.clone(), longer: None });
            apart.push(Apart { together: format!("{is_last} AND NOT ({name})"), longer: Some(longer) });
        }
        let any: Vec<String> = bound.iter().map(|one| format!("({}) OR ({})", one.name, one.last)).collect();
        InName { apart, any: any.join(" OR "), elsewhere, lists }
    }

    /// The last words that begin with this one and are longer, by going from each to the next: fewer than `most`, or as many.
    fn longer_words(&self, Bound { is_longer, behind, .. }: &Bound<'_>, tenant: &str, name: &str, most: &str) -> String {
        let next = |behind: &str| {
            format!("(SELECT {LAST_WORD} FROM {} WHERE p.tenant_name = {tenant} AND {behind} ORDER BY {LAST_WORD} LIMIT 1)", self.table())
        };
        format!(
            "{name}_steps (word) AS ({} UNION ALL SELECT {} FROM {name}_steps s WHERE s.word IS NOT NULL), \
             {name} (words) AS MATERIALIZED (SELECT ARRAY(SELECT s.word FROM {name}_steps s WHERE s.word IS NOT NULL LIMIT {most}))",
            next(is_longer),
            next(&format!("{LAST_WORD} > s.word AND {LAST_WORD} < {behind}")),
        )
    }
}

/// The conditions of one word.
struct Bound<'a> {
    word: &'a Word,
    /// As a parameter.
    behind: String,
    name: String,
    last: String,
    is_last: String,
    is_longer: String,
    /// The same in a form that no index can answer.
    is_seen_to_be_longer: String,
}

impl<'a> Bound<'a> {
    fn of(word: &'a Word, values: &mut Values) -> Self {
        let (text, behind) = (values.text(&word.text), values.text(&word.behind));
        let begins = |column: &str| format!("{column} >= {text} AND {column} < {behind}");
        Self {
            word,
            name: begins("p.full_name_key"),
            last: begins(LAST_WORD),
            is_last: format!("{LAST_WORD} = {text}"),
            is_longer: format!("{LAST_WORD} > {text} AND {LAST_WORD} < {behind}"),
            // What ends a name is dear to find: first it is seen whether the word begins anywhere.
            is_seen_to_be_longer: format!(
                "strpos(p.full_name_key, ' ' || {text}) > 0 AND starts_with({LAST_WORD}, {text}) AND {LAST_WORD} IS DISTINCT FROM {text}"
            ),
            behind,
        }
    }
}
