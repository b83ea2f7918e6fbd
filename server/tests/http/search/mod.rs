//! `GET /v1/tenants/{tenant_name}/profiles` and `POST .../profiles/search`.

mod explain;
mod order;
mod paging;
mod typos;
mod words;
