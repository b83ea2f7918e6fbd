use super::*;
use crate::domain::search_text::search_text;
use proptest::prelude::*;

/// Samples as a store gives them that knows these texts.
fn sampled(texts: &[&str], beginnings: &[String]) -> Vec<Sample> {
    let docs: Vec<String> = texts.iter().map(|text| search_text(text)).collect();
    let holding = |beginning: &String| docs.iter().filter(|doc| doc.contains(&format!(" {beginning}"))).cloned().collect::<Vec<_>>();
    beginnings.iter().map(holding).map(|docs| Sample { holders: docs.len() as u64, docs }).collect()
}

/// What is suggested for the one word of a query among these texts.
fn suggested(query: &str, texts: &[&str]) -> Vec<String> {
    let words = words(query);
    let [word] = words.as_slice() else { panic!("{words:?}") };
    corrected(word, texts).suggestions()
}

/// A word after all looks among these texts.
fn corrected(word: &str, texts: &[&str]) -> Correction {
    let mut correction = Correction::of(word.to_owned());
    for look in Look::ALL {
        let beginnings = correction.look_for(look);
        let samples = sampled(texts, &beginnings);
        correction.learn(look, beginnings, samples);
    }
    correction
}

#[test]
fn a_typo_of_each_kind_is_understood() {
    for query in
        ["kowlski", "kowaalski", "kowakski", "kwoalski", "owalski", "kowlsk", "kowalsik", "kowalskx", "KÓWLSKI", "koawlsik", "kowlaksi"]
    {
        assert_eq!(suggested(query, &["Anna Kowalski", "Kurt Koch", "Kowloon"])[0], "kowalski", "{query}");
    }
    assert_eq!(suggested("jhn", &["John"]), ["john"]);
    assert_eq!(suggested("lukasz", &["Łukasz"]), ["łukasz"]);
    assert_eq!(suggested("sm1th", &["Smith"]), ["smith"]);
    assert_eq!(suggested("christophre", &["Christopher"]), ["christopher"]);
    assert_eq!(suggested("cristopher", &["Christopher"]), ["christopher"]);
}

#[test]
fn every_script_with_spaces_has_its_own_letters() {
    for (query, name) in
        [("ивнов", "Иванов"), ("пётрво", "Петров"), ("ελνη", "Ελένη"), ("محمظ", "محمد"), ("शरमा", "शर्मा"), ("किरन", "किरण")]
    {
        assert_eq!(suggested(query, &[name]), words(name), "{query}");
    }
}

#[test]
fn what_is_far_away_is_not_suggested() {
    for (query, name) in [("xyzzy", "Smith"), ("sxx", "Smith"), ("jonny", "Jamie"), ("kowlaskj", "Kovacs"), ("smihtsonian", "Smith")] {
        assert!(suggested(query, &[name]).is_empty(), "{query}");
    }
}

#[test]
fn numbers_short_words_and_scripts_without_spaces_have_no_corrections() {
    assert_eq!(words("jo 98765 +919876543210 张伟明 김민준 a1b2c3 กี่ 🎉🎉🎉 %%%"), [""; 0]);
    assert_eq!(words("Smith-Jnoes o'Neil smith jones9 john@exmaple.com"), ["smith", "jnoes", "neil", "jones9", "john", "exmaple", "com"]);
    assert_eq!(words(&"abc ".repeat(50)), ["abc"]);
    assert!(words(&"a".repeat(200)).is_empty());
}

#[test]
fn the_closest_come_first_then_the_most_frequent() {
    let texts = ["Marta", "Maria", "Maria", "Marla", "Marla", "Marla", "Marla", "Marianne", "Mara"];
    assert_eq!(suggested("marja", &texts), ["marla", "maria", "marta", "mara"]);
}

#[test]
fn every_word_gets_its_share() {
    let of = |words: &str| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(merged(vec![of("a b c d e")]), of("a b c d e"));
    assert_eq!(merged(vec![of("a b c d e"), of(""), of("f g h")]), of("a b c f g"));
    assert_eq!(merged(vec![of("a"), of("a b c d e f g")]), of("a b c d e"));
    assert!(merged(vec![of("")]).is_empty());
}

#[test]
fn where_few_begin_alike_changes_are_tried_before_that_only() {
    let looked_up = |holders| {
        let mut correction = Correction::of("kowalskx".to_owned());
        let stem = correction.look_for(Look::Stem);
        assert_eq!(stem, ["kowa"]);
        correction.learn(Look::Stem, stem, vec![Sample { holders, docs: vec![search_text("Kowalski")] }]);
        assert_eq!(correction.suggestions(), ["kowalski"]);
        correction.look_for(Look::Neighbours)
    };
    let behind = "kowalsix".to_owned();
    assert!(!looked_up(1).contains(&behind) && looked_up(200).contains(&behind));
    assert!(looked_up(1).len() < looked_up(200).len() * 2 / 3);
}

