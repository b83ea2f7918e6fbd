//! `/v1/tenants/{tenant_name}/profiles` and what is below it.

mod conditions;
mod create;
mod delete;
mod duplicates;
mod fresh;
mod patch;
mod read;
