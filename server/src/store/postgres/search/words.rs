//! One word or two among those of names, which two indexes have: these answer alone, and rows are read only of those who have a
//! word elsewhere.

use super::super::filter::{self, Value, Values};
use super::super::pool::Attempted;
use super::statements::{Lookup, Subject};
use super::{Page, Run};
use crate::domain::search::SortField;
use crate::store::route::{InNames, Word, Words};

/// As `profiles_last_word_idx` has it.
const LAST_WORD: &str = "left(split_part(p.full_name_key, ' ', -1), 16)";
/// What share of those who have a word has a longer one that begins like it, where no last word is known to be it, or to begin like it.
const LONGER: f64 = 0.3;
/// What share of those who have one of two words elsewhere has both there, in an address mostly.
const BOTH: f64 = 0.1;
/// How many profiles have a word elsewhere of which nothing is known.
const UNKNOWN: f64 = 2_000.0;

impl Run<'_> {
    /// What a look at the words of names should meet, if it can answer the search, which should have so many hits.
    pub(super) fn in_names(&self, hits: f64) -> Option<InNames> {
        let (frequencies, partition) = (self.guide.frequencies, self.subject.partition);
        let in_order = self.subject.search.sort.field == SortField::FullName;
        let rows = |gram: i32| frequencies.of_any(partition, &[gram]).unwrap_or(UNKNOWN);
        let elsewhere = |word: &Word| match word.elsewhere.split_first() {
            Some((outside, departing)) => rows(*outside) + frequencies.of_all_listed(departing),
            None => 0.0,
        };
        let longer = |word: &Word| {
            let listed = frequencies.of_longer(partition, &word.text, &word.behind);
            listed.unwrap_or_else(|| rows(word.gram) * LONGER)
        };
        match self.words.as_ref()?.0.as_slice() {
            [word] => {
                let of_word = elsewhere(word);
                let told = (rows(word.gram) * self.wanted.told - of_word).max(1.0);
                Some(InNames { told, longer: if in_order { longer(word) } else { 0.0 }, entries: of_word, rows: of_word, in_order })
            }
            [one, other] => {
                let of_tenant = frequencies.of_tenant(self.subject.tenant).unwrap_or(f64::INFINITY).max(1.0);
                let share = |word: &Word| rows(word.gram) / of_tenant;
                let (of_one, of_other) = (elsewhere(one), elsewhere(other));
                let rows = of_one.min(of_other) * BOTH + of_one * share(other) + of_other * share(one);
                let told = (hits - rows).max(1.0);
                Some(InNames { told, longer: longer(one) + longer(other), entries: of_one + of_other, rows, in_order })
            }
            _ => None,
        }
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

    /// The page in the order of names by their words; `None` when more have them elsewhere than the cap.
    pub(super) async fn by_words_in_order(&mut self, cap: u32, expected: f64) -> Attempted<Option<Page>> {
        let Some(words) = self.words.clone() else { return Ok(None) };
        let page = self.look_up("words in order", Lookup::WordsInOrder(&words), cap, expected).await?;
        Ok(page.map(|page| Page { ids: page.ids, ..Page::default() }))
    }
}

/// The conditions of having words among those of a name.
struct InName {
    /// Each is answered by an index alone, and no profile fulfils two of them. What fulfils the first of a pair stands in the
    /// order of names there, and next to it stands what fulfils the second.
    apart: Vec<[String; 2]>,
    /// All of them at once.
    any: String,
    /// What all others have.
    elsewhere: String,
}

/// How those who have words are read.
pub(super) struct Having<'a> {
    pub tenant: &'a str,
    /// What else a hit fulfils.
    pub hit: &'a str,
    /// Each statement ends at so many rows.
    pub most: &'a str,
    /// What goes behind a statement that reads in the order of names, if that is enough of it.
    pub in_order: Option<&'a str>,
    /// Makes a statement of where it reads, and of what a hit is among these.
    pub select: &'a dyn Fn(&str, &str) -> String,
}

impl Subject<'_> {
    /// The statements that find all who have the words, each once.
    pub(super) fn having(&self, words: &Words, having: &Having<'_>, values: &mut Values) -> String {
        let Having { tenant, hit, most, in_order, select } = having;
        let InName { apart, any, elsewhere } = in_name(words, values);
        let live = if self.search.include_deleted { "" } else { " AND p.deleted_at IS NULL" };
        let filter = self.search.filter.as_ref().map(|filter| format!(" AND {}", filter::condition(filter, values)));
        let filter = filter.unwrap_or_default();
        let within = |one: &str| select(&format!("p.tenant_name = {tenant} AND {one}{live}{filter}"), "true");
        let mut all = Vec::with_capacity(6);
        for [together, beside] in &apart {
            let end = in_order.map_or_else(|| format!(" LIMIT {most}"), str::to_owned);
            all.push(format!("({}{end})", within(together)));
            if !beside.is_empty() {
                all.push(format!("({} LIMIT {most})", within(beside)));
            }
        }
        let is_hit = format!("({hit} AND NOT ({any}))");
        let without_grams = format!("p.tenant_name = {tenant} AND p.grams IS NULL");
        all.extend([elsewhere, without_grams].iter().map(|one| format!("({} LIMIT {most})", select(one, &is_hit))));
        format!("{} LIMIT {most}", all.join(" UNION ALL "))
    }
}

fn in_name(words: &Words, values: &mut Values) -> InName {
    let bound: Vec<Bound> = words.0.iter().map(|word| Bound::of(word, values)).collect();
    match bound.as_slice() {
        [one, other] => {
            let ends = [(one, other), (other, one)];
            let apart = ends.map(|(first, last)| [&last.is_last, &last.is_longer].map(|last| format!("{last} AND {}", first.name)));
            let any = ends.map(|(first, last)| format!("({} AND {})", first.name, last.last));
            let elsewhere = ends.map(|(first, last)| format!("({} AND {})", first.elsewhere, last.has));
            InName { apart: apart.into(), any: any.join(" OR "), elsewhere: format!("({})", elsewhere.join(" OR ")) }
        }
        words => {
            let apart = words.iter().flat_map(|Bound { name, is_last, is_longer, .. }| {
                let last = [is_last, is_longer].map(|last| format!("{last} AND NOT ({name})"));
                [[name.clone(), String::new()], last]
            });
            let any: Vec<String> = words.iter().map(|one| format!("({}) OR ({})", one.name, one.last)).collect();
            let elsewhere: Vec<String> = words.iter().map(|one| one.elsewhere.clone()).collect();
            InName { apart: apart.collect(), any: any.join(" OR "), elsewhere: elsewhere.join(" AND ") }
        }
    }
}

/// The conditions of one word.
struct Bound {
    name: String,
    last: String,
    is_last: String,
    is_longer: String,
    elsewhere: String,
    has: String,
}

impl Bound {
    fn of(Word { text, behind, gram, elsewhere }: &Word, values: &mut Values) -> Self {
        let (text, behind) = (values.text(text), values.text(behind));
        let begins = |column: &str| format!("{column} >= {text} AND {column} < {behind}");
        Self {
            name: begins("p.full_name_key"),
            last: begins(LAST_WORD),
            is_last: format!("{LAST_WORD} = {text}"),
            is_longer: format!("{LAST_WORD} > {text} AND {LAST_WORD} < {behind}"),
            elsewhere: format!("p.grams && {}", values.bind(Value::Grams(elsewhere.clone()))),
            has: format!("p.grams @> {}", values.bind(Value::Grams(vec![*gram]))),
        }
    }
}
