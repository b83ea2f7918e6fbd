//! Every SQL text fits the schema, and those that run often find their index.

use super::super::filter::Sql;
use super::super::writer::Verdict;
use super::super::{
    changes, derive, frequencies, grams, idempotency, maintenance, preferences, profiles, search, spelling, tenants, writer,
};
use super::*;
use crate::domain::filter;
use crate::domain::search::SortField;

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let (_folder, store) = migrated().await;
    let all = [
        writer::STATEMENTS,
        profiles::STATEMENTS,
        preferences::STATEMENTS,
        tenants::STATEMENTS,
        idempotency::STATEMENTS,
        changes::STATEMENTS,
        maintenance::STATEMENTS,
        derive::STATEMENTS,
        frequencies::STATEMENTS,
        grams::STATEMENTS,
        search::STATEMENTS,
        search::recall::STATEMENTS,
        spelling::STATEMENTS,
    ];
    // By the writer: the notes of grams are its own.
    store
        .write(move |connection| {
            for sql in all.into_iter().flatten() {
                connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            Ok(Verdict::Keep(()))
        })
        .await
        .unwrap();
}

async fn plan(store: &Sqlite, sql: String) -> String {
    store
        .read(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(steps.join("; "))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn no_statement_by_a_key_scans() {
    let (_folder, store) = migrated().await;
    for sql in [profiles::STATEMENTS, preferences::STATEMENTS, idempotency::STATEMENTS].into_iter().flatten() {
        let plan = plan(&store, (*sql).to_owned()).await;
        assert!(!plan.contains("SCAN profiles") && !plan.contains("SCAN pref") && !plan.contains("SCAN idem"), "{sql}\n{plan}");
        assert!(!sql.starts_with("SELECT") || sql.contains("ORDER BY created_at") || !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[tokio::test]
async fn a_comparison_at_the_top_keeps_its_index() {
    let (_folder, store) = migrated().await;
    for (text, index) in [
        (r#"email_id eq "jo@example.com""#, "profiles_email_key_idx (tenant_name=? AND email_key=?)"),
        (r#"email_id sw "jo@""#, "profiles_email_key_idx (tenant_name=? AND email_key>? AND email_key<?)"),
        (r#"mobile eq "+14155550100" and active eq true"#, "profiles_mobile_idx (tenant_name=? AND mobile=?)"),
        (r#"user_id eq "jo""#, "(tenant_name=? AND user_id=?)"),
        (r#"created_at ge 5 and created_at lt 9"#, "profiles_created_at_idx (tenant_name=? AND created_at>? AND created_at<?)"),
    ] {
        let mut sql = Sql::default();
        sql.push("SELECT profile_id FROM profiles WHERE tenant_name = ");
        sql.bind("default".to_owned());
        sql.push(" AND ");
        sql.push_filter(&filter::parse(text).unwrap());
        let plan = plan(&store, sql.text).await;
        assert!(plan.contains(index), "{text}: {plan}");
    }
}

#[tokio::test]
async fn pages_in_an_order_with_an_index_are_read_off_it() {
    let (_folder, store) = migrated().await;
    for (tail, index) in [
        ("ORDER BY created_at DESC, profile_id DESC LIMIT 21", "profiles_created_at_idx"),
        ("ORDER BY full_name_key ASC, profile_id ASC LIMIT 21", "profiles_full_name_key_idx"),
        ("AND city_id = 'x' AND active = 1 ORDER BY created_at DESC, profile_id DESC LIMIT 21", "profiles_created_at_idx"),
        ("ORDER BY email_key ASC NULLS LAST, profile_id ASC LIMIT 21", "profiles_email_key_idx"),
        ("ORDER BY email_key DESC NULLS FIRST, profile_id DESC LIMIT 21", "profiles_email_key_idx"),
        ("AND (email_key, profile_id) < ('a', x'00') ORDER BY email_key DESC, profile_id DESC LIMIT 21", "profiles_email_key_idx"),
        ("AND email_key IS NULL AND profile_id > x'00' ORDER BY email_key, profile_id LIMIT 21", "profiles_email_key_idx"),
        ("AND (full_name_key, profile_id) > ('a', x'00') ORDER BY full_name_key, profile_id LIMIT 21", "profiles_full_name_key_idx"),
    ] {
        let sql =
            format!("SELECT full_name FROM profiles WHERE tenant_name = 'a' AND deleted_at IS NULL AND instr(search_doc, 'x') > 0 {tail}");
        let plan = plan(&store, sql).await;
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{tail}: {plan}");
    }
}

#[tokio::test]
async fn an_identifier_is_looked_up_whatever_the_order() {
    let (_folder, store) = migrated().await;
    for (condition, index) in [
        ("email_key = 'jo@example.com'", "profiles_email_key_idx (tenant_name=? AND email_key=?)"),
        ("mobile = '+14155550100'", "profiles_mobile_idx (tenant_name=? AND mobile=?)"),
        ("user_id = 'jo'", "(tenant_name=? AND user_id=?)"),
        ("profile_id = x'00'", "(tenant_name=? AND profile_id=?)"),
    ] {
        for order in ["created_at", "full_name_key", "city_id"] {
            let sql = format!(
                "SELECT full_name FROM profiles WHERE tenant_name = 'a' AND deleted_at IS NULL AND {condition} \
                 ORDER BY {order}, profile_id LIMIT 21"
            );
            let plan = plan(&store, sql).await;
            assert!(plan.contains(index), "{condition} by {order}: {plan}");
        }
    }
}

#[tokio::test]
async fn every_step_of_a_search_takes_the_index_that_it_should() {
    let (_folder, store) = migrated().await;
    let filter = filter::parse(r#"gender eq "f" and email_id eq "a@b.example" and created_at gt 5 and active eq true"#).unwrap();
    let narrow = filter::parse(r#"gender eq "f" and city_id eq "x" and birth_date ge "1990-01-01" and active eq true"#).unwrap();
    let words = Search { needles: vec![" jo".to_owned()], include_deleted: false, ..everything() };
    let by_grams = "SCAN profile_grams VIRTUAL TABLE INDEX";
    for field in ["created_at", "full_name", "-created_at", "-full_name"] {
        let sort = Sort::parse(field).unwrap();
        let search = Search { filter: Some(narrow.clone()), sort, ..words.clone() };
        let (scan, [grams, count], [numbers, ids]) = search::texts(&tenant(), &search);
        let plan_of_scan = plan(&store, scan).await;
        assert!(plan_of_scan.contains("USING COVERING INDEX") && !plan_of_scan.contains("TEMP B-TREE"), "{field}: {plan_of_scan}");
        for text in [grams, count] {
            let plan = plan(&store, text).await;
            assert!(plan.contains(by_grams) && plan.contains("SEARCH profiles USING INTEGER PRIMARY KEY"), "{field}: {plan}");
        }
        let by_number = plan(&store, numbers).await;
        assert!(by_number.contains("SEARCH profiles USING INTEGER PRIMARY KEY"), "{field}: {by_number}");
        let by_id = plan(&store, ids).await;
        assert!(by_id.contains("(tenant_name=? AND profile_id=?)"), "{field}: {by_id}");
    }
    for field in SortField::ALL {
        let search = Search { filter: Some(filter.clone()), sort: Sort { field: *field, descending: false }, ..words.clone() };
        let (scan, [grams, _], _) = search::texts(&tenant(), &search);
        let plan_of_scan = plan(&store, scan).await;
        assert!(!plan_of_scan.contains("TEMP B-TREE") && plan_of_scan.contains("(tenant_name=?)"), "{field:?}: {plan_of_scan}");
        let plan = plan(&store, grams).await;
        assert!(plan.contains(by_grams) && plan.contains("SEARCH profiles USING INTEGER PRIMARY KEY"), "{field:?}: {plan}");
    }
}