#[test]
fn where_many_begin_alike_changes_are_tried_up_to_the_longer_beginning_of_few() {
    let looked_up = |holders: [u64; 3]| {
        let mut correction = Correction::of("kowalskx".to_owned());
        correction.learn(Look::Stem, vec!["kowa".to_owned()], vec![Sample { holders: 900, docs: Vec::new() }]);
        let stems = correction.look_for(Look::LongerStems);
        assert_eq!(stems, ["kowal", "kowals", "kowalsk"]);
        correction.learn(Look::LongerStems, stems, holders.map(|holders| Sample { holders, docs: Vec::new() }).to_vec());
        let neighbours = correction.look_for(Look::Neighbours);
        ["kowxlskx", "kowaxskx", "kowalxkx", "kowalsxx", "kowalskd"].map(|changed| neighbours.contains(&changed.to_owned()))
    };
    assert_eq!(looked_up([900, 900, 900]), [true, true, true, true, true]);
    assert_eq!(looked_up([900, 900, 199]), [true, true, true, true, false]);
    assert_eq!(looked_up([900, 7, 3]), [true, true, true, false, false]);
    assert_eq!(looked_up([0, 0, 0]), [true, true, false, false, false]);
    // Where few begin with the first four characters, nothing longer is asked for; nor is the word itself.
    let mut correction = Correction::of("kowalskx".to_owned());
    correction.learn(Look::Stem, vec!["kowa".to_owned()], vec![Sample::default()]);
    assert!(correction.look_for(Look::LongerStems).is_empty());
    assert_eq!(Correction::of("kowals".to_owned()).look_for(Look::LongerStems), ["kowal"]);
    assert!(Correction::of("kowa".to_owned()).look_for(Look::LongerStems).is_empty());
}

#[test]
fn the_last_look_is_taken_only_where_nothing_was_close() {
    let after_stem = |name: &str| {
        let mut correction = Correction::of("kowalskx".to_owned());
        let stem = correction.look_for(Look::Stem);
        correction.learn(Look::Stem, stem, vec![Sample { holders: 1, docs: vec![search_text(name)] }]);
        correction
    };
    let mut close = after_stem("Kowalski");
    assert!(close.look_for(Look::Beginnings).is_empty());
    assert_eq!(close.suggestions(), ["kowalski"]);
    let mut nothing_close = after_stem("Kowarik");
    let beginnings = nothing_close.look_for(Look::Beginnings);
    assert_eq!(beginnings, ["kow", "ko"]);
    let samples = sampled(&["Kovalskx", "Kowarik"], &beginnings);
    nothing_close.learn(Look::Beginnings, beginnings, samples);
    assert_eq!(nothing_close.suggestions(), ["kovalskx"]);
}

#[test]
fn what_is_looked_up_is_bounded() {
    for word in ["smith", "abcdefghijklmnopqrstuvwxyzabcdef", "किरणशर्माकिरण", "محمدالعربي", "абвгдежз", "aбγ1دक"]
    {
        let near = neighbours(word, CHANGED_WITHIN);
        assert!(near.len() <= MAX_NEIGHBOURS && near.len() > 100, "{word}: {}", near.len());
    }
}

/// A word, and the same with one change.
fn with_a_typo() -> impl Strategy<Value = (String, String)> {
    ("[a-z]{4,10}|[а-ик-я]{4,8}", 0_usize..10, 0..4, "[a-z]").prop_map(|(word, at, kind, letter)| {
        let mut chars: Vec<char> = word.chars().collect();
        let at = at % (chars.len() - 1);
        let letter = if word.is_ascii() { letter.chars().next().unwrap() } else { 'ж' };
        match kind {
            0 => drop(chars.remove(at)),
            1 => chars.swap(at, at + 1),
            2 => chars[at] = letter,
            _ => chars.insert(at, letter),
        }
        (word, chars.into_iter().collect())
    })
}

proptest! {
    #[test]
    fn any_one_change_is_understood((word, typo) in with_a_typo()) {
        prop_assume!(!word.starts_with(&typo) && typo.chars().count() >= SHORTEST);
        let found = suggested(&typo, &[&word]);
        // A typo in a short word that leaves its beginning behind is found by that beginning only.
        prop_assert_eq!(found, [word]);
    }

    #[test]
    fn suggestions_are_words_of_the_texts_and_close(query in "\\PC{0,12}|[a-e]{3,9}", texts in prop::collection::vec("\\PC{0,20}|[a-e ]{3,12}", 0..6)) {
        for word in words(&query) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = corrected(&word, &texts).suggestions();
            prop_assert!(found.len() <= MAX_SUGGESTIONS);
            for suggestion in found {
                let begins = format!(" {suggestion}");
                prop_assert!(texts.iter().any(|text| search_text(text).contains(&begins)));
                prop_assert!(changes_between(&word, &suggestion).is_some());
                prop_assert!(!suggestion.starts_with(&word));
            }
        }
    }
}
