//! Two walls between tenants: every statement names its tenant, and what erases for good runs behind row-level security.

use super::super::testing::{admin, connect, fresh_url, server_url};
use super::super::{changes, derive, idempotency, lanes, maintenance, search, tenants, wall};
use super::statements::TEXTS;
use super::*;
use crate::store::{Maintenance, TenantStore};
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

const TABLES: [&str; 5] = ["tenants", "profiles", "preferences", "idempotency_keys", "changes"];

/// Two tenants, each with a row in every table.
const TWO_TENANTS: &str = "\
INSERT INTO tenants SELECT t, NULL, false, 'x', 'x', 0, 0, 1 FROM unnest(ARRAY['acme', 'beta']) AS t;
INSERT INTO profiles (tenant_name, profile_id, profile_type, user_id, full_name, attributes, active, created_by, updated_by, created_at,
    updated_at, version, full_name_key, search_doc)
SELECT t, '00000000-0000-7000-8000-000000000001', 'default', 'u', 'Jo', '{}', true, 'x', 'x', 0, 0, 1, 'jo', ' jo'
    FROM unnest(ARRAY['acme', 'beta']) AS t;
INSERT INTO preferences SELECT t, 'u', 'k', '1' FROM unnest(ARRAY['acme', 'beta']) AS t;
INSERT INTO idempotency_keys SELECT t, 's', 'k', '', 0, 'c', NULL FROM unnest(ARRAY['acme', 'beta']) AS t;
INSERT INTO changes (tenant_name, kind, changed_by, changed_at, changed_fields)
    SELECT t, 'k', 'x', 0, '{}' FROM unnest(ARRAY['acme', 'beta']) AS t";

async fn two_tenants() -> Client {
    let url = fresh_url().await;
    connect(&url).migrate(TimestampMs(1)).await.unwrap();
    let client = admin(&url).await;
    client.batch_execute(TWO_TENANTS).await.unwrap();
    client
}

