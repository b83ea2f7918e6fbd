//! `n_users tenant create|list`: the same operations as `/v1/tenants`, on the database itself.

use super::{Outcome, Shared, print_line};
use crate::app;
use crate::domain::caller::TenantAccess;
use crate::domain::document::Document;
use crate::domain::idempotency::Written;
use crate::domain::search::MAX_LIMIT;
use crate::service::{AdminCall, Directory, Error};
use serde_json::json;

#[derive(Debug, clap::Subcommand)]
pub enum TenantCommand {
    /// Create a tenant
    Create {
        /// 1 to 63 of a-z, 0-9 and -
        tenant_name: String,
        /// Its name for people
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
    },
    /// Print the names of all tenants
    List,
}

pub async fn run(command: TenantCommand, shared: &Shared) -> Outcome {
    let (directory, _, store) = app::directory(&shared.data, &shared.database, &shared.images).await.map_err(|e| e.to_string())?;
    let call = AdminCall { subject: "n_users".to_owned(), tenants: TenantAccess::All, attempt: None };
    let outcome = match command {
        TenantCommand::Create { tenant_name, display_name } => create(&directory, &call, &tenant_name, display_name.as_deref()).await,
        TenantCommand::List => list(&directory, &call).await,
    };
    store.close().await;
    outcome
}

async fn create(directory: &Directory, call: &AdminCall, tenant_name: &str, display_name: Option<&str>) -> Outcome {
    let body = json!({"tenant_name": tenant_name, "display_name": display_name}).to_string();
    let document = Document::parse(body.as_bytes()).map_err(|e| format!("{e:?}"))?;
    match directory.create_tenant(call, document).await {
        Ok(Written::Tenant { tenant, .. }) => print_line(&format!("created tenant {}", tenant.tenant_name)),
        Ok(_) => Ok(()),
        Err(error) => Err(explain(&error)),
    }
}

async fn list(directory: &Directory, call: &AdminCall) -> Outcome {
    let mut cursor: Option<String> = None;
    loop {
        let page = directory.list_tenants(call, Some(MAX_LIMIT), cursor.as_deref()).await.map_err(|e| explain(&e))?;
        for tenant in &page.tenants {
            print_line(&format!("{}{}", tenant.tenant_name, if tenant.suspended { "  (suspended)" } else { "" }))?;
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

fn explain(error: &Error) -> String {
    match error {
        Error::Invalid(faults) => faults.as_slice().iter().map(|fault| fault.detail.clone()).collect::<Vec<_>>().join("; "),
        Error::Duplicate { detail, .. } => (*detail).to_owned(),
        other => crate::domain::cause::chain(other),
    }
}