async fn tenants_in(client: &Client, table: &str) -> Vec<String> {
    let rows = client.query(&format!("SELECT DISTINCT tenant_name FROM {table} ORDER BY 1"), &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn behind_the_wall_there_is_one_tenant_and_without_its_name_none() {
    let client = two_tenants().await;
    client.batch_execute("BEGIN; SET LOCAL ROLE n_users_tenant").await.unwrap();
    for table in TABLES {
        assert!(tenants_in(&client, table).await.is_empty(), "{table}");
    }
    client.batch_execute("COMMIT").await.unwrap();
    client.batch_execute(&wall::begin(&TenantName::parse("acme").unwrap())).await.unwrap();
    for table in TABLES {
        assert_eq!(tenants_in(&client, table).await, ["acme"], "{table}");
    }
    // What forgets its tenant, as no statement of ours may.
    for table in ["preferences", "profiles", "idempotency_keys"] {
        client.batch_execute(&format!("DELETE FROM {table}")).await.unwrap();
    }
    client.batch_execute("COMMIT").await.unwrap();
    for table in ["preferences", "profiles", "idempotency_keys"] {
        assert_eq!(tenants_in(&client, table).await, ["beta"], "{table}");
    }
}

#[tokio::test]
async fn behind_the_wall_nothing_is_written_for_another_tenant() {
    let client = two_tenants().await;
    for sql in [
        "INSERT INTO preferences VALUES ('beta', 'u', 'other', '1')",
        "UPDATE preferences SET tenant_name = 'beta', preference_key = 'moved'",
        "INSERT INTO changes (tenant_name, kind, changed_by, changed_at, changed_fields) VALUES ('beta', 'k', 'x', 0, '{}')",
    ] {
        client.batch_execute(&wall::begin(&TenantName::parse("acme").unwrap())).await.unwrap();
        let refused = client.batch_execute(sql).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("row-level security"), "{sql}: {refused:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// An owner who may not make roles, in a cluster where the role may be there already and is not granted.
#[tokio::test]
async fn an_owner_who_may_not_make_roles_does_without_the_wall() {
    let url = fresh_url().await;
    let client = admin(&url).await;
    let (base, database) = url.rsplit_once('/').unwrap();
    let owner = format!("owner_{database}");
    client.batch_execute(&format!("CREATE ROLE {owner} LOGIN; GRANT ALL ON SCHEMA public TO {owner}")).await.unwrap();
    let host = base.rsplit_once('@').map_or(base, |(_, host)| host);
    let store = connect(&format!("postgres://{owner}@{host}/{database}"));
    store.migrate(TimestampMs(1)).await.unwrap();
    let profile = profile_of("u");
    create(&store, &profile).await;
    assert!(store.purge_profiles(&tenant(), &[purge(&profile)], None).await.unwrap());
    let gone = Change::of_tenant(ChangeKind::TenantDeleted, &tenant(), Version(1), "tester", TimestampMs(9));
    assert!(store.delete_tenant(&tenant(), Version(1), &gone, None).await.unwrap());
    store.close().await;
    let server = admin(&server_url()).await;
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    server.batch_execute(&end).await.unwrap();
    server.batch_execute(&format!("DROP DATABASE {database}")).await.unwrap();
    server.batch_execute(&format!("DROP ROLE {owner}")).await.unwrap();
}

/// Those that are about all tenants: the log for all nodes, the newest of it for what a node remembers, the sweep, the list for
/// administrators, and what a migration does.
const ABOUT_ALL: [&str; 7] = [
    changes::READ_CHANGES,
    search::READ_CHANGES_IN[0],
    idempotency::SWEEP,
    tenants::LIST_TENANTS,
    maintenance::CREATE_DEFAULT_TENANT,
    derive::READ_WITHOUT_GRAMS,
    derive::WRITE_GRAMS,
];

#[tokio::test]
async fn no_statement_looks_at_a_tenants_rows_without_naming_it() {
    let client = two_tenants().await;
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let texts = TEXTS.iter().copied().chain(lanes::Read::all().map(lanes::Read::sql)).filter(|sql| !ABOUT_ALL.contains(sql));
    let mut looked_at = 0;
    for (n, sql) in texts.enumerate() {
        let prepared = client.prepare(sql).await.unwrap();
        let types = prepared.params();
        client.batch_execute(&format!("PREPARE wall_{n} AS {sql}")).await.unwrap();
        // A tenant where one is asked for: with NULL every partition would be pruned.
        let value = |(at, of): (usize, &Type)| if at == 0 && *of == Type::TEXT { "'acme'" } else { "NULL" };
        let values = types.iter().enumerate().map(value).collect::<Vec<_>>().join(", ");
        let execute = if types.is_empty() { format!("wall_{n}") } else { format!("wall_{n} ({values})") };
        let rows = client.query(&format!("EXPLAIN (FORMAT JSON) EXECUTE {execute}"), &[]).await.unwrap();
        let plan: Value = rows[0].get(0);
        scans(&plan, &mut |table, conditions| {
            looked_at += 1;
            assert!(conditions.contains("tenant_name = "), "{sql}\nlooks at {table} by {conditions:?}");
        });
    }
    assert!(looked_at >= 20, "{looked_at} scans");
}

/// Calls `judge` with each scan of a table that has tenants, and the conditions on it.
fn scans(node: &Value, judge: &mut impl FnMut(&str, &str)) {
    match node {
        Value::Array(nodes) => nodes.iter().for_each(|node| scans(node, judge)),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
            let table = text("Relation Name");
            if text("Node Type").contains("Scan") && TABLES.iter().any(|known| table.starts_with(known)) {
                judge(table, &["Index Cond", "Recheck Cond", "Filter"].map(text).join(" "));
            }
            members.values().for_each(|node| scans(node, judge));
        }
        _ => {}
    }
}
